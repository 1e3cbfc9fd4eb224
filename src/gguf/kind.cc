#include "gguf/kind.h"

#include <algorithm>
#include <string_view>

#include "gguf/architecture.h"

namespace hf::gguf {
namespace {

// More context than this is rarely used and would cost memory that other models need.
constexpr std::uint32_t kContextMax = 32'768;
// The masks of an encoder's batch grow with its square: 512 MB here.
constexpr std::uint32_t kEncoderContextMax = 8'192;
// Others get a row of the whole vocabulary for each token: 1.2 GB here, for one of 150,000 words.
constexpr std::uint32_t kPooledContextMax = 2'048;
constexpr std::int64_t kCacheShare = 8;

// Encoders: they embed even when an old file does not state a pooling type.
constexpr std::string_view kEncoders[] = {
    "bert",     "jina-bert-v2", "jina-bert-v3", "nomic-bert",      "nomic-bert-moe", "neo-bert",
    "eurobert", "modern-bert",  "llama-embed",  "gemma-embedding", "t5encoder",
};

}  // namespace

Kind kind_of(const Header& header) {
  const Pooling pooling = header.pooling.value_or(Pooling::None);
  if (pooling == Pooling::Rank) {
    return Kind::Reranker;
  }
  const bool encoder = std::find(std::begin(kEncoders), std::end(kEncoders), header.architecture) !=
                       std::end(kEncoders);
  if (encoder || pooling != Pooling::None) {
    return Kind::Embedding;
  }
  return header.has_chat_template ? Kind::Chat : Kind::Completion;
}

// As the engine has it: only what is pooled by the last token, and kept in a cache, can be split.
bool reads_at_one_go(const Header& header) {
  const Kind kind = kind_of(header);
  const bool splits = header.pooling == Pooling::Last && !keeps_no_cache(header.architecture);
  return (kind == Kind::Embedding || kind == Kind::Reranker) && !splits;
}

std::uint32_t default_context(const Header& header) {
  std::uint32_t most = kContextMax;
  if (reads_at_one_go(header)) {
    most = keeps_no_cache(header.architecture) ? kEncoderContextMax : kPooledContextMax;
  }
  return header.context_length == 0 ? most : std::min(header.context_length, most);
}

Bytes default_cache_ram(Bytes weights) {
  return std::clamp(Bytes(weights.count / kCacheShare), 64 * kMiB, 2 * kGiB);
}

}  // namespace hf::gguf
