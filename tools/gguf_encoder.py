"""Encoders as make_gguf.py writes them: architecture `bert`, which embeds texts or ranks them.

The tokenizer is the engine's "bert": lower case, a word is the longest pieces that it consists of,
and what begins a word has "▁" before it. All of ASCII is in it, so that no word is unknown.
"""

from gguf_format import (BOOL, F32, I32, POOLING, STRING, TOKEN_CONTROL, TOKEN_NORMAL,
                         TOKEN_UNKNOWN, U32, array, pair)
from gguf_shape import TYPES, Shape

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PAD, UNKNOWN, CLS, SEP, MASK = range(5)
BEGIN = "\u2581"  # of a word


class Encoder(Shape):
    FAMILY = "bert"
    MATRICES = 2  # of a feed-forward network: up and down

    def __init__(self, args):
        self.pooling = "rank" if args.reranker else args.encoder
        super().__init__(args)

    def choose_kv_heads(self, args):
        return args.kv_heads or self.heads

    def fixed_bytes(self):
        return super().fixed_bytes() // 2 + 4 * self.context * self.embd

    def tensors(self):
        """Yields (name, dims, type, kind) in file order."""
        wide = "f32" if self.type == "f32" else "f16"
        yield "token_embd.weight", (self.embd, self.vocab), wide, "matrix"
        yield "token_types.weight", (self.embd, 2), "f32", "matrix"
        yield "position_embd.weight", (self.embd, self.context), "f32", "matrix"
        yield from self.norm("token_embd_norm")
        for i in range(self.layers):
            b = f"blk.{i}."
            for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
                yield from self.linear(b + name, self.embd, self.embd)
            yield from self.norm(b + "attn_output_norm")
            yield from self.linear(b + "ffn_up", self.embd, self.ff)
            yield from self.linear(b + "ffn_down", self.ff, self.embd)
            yield from self.norm(b + "layer_output_norm")
        if self.pooling == "rank":
            yield from self.linear("cls", self.embd, self.embd)
            yield "cls.output.weight", (self.embd, 1), "f32", "matrix"
            yield "cls.output.bias", (1,), "f32", "zeros"

    def linear(self, name, into, out):
        yield name + ".weight", (into, out), self.type, "matrix"
        yield name + ".bias", (out,), "f32", "zeros"

    def norm(self, name):
        yield name + ".weight", (self.embd,), "f32", "ones"
        yield name + ".bias", (self.embd,), "f32", "zeros"


def vocabulary(size):
    """Control tokens, every printable letter alone and inside a word, syllables, words."""
    letters = [chr(c) for c in range(0x21, 0x7F) if not chr(c).isupper()]
    tokens = SPECIAL + letters + [BEGIN + letter for letter in letters] + [BEGIN]
    syllables = [c + v for c in "bcdfghjklmnpqrstvwxz" for v in "aeiou"]
    words = [a + b for a in syllables for b in syllables]
    tokens += syllables + [BEGIN + s for s in syllables] + [BEGIN + w for w in words]
    return tokens[:size]


def metadata(args, shape):
    tokens = vocabulary(shape.vocab)
    kinds = [TOKEN_CONTROL] * len(SPECIAL) + [TOKEN_NORMAL] * (len(tokens) - len(SPECIAL))
    kinds[UNKNOWN] = TOKEN_UNKNOWN
    pairs = [
        pair("general.architecture", STRING, "bert"),
        pair("general.name", STRING, args.name),
        pair("general.file_type", U32, TYPES[shape.type][3]),
        pair("bert.context_length", U32, shape.context),
        pair("bert.embedding_length", U32, shape.embd),
        pair("bert.block_count", U32, shape.layers),
        pair("bert.feed_forward_length", U32, shape.ff),
        pair("bert.attention.head_count", U32, shape.heads),
        pair("bert.attention.layer_norm_epsilon", F32, 1e-5),
        pair("bert.attention.causal", BOOL, 0),
        pair("bert.pooling_type", U32, POOLING[shape.pooling]),
        pair("tokenizer.ggml.model", STRING, "bert"),
        pair("tokenizer.ggml.pre", STRING, "default"),
        pair("tokenizer.ggml.token_type_count", U32, 2),
        array("tokenizer.ggml.tokens", STRING, tokens),
        array("tokenizer.ggml.token_type", I32, kinds),
        pair("tokenizer.ggml.bos_token_id", U32, CLS),
        pair("tokenizer.ggml.cls_token_id", U32, CLS),
        pair("tokenizer.ggml.unknown_token_id", U32, UNKNOWN),
        pair("tokenizer.ggml.seperator_token_id", U32, SEP),
        pair("tokenizer.ggml.padding_token_id", U32, PAD),
        pair("tokenizer.ggml.mask_token_id", U32, MASK),
    ]
    if shape.pooling == "rank":
        pairs.append(array("bert.classifier.output_labels", STRING, ["LABEL_0"]))
    return pairs
