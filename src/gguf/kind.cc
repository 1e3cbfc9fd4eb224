#include "gguf/kind.h"

#include <algorithm>
#include <string_view>

namespace hf::gguf {
namespace {

// More context than this is rarely used and would cost memory that other models need.
constexpr std::uint32_t kContextMax = 32'768;
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

std::uint32_t default_context(const Header& header) {
  return header.context_length == 0 ? kContextMax : std::min(header.context_length, kContextMax);
}

Bytes default_cache_ram(Bytes weights) {
  return std::clamp(Bytes(weights.count / kCacheShare), 64 * kMiB, 2 * kGiB);
}

}  // namespace hf::gguf
