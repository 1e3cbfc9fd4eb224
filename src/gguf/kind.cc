#include "gguf/kind.h"

#include <algorithm>
#include <string_view>

#include "gguf/architecture.h"
#include "gguf/saturating.h"

namespace hf::gguf {
namespace {

// More context than this is rarely used and would cost memory that other models need.
constexpr std::uint32_t kContextMax = 32'768;
// Where a batch must hold all of a context. The masks of an encoder's batch grow with its square:
// 128 MB here. Others also keep a cache.
constexpr std::uint32_t kEncoderContextMax = 8'192;
constexpr std::uint32_t kPooledContextMax = 2'048;
// Each token of such a batch gets a row of the whole vocabulary: it may take this, if more than the
// least context fits into it. With 30,000 words that is 8,192 tokens, with 250,000 it is 1,024.
constexpr std::uint64_t kRowsBytesMax = 1'250'000'000;
constexpr std::uint32_t kAtOneGoContextLeast = 512;
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
    while (most > kAtOneGoContextLeast && times(most, header.vocab_size, 4) > kRowsBytesMax) {
      most /= 2;
    }
  }
  return header.context_length == 0 ? most : std::min(header.context_length, most);
}

Bytes default_cache_ram(Bytes weights) {
  return std::clamp(Bytes(weights.count / kCacheShare), 64 * kMiB, 2 * kGiB);
}

}  // namespace hf::gguf
