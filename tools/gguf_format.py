"""Pieces of a GGUF file: keys with their values, and where data begins."""

import struct

ALIGNMENT = 32
# numbers of the GGUF format: kinds of values
U16, U32, I32, F32, BOOL, STRING, ARRAY = 2, 4, 5, 6, 7, 8, 9
TOKEN_NORMAL, TOKEN_UNKNOWN, TOKEN_CONTROL = 1, 2, 3
POOLING = {"mean": 1, "cls": 2, "rank": 4}


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def pair(key, kind, value):
    packed = {U16: "<H", U32: "<I", I32: "<i", F32: "<f", BOOL: "<B"}
    body = text(value) if kind == STRING else struct.pack(packed[kind], value)
    return text(key) + struct.pack("<I", kind) + body


def array(key, kind, values):
    if kind == STRING:
        body = b"".join(map(text, values))
    else:
        body = struct.pack(f"<{len(values)}{'f' if kind == F32 else 'i'}", *values)
    return text(key) + struct.pack("<IIQ", ARRAY, kind, len(values)) + body


def padded(size):
    return -(-size // ALIGNMENT) * ALIGNMENT
