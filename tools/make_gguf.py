#!/usr/bin/env python3
"""Write a small, valid GGUF model of any size, with random weights and a real tokenizer."""

import argparse
import hashlib
import math
import os
import random
import re
import struct
import sys
import time

import gguf_encoder
import gguf_projector
from gguf_format import (BOOL, F32, I32, POOLING, STRING, TOKEN_CONTROL, TOKEN_NORMAL, U16, U32,
                         array, padded, pair, text)
from gguf_shape import TYPES, Shape

EPILOG = """\
The file loads in a stock llama-server. Its text is nonsense made of syllables: one word per token,
plain ASCII, so that every streamed chunk carries text. The end token is never drawn, so an answer
ends at its max_tokens, at a "stop" string, or at the context. The same arguments (with the same
--name) always give the same bytes.

choosing a size (two cores of a 2 GHz server CPU; roughly tokens/s, falling as 1/size)
  tiny    about 0.5 MB, thousands a second: for tests of everything that is not about time
  30MB    about 400 a second
  250MB   60 to 80 a second
  500MB   30 to 40 a second: long streams; 1,000 tokens last about half a minute
  1GB     15 to 20 a second
  2.1GB   7 to 10 a second: slow streams, prefills and loads one can watch

examples
  make_gguf.py a.gguf --size tiny --seed 1
  make_gguf.py slow.gguf --size 500MB --context 8192
  make_gguf.py embed.gguf --size tiny --embedding
  make_gguf.py bge.gguf --size 20MB --encoder cls --context 512
  make_gguf.py ranks.gguf --reranker --context 512
  make_gguf.py mmproj-a.gguf --projector --project-to 64 --image 64 --patch 8 --merge 2
  make_gguf.py window.gguf --size 30MB --window 512
  make_gguf.py moe.gguf --size 60MB --experts 32
  make_gguf.py hybrid.gguf --layers 8 --convolutions
  make_gguf.py broken.gguf --size tiny --corrupt truncate
  make_gguf.py split-00002-of-00002.gguf --parts 2 --part 2
"""

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
# Shows everything that a conversation with tools holds.
TOOLS_TEMPLATE = (
    "{% if tools %}{{ '<|im_start|>system\\n' + (tools | tojson) + '<|im_end|>\\n' }}{% endif %}"
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{% if message['content'] %}{{ message['content'] }}{% endif %}"
    "{% for call in message['tool_calls'] %}"
    "{{ '<tool_call>' + call['function']['name'] + (call['function']['arguments'] | tojson)"
    " + '</tool_call>' }}"
    "{% endfor %}{{ '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
# Keeps whoever renders it busy for ever, with growing memory.
TEMPLATE_BOMB = (
    "{% set ns = namespace(text='boom') %}"
    "{% for a in range(100000) %}{% for b in range(100000) %}"
    "{% set ns.text = ns.text ~ 'boom boom boom boom boom boom boom boom' %}"
    "{% endfor %}{% endfor %}{{ ns.text }}"
)


def parse_size(text):
    if text == "tiny":
        return 0
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]i?)?B?", text, re.IGNORECASE)
    if not match:
        raise argparse.ArgumentTypeError(f"not a size: {text!r} (try 30MB, 2.1GB, 1GiB or tiny)")
    unit = (match.group(2) or "").upper()
    base = 1024 if unit.endswith("I") else 1000
    return int(float(match.group(1)) * base ** " KMGT".index(unit[0] if unit else " "))


# ---- tokenizer: byte-level BPE -------------------------------------------------------------------


CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
FILL_IN = ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"]


def first_word(args):
    """The first token that may be drawn: behind bytes and control tokens."""
    return 256 + len(CONTROL) + (len(FILL_IN) if args.fill_in else 0)


