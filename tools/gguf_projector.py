"""Image projectors as make_gguf.py writes them: a small vision transformer of Gemma 3's kind.

An image is scaled to a square, cut into patches, and every MERGE × MERGE of them become one token
as wide as those of the language model.
"""

from gguf_format import BOOL, F32, STRING, U32, array, pair
from gguf_shape import TYPES


class Projector:
    def __init__(self, args):
        self.family = "clip"
        self.type = args.type
        self.image, self.patch, self.merge = args.image, args.patch, args.merge
        self.embd = args.embd or 64
        self.heads = args.heads or max(2, self.embd // 64)
        self.kv_heads = self.heads
        self.ff = args.ff or self.embd * 4
        self.layers = args.layers or 2
        self.out = args.project_to
        self.context = (self.image // self.patch) ** 2
        self.vocab = 0
        if self.image % (self.patch * self.merge):
            raise SystemExit("make_gguf.py: the image must divide by patch times merge")
        if self.embd % 32 or self.ff % 32 or self.embd % self.heads:
            raise SystemExit("make_gguf.py: embd and ff must be multiples of 32, embd of heads")

    def tensors(self):
        """Yields (name, dims, type, kind) in file order."""
        patch = (self.patch, self.patch, 3, self.embd)
        yield "v.patch_embd.weight", patch, "f16", "kernel"
        yield "v.patch_embd.bias", (self.embd,), "f32", "zeros"
        yield "v.position_embd.weight", (self.embd, self.context), "f32", "matrix"
        for i in range(self.layers):
            b = f"v.blk.{i}."
            yield from self.norm(b + "ln1")
            for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
                yield from self.linear(b + name, self.embd, self.embd)
            yield from self.norm(b + "ln2")
            yield from self.linear(b + "ffn_up", self.embd, self.ff)
            yield from self.linear(b + "ffn_down", self.ff, self.embd)
        yield from self.norm("v.post_ln")
        yield "mm.soft_emb_norm.weight", (self.embd,), "f32", "ones"
        yield "mm.input_projection.weight", (self.out, self.embd), "f16", "matrix"

    def linear(self, name, into, out):
        yield name + ".weight", (into, out), self.type, "matrix"
        yield name + ".bias", (out,), "f32", "zeros"

    def norm(self, name):
        yield name + ".weight", (self.embd,), "f32", "ones"
        yield name + ".bias", (self.embd,), "f32", "zeros"


def metadata(args, shape):
    return [
        pair("general.architecture", STRING, "clip"),
        pair("general.type", STRING, "mmproj"),
        pair("general.name", STRING, args.name),
        pair("general.file_type", U32, TYPES[shape.type][3]),
        pair("clip.projector_type", STRING, "gemma3"),
        pair("clip.has_vision_encoder", BOOL, 1),
        pair("clip.use_gelu", BOOL, 1),
        pair("clip.vision.image_size", U32, shape.image),
        pair("clip.vision.patch_size", U32, shape.patch),
        pair("clip.vision.embedding_length", U32, shape.embd),
        pair("clip.vision.feed_forward_length", U32, shape.ff),
        pair("clip.vision.projection_dim", U32, shape.out),
        pair("clip.vision.block_count", U32, shape.layers),
        pair("clip.vision.attention.head_count", U32, shape.heads),
        pair("clip.vision.attention.layer_norm_epsilon", F32, 1e-6),
        pair("clip.vision.projector.scale_factor", U32, shape.merge),
        array("clip.vision.image_mean", F32, [0.5, 0.5, 0.5]),
        array("clip.vision.image_std", F32, [0.5, 0.5, 0.5]),
    ]
