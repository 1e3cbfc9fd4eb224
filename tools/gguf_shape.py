"""What make_gguf.py writes: the dimensions of a model, and the tensors of its family.

`llama` is the plain one; `gemma3` has sliding windows, `qwen3moe` experts, `lfm2` layers that
convolve a few tokens instead of attending to all. Encoders and projectors are in files of their
own. Names and dimensions are those that the stock
engine asks for.
"""

import math

# name: (ggml type, weights per block, bytes per block, general.file_type)
TYPES = {
    "f32": (0, 1, 4, 0),
    "f16": (1, 1, 2, 1),
    "q4_0": (2, 32, 18, 2),
    "q8_0": (8, 32, 34, 7),
}


class Shape:
    """The dimensions of a model, chosen so that its file has about the size asked for."""

    CONVOLUTION = 3  # tokens that a convolving layer sees
    FAMILY = "llama"
    MATRICES = 3  # of a feed-forward network: gate, up and down

    def __init__(self, args):
        wanted = args.size
        steps = ((4e6, 64), (40e6, 256), (200e6, 512), (900e6, 1024), (6e9, 2048), (math.inf, 4096))
        self.embd = args.embd or next(width for limit, width in steps if wanted < limit)
        self.heads = args.heads or max(2, self.embd // 64)
        self.kv_heads = self.choose_kv_heads(args)
        self.type = args.type
        self.vocab = args.vocab
        self.experts = args.experts
        self.experts_used = min(4, args.experts)
        self.family = self.FAMILY
        if args.window > 0:
            self.family = "gemma3"
        elif args.experts > 0:
            self.family = "qwen3moe"
        elif args.convolutions:
            self.family = "lfm2"
        self.context = args.context
        self.layers = args.layers or 2
        self.ff = args.ff or self.embd * 11 // 4 // 64 * 64 or 64
        if self.embd % self.heads or self.heads % self.kv_heads or (self.embd // self.heads) % 2:
            raise SystemExit("make_gguf.py: embd must divide by heads (evenly), heads by kv-heads")
        if self.embd % 32 or self.ff % 32 or self.kv_width() % 32:
            raise SystemExit("make_gguf.py: embd, ff and the width of keys must be multiples of 32")
        if wanted and not args.layers:
            self.layers = max(1, round((wanted - self.fixed_bytes()) / self.layer_bytes()))
        if wanted and not args.ff:
            self.fit_ff(wanted)

    def choose_kv_heads(self, args):
        return args.kv_heads or (self.heads // 4 if self.heads % 4 == 0 else self.heads)

    def fit_ff(self, wanted):
        rest = (wanted - self.fixed_bytes()) / self.layers - self.attention_bytes()
        per_unit = self.MATRICES * self.embd * self.bytes_per_weight() * max(1, self.experts)
        self.ff = max(64, round(rest / per_unit / 32) * 32)

    def bytes_per_weight(self):
        _, weights, size, _ = TYPES[self.type]
        return size / weights

    def kv_width(self):
        return self.embd // self.heads * self.kv_heads

    def attention_bytes(self):
        return 2 * self.embd * (self.embd + self.kv_width()) * self.bytes_per_weight()

    def layer_bytes(self):
        feed_forward = self.MATRICES * self.embd * self.ff * self.bytes_per_weight()
        return self.attention_bytes() + feed_forward * max(1, self.experts)

    def fixed_bytes(self):
        return 2 * self.vocab * self.embd * (4 if self.type == "f32" else 2) + 64 * self.vocab

    def attends(self, layer):
        """Whether the layer looks at all tokens; else it convolves the last few."""
        return self.family != "lfm2" or layer % 4 == 3

    def tensors(self):
        """Yields (name, dims, type, kind) in file order."""
        wide = "f32" if self.type == "f32" else "f16"
        yield "token_embd.weight", (self.embd, self.vocab), wide, "embedding"
        for i in range(self.layers):
            b = f"blk.{i}."
            yield b + "attn_norm.weight", (self.embd,), "f32", "ones"
            yield from self.attention(b) if self.attends(i) else self.convolution(b)
            yield b + "ffn_norm.weight", (self.embd,), "f32", "ones"
            yield from self.feed_forward(b)
        last = "token_embd_norm.weight" if self.family == "lfm2" else "output_norm.weight"
        yield last, (self.embd,), "f32", "ones"
        yield "output.weight", (self.embd, self.vocab), wide, "output"

    def attention(self, b):
        head = self.embd // self.heads
        yield b + "attn_q.weight", (self.embd, self.embd), self.type, "matrix"
        yield b + "attn_k.weight", (self.embd, self.kv_width()), self.type, "matrix"
        yield b + "attn_v.weight", (self.embd, self.kv_width()), self.type, "matrix"
        yield b + "attn_output.weight", (self.embd, self.embd), self.type, "residual"
        if self.family != "llama":
            yield b + "attn_q_norm.weight", (head,), "f32", "ones"
            yield b + "attn_k_norm.weight", (head,), "f32", "ones"
        if self.family == "gemma3":
            yield b + "post_attention_norm.weight", (self.embd,), "f32", "post_norm"
            yield b + "post_ffw_norm.weight", (self.embd,), "f32", "post_norm"

    def convolution(self, b):
        yield b + "shortconv.conv.weight", (self.CONVOLUTION, self.embd), "f32", "matrix"
        yield b + "shortconv.in_proj.weight", (self.embd, 3 * self.embd), self.type, "matrix"
        yield b + "shortconv.out_proj.weight", (self.embd, self.embd), self.type, "residual"

    def feed_forward(self, b):
        into, out = (self.embd, self.ff), (self.ff, self.embd)
        suffix = ".weight"
        if self.experts:
            yield b + "ffn_gate_inp.weight", (self.embd, self.experts), "f32", "matrix"
            into, out = (*into, self.experts), (*out, self.experts)
            suffix = "_exps.weight"
        yield b + "ffn_gate" + suffix, into, self.type, "matrix"
        yield b + "ffn_up" + suffix, into, self.type, "matrix"
        yield b + "ffn_down" + suffix, out, self.type, "residual"