def byte_letters():
    """The printable letter that stands for each byte in a byte-level BPE vocabulary."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {byte: chr(byte) for byte in plain}
    for byte in range(256):
        if byte not in letters:
            letters[byte] = chr(256 + len(letters) - len(plain))
    return [letters[byte] for byte in range(256)]


def make_vocabulary(size, control):
    """Bytes, control tokens, syllables, words: (tokens, merges)."""
    space = byte_letters()[0x20]
    tokens = byte_letters() + control
    syllables = [c + v for c in "bcdfghjklmnpqrstvwxz" for v in "aeiou"]
    merges = [f"{s[0]} {s[1]}" for s in syllables] + [f"{space} {s}" for s in syllables]
    tokens += syllables + [space + s for s in syllables]
    for a in syllables:
        for b in syllables:
            if len(tokens) >= size:
                return tokens, merges
            tokens.append(space + a + b)
            merges.append(f"{space}{a} {b}")
    return tokens, merges


# ---- weights -------------------------------------------------------------------------------------
# Channel 0 of the residual stream is a constant: every token's embedding has the same value there
# and no layer writes to it (its row is zero in the matrices that add to the stream). So the output
# matrix can make control tokens and single bytes unlikely whatever the context is.

CHANNEL = 4.0  # what channel 0 holds
UNLIKELY = -24.0  # weight of channel 0 for tokens that shall not be drawn
LOGIT_SPREAD = 3.0  # standard deviation of the other logits


class Weights:
    """Random weights: one block per (type, scale), repeated, each tensor from another place."""

    BLOCK_BYTES = 1 << 20

    def __init__(self, shape, seed, first_word):
        self.shape = shape
        self.first_word = first_word
        self.random = random.Random(seed)
        self.blocks = {}

    def block(self, kind, spread):
        key = (kind, spread)
        if key not in self.blocks:
            fixed, mask = self.pattern(kind, spread)
            # An odd number of patterns: rows of a matrix do not repeat with the block.
            count = self.BLOCK_BYTES // len(fixed) | 1
            noise = int.from_bytes(self.random.randbytes(count * len(fixed)), "little")
            value = noise & int.from_bytes(mask * count, "little")
            value |= int.from_bytes(fixed * count, "little")
            self.blocks[key] = value.to_bytes(count * len(fixed), "little")
        return self.blocks[key]

    @staticmethod
    def pattern(kind, spread):
        """One quantisation block: its fixed bits, and the mask of its random bits."""
        if kind in ("f16", "f32"):
            # random sign and mantissa, fixed exponent: sizes from 2^e to 2^(e+1)
            exponent = round(math.log2(spread / 1.53))
            if kind == "f16":
                return struct.pack("<H", max(1, exponent + 15) << 10), struct.pack("<H", 0x83FF)
            return struct.pack("<I", (exponent + 127) << 23), struct.pack("<I", 0x807FFFFF)
        steps, size = {"q8_0": (73.9, 32), "q4_0": (4.61, 16)}[kind]
        return struct.pack("<e", spread / steps) + bytes(size), b"\0\0" + b"\xff" * size

    def data(self, dims, kind, role):
        """Yields the bytes of one tensor in pieces."""
        count = math.prod(dims)
        if role in ("ones", "post_norm"):
            values = [1.0 if role == "ones" else 0.3] * count
            values[0] = 0.0 if role == "post_norm" else 1.0
            yield struct.pack(f"<{count}f", *values)
        elif role == "zeros":
            yield bytes(4 * count)
        elif role == "kernel":  # of a convolution: what it adds up lies in all dimensions but one
            yield from self.noise(kind, math.sqrt(dims[-1] / count), count * TYPES[kind][2], 1)
        elif role in ("embedding", "output"):
            yield self.vocabulary_matrix(dims, kind, role)
        else:
            _, per_block, block_bytes, _ = TYPES[kind]
            matrices = math.prod(dims[2:])  # one for each expert
            total = count // matrices // per_block * block_bytes
            row = dims[0] // per_block * block_bytes
            skip = row if role == "residual" else 0
            for _ in range(matrices):
                yield bytes(skip)
                yield from self.noise(kind, 1 / math.sqrt(dims[0]), total - skip, block_bytes)

    def noise(self, kind, spread, total, unit):
        block = memoryview(self.block(kind, spread))
        start = self.random.randrange(len(block) // unit) * unit
        while total > 0:
            piece = block[start : start + total]
            yield piece
            total -= len(piece)
            start = 0

    def vocabulary_matrix(self, dims, kind, role):
        width, rows = dims
        size = TYPES[kind][2]
        # gemma multiplies its embeddings by sqrt(width)
        one = 1 / math.sqrt(width) if self.shape.family == "gemma3" else 1.0
        spread = LOGIT_SPREAD / math.sqrt(width) if role == "output" else one
        data = bytearray().join(self.noise(kind, spread, width * rows * size, size))
        code = "<e" if kind == "f16" else "<f"
        for row in range(rows):
            at = row * width * size
            if role == "embedding":
                struct.pack_into(code, data, at, CHANNEL * one)
            elif row < self.first_word:
                data[at : at + width * size] = bytes(width * size)
                struct.pack_into(code, data, at, UNLIKELY)
            else:
                struct.pack_into(code, data, at, 0.0)
        return data


# ---- file ----------------------------------------------------------------------------------------


def metadata(args, shape, tokens, merges):
    a = shape.family
    words = first_word(args)
    types = [TOKEN_CONTROL if 256 <= i < words else TOKEN_NORMAL for i in range(len(tokens))]
    pairs = [
        pair("general.architecture", STRING, a),
        pair("general.name", STRING, args.name),
        pair("general.file_type", U32, TYPES[shape.type][3]),
        pair(f"{a}.context_length", U32, shape.context),
        pair(f"{a}.embedding_length", U32, shape.embd),
        pair(f"{a}.block_count", U32, shape.layers),
        pair(f"{a}.feed_forward_length", U32, shape.ff),
        pair(f"{a}.attention.head_count", U32, shape.heads),
        kv_heads(shape),
        pair(f"{a}.attention.key_length", U32, shape.embd // shape.heads),
        pair(f"{a}.attention.value_length", U32, shape.embd // shape.heads),
        pair(f"{a}.attention.layer_norm_rms_epsilon", F32, 1e-5),
        pair(f"{a}.rope.dimension_count", U32, shape.embd // shape.heads),
        pair(f"{a}.rope.freq_base", F32, 10000.0),
        pair("tokenizer.ggml.model", STRING, "gpt2"),
        pair("tokenizer.ggml.pre", STRING, "gpt-2"),
        array("tokenizer.ggml.tokens", STRING, tokens),
        array("tokenizer.ggml.token_type", I32, types),
        array("tokenizer.ggml.merges", STRING, merges),
        pair("tokenizer.ggml.bos_token_id", U32, 256),
        pair("tokenizer.ggml.eos_token_id", U32, 258),
        pair("tokenizer.ggml.padding_token_id", U32, 256),
        pair("tokenizer.ggml.add_bos_token", BOOL, 0),
    ]
    pairs += family_metadata(args, shape)
    if args.embedding:
        pairs.append(pair(f"{a}.pooling_type", U32, POOLING["mean"]))
        pairs.append(pair(f"{a}.attention.causal", BOOL, 0))
    elif args.template != "none":
        template = TOOLS_TEMPLATE if args.template == "tools" else CHAT_TEMPLATE
        template = TEMPLATE_BOMB if args.corrupt == "template-bomb" else template
        pairs.append(pair("tokenizer.chat_template", STRING, template))
    return pairs


def kv_heads(shape):
    key = f"{shape.family}.attention.head_count_kv"
    if shape.family == "lfm2":  # layers without a cache say so
        by_layer = (shape.kv_heads if shape.attends(i) else 0 for i in range(shape.layers))
        return array(key, I32, list(by_layer))
    return pair(key, U32, shape.kv_heads)


def family_metadata(args, shape):
    a = shape.family
    if a == "gemma3":
        return [pair(f"{a}.attention.sliding_window", U32, args.window)]
    if a == "qwen3moe":
        return [
            pair(f"{a}.expert_count", U32, shape.experts),
            pair(f"{a}.expert_used_count", U32, shape.experts_used),
            pair(f"{a}.expert_feed_forward_length", U32, shape.ff),
        ]
    if a == "lfm2":
        return [pair(f"{a}.shortconv.l_cache", U32, shape.CONVOLUTION)]
    return []


def part_metadata(args, pairs, tensors):
    """Of one file of several: the first holds everything, the others only which part they are."""
    own = [
        pair("split.no", U16, args.part - 1),
        pair("split.count", U16, args.parts),
        pair("split.tensors.count", I32, tensors),
    ]
    return (pairs if args.part == 1 else []) + own


def file_pieces(args, shape):
    tensors = list(shape.tensors())
    if args.projector:
        pairs = gguf_projector.metadata(args, shape)
    elif args.encodes:
        pairs = gguf_encoder.metadata(args, shape)
    else:
        control = CONTROL + (FILL_IN if args.fill_in else [])
        tokens, merges = make_vocabulary(shape.vocab, control)
        pairs = metadata(args, shape, tokens, merges)
    if args.parts > 1:
        pairs = part_metadata(args, pairs, len(tensors))
        first, last = (len(tensors) * part // args.parts for part in (args.part - 1, args.part))
        tensors = tensors[first:last]
    magic = b"GOOF" if args.corrupt == "magic" else b"GGUF"
    head = bytearray(magic + struct.pack("<IQQ", 3, len(tensors), len(pairs)) + b"".join(pairs))
    offset = 0
    for name, dims, kind, _ in tensors:
        number, per_block, block_bytes, _ = TYPES[kind]
        shown = offset
        if args.corrupt == "tensor-offset" and name == "output.weight":
            shown = offset + (1 << 40)  # far beyond the end
        head += text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, number, shown)
        offset += padded(math.prod(dims) // per_block * block_bytes)
    yield head + bytes(padded(len(head)) - len(head)), padded(len(head)) + offset
    digest = hashlib.sha256(f"{args.seed} {args.name}".encode()).digest()
    weights = Weights(shape, int.from_bytes(digest, "little"), first_word(args))
    for _, dims, kind, role in tensors:
        size = 0
        for piece in weights.data(dims, kind, role):
            size += len(piece)
            yield piece, None
        yield bytes(padded(size) - size), None


def write(args, shape):
    started = shown = time.monotonic()
    partial = f"{args.out}.{os.getpid()}.part"
    written = total = 0
    try:
        with open(partial, "wb", buffering=1 << 20) as out:
            for piece, announced in file_pieces(args, shape):
                total = announced or total
                out.write(piece)
                written += len(piece)
                now = time.monotonic()
                if sys.stderr.isatty() and now - started > 1 and now - shown > 0.2:
                    shown = now
                    line = f"\r{written / 1e6:,.0f} of {total / 1e6:,.0f} MB"
                    print(line, end="", file=sys.stderr)
            if args.corrupt == "truncate":
                out.truncate(total * 2 // 3)
        os.replace(partial, args.out)
    except BaseException:
        if os.path.exists(partial):
            os.unlink(partial)
        raise
    if shown != started:
        print("\r", end="", file=sys.stderr)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", metavar="OUT.gguf")
    add = parser.add_argument
    add("--size", type=parse_size, default="tiny", help="30MB, 2.1GB, 1GiB or tiny (default)")
    add("--seed", type=int, default=1, help="other weights for each seed (default 1)")
    add("--name", help="general.name (default: the file's name)")
    add("--layers", type=int, help="these five replace what --size would choose")
    add("--embd", type=int)
    add("--heads", type=int)
    add("--kv-heads", type=int)
    add("--ff", type=int, help="feed-forward length")
    add("--vocab", type=int, default=1024, help="tokens, 459 to 10459 (default 1024)")
    add("--context", type=int, default=4096, help="trained context (default 4096)")
    add("--type", choices=sorted(TYPES), default="f16", help="type of the matrices (default f16)")
    add("--embedding", action="store_true", help="an embedding model: mean pooling, no template")
    add("--template", choices=("chat", "tools", "none"), default="chat",
        help="the chat template: plain, one that shows tools, or none")
    add("--fill-in", action="store_true", help="tokens to fill in between a prefix and a suffix")
    add("--encoder", choices=("mean", "cls"), help="an encoder that embeds (bert), pooled so")
    add("--reranker", action="store_true", help="an encoder that ranks texts (bert)")
    add("--projector", action="store_true", help="an image projector (mmproj), of Gemma 3's kind")
    add("--project-to", type=int, default=64, help="its language model's embd (default 64)")
    add("--image", type=int, default=64, help="pixels of its square images' sides (default 64)")
    add("--patch", type=int, default=8, help="pixels of a patch's side (default 8)")
    add("--merge", type=int, default=2, help="patches of a token's side (default 2)")
    add("--parts", type=int, default=1, metavar="N", help="split into N files, of which this is")
    add("--part", type=int, default=1, metavar="K", help="number K, named NAME-0000K-of-0000N.gguf")
    add("--window", type=int, default=0, metavar="N", help="sliding window (gemma3)")
    add("--experts", type=int, default=0, metavar="N", help="experts, 4 used a token (qwen3moe)")
    add("--convolutions", action="store_true", help="three of four layers convolve (lfm2)")
    add(
        "--corrupt",
        choices=("truncate", "magic", "tensor-offset", "template-bomb"),
        help="write a file that is broken in this way",
    )
    args = parser.parse_args()
    args.encodes = bool(args.encoder) or args.reranker
    kinds = (args.embedding, args.encoder, args.reranker, args.projector, args.window, args.experts,
             args.convolutions)
    if sum(map(bool, kinds)) > 1:
        parser.error("a model is of one kind: --embedding, --encoder, --reranker, --projector, "
                     "--window, --experts and --convolutions exclude each other")
    if args.experts and args.experts < 4:
        parser.error("--experts must be 4 at least")
    if not 1 <= args.part <= args.parts:
        parser.error("--part must lie between 1 and --parts")
    if not 459 <= args.vocab <= 10459:
        parser.error("--vocab must lie between 459 and 10459")
    args.name = args.name or os.path.basename(args.out).removesuffix(".gguf")
    return args


def shape_of(args):
    if args.projector:
        return gguf_projector.Projector(args)
    return gguf_encoder.Encoder(args) if args.encodes else Shape(args)


def main():
    args = parse_arguments()
    shape = shape_of(args)
    write(args, shape)
    print(
        f"{args.out}: {os.path.getsize(args.out) / 1e6:,.1f} MB, "
        f"{shape.layers} layers of {shape.embd}, ff {shape.ff}, "
        f"{shape.heads}/{shape.kv_heads} heads, {shape.type}, context {shape.context}"
    )


if __name__ == "__main__":
    main()
