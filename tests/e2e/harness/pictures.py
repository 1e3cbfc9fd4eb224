"""Pictures made on the spot, as bytes of PNG files and as clients send them."""

import base64
import struct
import zlib


def _chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, seed=0):
    """Of one colour that depends on the seed, row by row: ten million pixels make ten kilobytes."""
    packer = zlib.compressobj(6)
    row = b"\0" + bytes(((seed * 37) % 256, (seed * 91) % 256, 128)) * width
    data = b"".join([packer.compress(row) for _ in range(height)] + [packer.flush()])
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", data)
            + _chunk(b"IEND", b""))


def base64_of(picture):
    return base64.b64encode(picture).decode()


def openai(picture):
    """A part of an OpenAI message."""
    uri = "data:image/png;base64," + base64_of(picture)
    return {"type": "image_url", "image_url": {"url": uri}}


def anthropic(picture):
    """A block of an Anthropic message."""
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png",
                                        "data": base64_of(picture)}}


def look(model, *parts, max_tokens=4, **more):
    """A request about pictures, for OpenAI's and for Anthropic's path alike."""
    content = [*parts, {"type": "text", "text": "what is it"}]
    return {"model": model, "messages": [{"role": "user", "content": content}],
            "max_tokens": max_tokens, **more}
