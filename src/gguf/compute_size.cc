#include "gguf/compute_size.h"

#include <algorithm>

#include "gguf/architecture.h"
#include "gguf/cache_size.h"
#include "gguf/saturating.h"

namespace hf::gguf {
namespace {

constexpr std::uint64_t kFloat = 4;
constexpr std::uint64_t kHalf = 2;
constexpr std::uint64_t kBytesPerExpertRow = 8;
// Flash attention's tiles, per thread: 64 rows of queries, keys and values of a head, and scores.
constexpr std::uint64_t kTile = 64;

struct Widths {
  std::uint64_t embedding = 0;
  std::uint64_t feed_forward = 0;  // of one token: of all experts that it uses
  std::uint64_t experts = 0;       // whose results are alive side by side; 0: no experts
  std::uint64_t queries = 0;
  std::uint64_t keys = 0;  // keys and values together, of the widest layer
  std::uint64_t recurrent = 0;
  std::uint64_t heads = 0;
};

Widths widths_of(const Header& header) {
  Widths widths;
  widths.embedding = header.embedding_length;
  widths.feed_forward = header.feed_forward_length.largest();
  if (header.expert_count != 0) {
    const std::uint64_t each = header.expert_feed_forward_length != 0
                                   ? header.expert_feed_forward_length
                                   : header.feed_forward_length.largest();
    widths.experts = header.expert_used_count.largest();
    widths.feed_forward = std::max(widths.feed_forward, times(widths.experts, each));
  }
  for (std::uint32_t layer = 0; layer < header.block_count; ++layer) {
    for (const bool window : {false, true}) {
      const HeadSizes sizes = head_sizes(header, layer, window);
      widths.queries = std::max(widths.queries, sizes.queries);
      widths.keys = std::max(widths.keys, plus(sizes.keys, sizes.values));
    }
  }
  widths.recurrent = times(4, header.ssm_inner_size);
  widths.heads = header.head_count.largest();
  return widths;
}

// Numbers per token that are alive at once in the fuller half of a layer. In the feed-forward half:
// gate, up and their product, beside the residual stream, its norm and what was added to it. In the
// attention half: the stream and its norm, queries before and after their rotation, keys and values
// or what comes out.
std::uint64_t row_numbers(const Header& header, const Widths& w) {
  const std::uint64_t widest = std::max(w.embedding, w.queries);
  // BERT has no gate, and changes the one product where it lies.
  const bool gated = header.architecture != "bert";
  const std::uint64_t feed_forward =
      gated ? plus(times(3, w.feed_forward), times(3 + w.experts, w.embedding), widest)
            : plus(w.feed_forward, times(3, w.embedding));
  const std::uint64_t attention =
      plus(times(2, w.embedding), times(2, widest), std::max(w.embedding, w.keys));
  return plus(std::max(feed_forward, attention), w.recurrent);
}

// The engine has none for Grok, whatever it is told.
bool uses_flash_attention(const Header& header, const RunOptions& options) {
  return options.flash_attention && header.architecture != "grok";
}

// Those that a token may look at.
std::uint64_t visible_cells(std::uint64_t of_a_slot, const RunOptions& options) {
  return options.unified_cache ? times(of_a_slot, options.parallel) : of_a_slot;
}

// Attention masks: of whole contexts and, where there are windows, of those; without flash
// attention twice as wide, and the scores of every head in full.
std::uint64_t mask_bytes(const Header& header, const RunOptions& options) {
  const std::uint64_t number = uses_flash_attention(header, options) ? kHalf : kFloat;
  if (keeps_no_cache(header.architecture)) {
    const std::uint64_t kinds = effective_window(header) != 0 ? 2 : 1;
    return times(kinds, batch_rows(options), batch_rows(options), number);
  }
  std::uint64_t cells = slot_cells(options);
  if (needs_swa_full(header)) {
    cells = plus(cells, window_cells(header, options));
  }
  return times(batch_rows(options), visible_cells(cells, options), number);
}

std::uint64_t score_bytes(const Header& header, const Widths& w, const RunOptions& options) {
  return uses_flash_attention(header, options)
             ? times(options.threads, kTile, kFloat,
                     plus(times(3, w.queries / std::max<std::uint64_t>(w.heads, 1)),
                          times(2, kTile), kTile))
             : times(batch_rows(options), visible_cells(slot_cells(options), options), w.heads,
                     kFloat);
}

}  // namespace

std::uint64_t batch_rows(const RunOptions& options) {
  const std::uint64_t all = times(slot_cells(options), options.parallel);
  return std::min<std::uint64_t>({options.ubatch, options.batch, all});
}

std::uint64_t output_rows(const RunOptions& options) {
  return options.embeddings ? std::max<std::uint64_t>(batch_rows(options), options.parallel)
                            : options.parallel;
}

ComputeSize compute_size(const Header& header, const RunOptions& options) {
  const Widths widths = widths_of(header);
  const std::uint64_t rows = batch_rows(options);
  const std::uint64_t masks = mask_bytes(header, options);
  // Encoders compute no logits, but the engine makes (and clears) room for them all the same.
  const std::uint64_t computed = keeps_no_cache(header.architecture) ? 0 : header.vocab_size;
  const std::uint64_t embedding =
      options.embeddings ? std::max(header.embedding_length, header.embedding_length_out) : 0;
  ComputeSize size;
  size.outputs = times(output_rows(options), plus(header.vocab_size, embedding), kFloat);
  // The last product comes when the layers are done: it takes their place.
  const std::uint64_t last = plus(times(output_rows(options), plus(computed, embedding), kFloat),
                                  times(rows, widths.embedding, kFloat));
  const std::uint64_t layers = times(rows, row_numbers(header, widths), kFloat);
  // A product of matrices copies its input, in 16 bits or fewer, on the host only.
  const std::uint64_t widest = std::max({widths.feed_forward, widths.embedding, widths.queries});
  // With experts it also lists, for each of them, which rows it may get (ggml_graph_plan).
  const std::uint64_t copies =
      plus(times(rows, widest, kHalf),
           times(rows, header.expert_count, widths.experts, kBytesPerExpertRow));
  size.scratch =
      plus(std::max(layers, last), masks, plus(copies, score_bytes(header, widths, options)));
  size.inputs = plus(masks, times(rows, widths.embedding, kFloat));
  return size;
}

}  // namespace hf::gguf
