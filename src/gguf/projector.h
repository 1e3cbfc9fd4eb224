#pragma once
// The part of a model that turns pictures and sounds into tokens: a file of its own (mmproj), of
// architecture "clip". Here is what its header states, and what a picture takes by it. Pure; any
// thread. Source: clip_model_loader and the graphs of tools/mtmd in llama.cpp v0.5.0; the factors
// are measured (docs/memory.md).

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace hf::gguf {

struct RunOptions;

struct ProjectorShape {
  std::string type;  // "gemma3", "qwen2.5vl_merger", …
  std::uint32_t sees = 0;
  std::uint32_t hears = 0;
  std::uint32_t image_size = 0;  // pixels of a side
  std::uint32_t patch_size = 0;
  std::uint32_t scale_factor = 0;   // patches of a token's side, by one name…
  std::uint32_t spatial_merge = 0;  // …or the other; 0: not stated
  std::uint32_t pixels_max = 0;     // of a picture as it is computed; 0: not stated
  std::uint32_t embedding_length = 0;
  std::uint32_t feed_forward_length = 0;
  std::uint32_t head_count = 0;
};

// The largest picture, once it is scaled as the projector wants it. Others are never larger, but
// some kinds cut a picture into several of these.
struct PictureSize {
  std::uint64_t patches = 0;
  std::uint64_t tokens = 0;
};
// `context`: tokens of one request, which no picture can exceed.
PictureSize largest_picture(const ProjectorShape& projector, std::uint32_t context);

// True if the engine computes the tokens of a picture in one batch, whole, and ends if they do not
// fit: its batch must be as large.
bool takes_picture_at_one_go(const ProjectorShape& projector);

// Pictures of a request that are counted for each slot, and their pixels as they come: a phone's
// photograph has twelve million. More is the child's debt, and what was seen counts next time.
constexpr std::uint64_t kPicturesPerSlot = 2;
constexpr std::uint64_t kPixelsPerSlot = 12'000'000;

struct PictureMemory {
  Bytes compute;   // of the projector, where its weights are
  Bytes decoding;  // pixels as they come, of one slot
  Bytes host;      // pixels of all slots: as they come, as they are computed, as prompts keep them

  // With the projector on the host: what one slot computes takes the place of what it decoded.
  Bytes all_on_host() const { return host + std::max(Bytes(0), compute - decoding); }
};
// `weights`: the projector's.
PictureMemory picture_memory(const ProjectorShape& projector, Bytes weights,
                             const RunOptions& options);

}  // namespace hf::gguf
