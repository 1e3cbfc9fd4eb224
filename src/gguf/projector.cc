#include "gguf/projector.h"

#include <algorithm>
#include <string_view>

#include "gguf/run_options.h"
#include "gguf/saturating.h"

namespace hf::gguf {
namespace {

constexpr std::uint64_t kFloat = 4;
constexpr std::uint64_t kColours = 3;

// Kinds that scale a picture to any shape: tokens that one has at most, and patches of a token's
// side, if the file does not state it.
struct Flexible {
  std::string_view type;
  std::uint32_t tokens;
  std::uint32_t merge;
};
constexpr Flexible kFlexible[] = {
    {"gemma4v", 1'120, 3},      {"gemma4uv", 1'120, 3},       {"glm4v", 4'096, 2},
    {"hunyuanvl", 16'384, 2},   {"kimik25", 4'096, 2},        {"kimivl", 1'024, 2},
    {"lfm2", 256, 2},           {"deepseek4v", 384, 2},       {"minimax_m3", 576, 2},
    {"muse-glimmer", 4'096, 2}, {"pixtral", 1'024, 1},        {"qwen2.5vl_merger", 4'096, 2},
    {"qwen2.5o", 4'096, 2},     {"qwen2vl_merger", 4'096, 2}, {"qwen3vl_merger", 4'096, 2},
    {"youtuvl", 62'500, 2},
};

// Patches of a token's side for kinds with a fixed picture, if the file does not state it.
constexpr std::uint32_t kGemma3Merge = 4;

const Flexible* flexible(const ProjectorShape& projector) {
  const auto* const found =
      std::find_if(std::begin(kFlexible), std::end(kFlexible),
                   [&](const Flexible& kind) { return kind.type == projector.type; });
  return found == std::end(kFlexible) ? nullptr : found;
}

std::uint64_t merge_of(const ProjectorShape& projector) {
  const std::uint32_t stated = std::max(projector.scale_factor, projector.spatial_merge);
  if (stated != 0) {
    return stated;
  }
  const Flexible* const kind = flexible(projector);
  if (kind != nullptr) {
    return kind->merge;
  }
  return projector.type == "gemma3" ? kGemma3Merge : 1;
}

}  // namespace

PictureSize largest_picture(const ProjectorShape& projector, std::uint32_t context) {
  PictureSize size;
  if (projector.sees == 0 || projector.patch_size == 0) {
    return size;
  }
  const std::uint64_t merge = merge_of(projector);
  const std::uint64_t area = times(projector.patch_size, projector.patch_size);
  const std::uint64_t side = projector.image_size / projector.patch_size;
  size.patches = times(side, side);
  if (const Flexible* const kind = flexible(projector)) {
    size.patches = std::max(size.patches, times(kind->tokens, merge, merge));
  }
  size.patches = std::max(size.patches, projector.pixels_max / area);
  size.patches = std::min(size.patches, times(context, merge, merge));
  size.tokens = size.patches / times(merge, merge);
  return size;
}

bool takes_picture_at_one_go(const ProjectorShape& projector) {
  return projector.type == "gemma3" || projector.type == "gemma4v" ||
         projector.type == "gemma4uv" || projector.type == "deepseek4v";
}

PictureMemory picture_memory(const ProjectorShape& projector, Bytes weights,
                             const RunOptions& options) {
  PictureMemory memory;
  const PictureSize size = largest_picture(projector, options.context);
  // For sounds, and for kinds whose shape is not known: a quarter of the projector's size.
  memory.compute = to_bytes(count_of(weights) / 4);
  if (size.patches == 0) {
    return memory;
  }
  const std::uint64_t pixels = times(size.patches, projector.patch_size, projector.patch_size);
  // Of each patch: the stream, its norm, queries, keys and values, and those two in half width;
  // what a feed-forward network makes of it, and the copy of that in half width which the next
  // product takes; its pixels as they go in, and in half width as the first product takes them.
  const std::uint64_t numbers =
      plus(times(9, projector.embedding_length) / 2, times(3, projector.feed_forward_length) / 2,
           times(kColours * 3, projector.patch_size, projector.patch_size) / 2);
  std::uint64_t compute = times(size.patches, numbers, kFloat);
  if (!options.flash_attention) {
    compute = plus(compute, times(size.patches, size.patches, projector.head_count, kFloat));
  }
  memory.compute = std::max(memory.compute, to_bytes(compute));
  // As they come: three bytes a pixel, and three more while one is decoded. As they are computed:
  // a number for each colour, once in each slot whose prompt has them, and in four copies on their
  // way there.
  constexpr std::uint64_t kBytesPerPixel = 6;
  constexpr std::uint64_t kCopies = 4;
  const std::uint64_t decoding = times(kPixelsPerSlot, kBytesPerPixel);
  const std::uint64_t kept =
      times(plus(options.parallel, kCopies), kPicturesPerSlot, times(pixels, kColours, kFloat));
  memory.decoding = to_bytes(decoding);
  memory.host = to_bytes(plus(times(options.parallel, decoding), kept));
  return memory;
}

}  // namespace hf::gguf
