#include "gguf/tensors.h"

#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/utf8.h"

namespace hf::gguf {
namespace {

// The largest models have a few thousand; one takes at least 25 bytes of header.
constexpr std::uint64_t kTensorsMax = 262'144;
constexpr std::uint64_t kTensorNameBytesMax = 63;  // GGML_MAX_NAME holds a final zero too
constexpr std::uint32_t kDimensionsMax = 4;        // GGML_MAX_DIMS
// Rows are interleaved in eights by the CPU backend's layouts; other matrices stay as they are.
constexpr std::uint64_t kInterleavedRows = 8;

struct Tensor {
  std::string name;
  std::uint32_t dimensions = 0;
  std::uint64_t extent[kDimensionsMax] = {1, 1, 1, 1};
  std::uint32_t type = 0;
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
  std::uint64_t offset = 0;
};

// The N of "blk.N.…"; nothing for other tensors.
std::optional<std::uint32_t> layer_of(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) {
    return std::nullopt;
  }
  name.remove_prefix(kPrefix.size());
  std::uint32_t layer = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), layer);
  if (error != std::errc() || end == name.data() + name.size() || *end != '.') {
    return std::nullopt;
  }
  return layer;
}

// Elements of the tensor; nothing when they do not fit into 63 bits, as the engine demands.
std::optional<std::uint64_t> elements_of(const Tensor& tensor) {
  std::uint64_t product = 1;
  for (const std::uint64_t extent : tensor.extent) {
    if (__builtin_mul_overflow(product, extent, &product) ||
        product > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return std::nullopt;
    }
  }
  return product;
}

// Names come from outside, and errors go to terminals and logs.
std::string shown(const Tensor& tensor) {
  return is_printable(tensor.name) ? "tensor " + tensor.name : "a tensor";
}

void measure(Cursor& cursor, Tensor& tensor) {
  const auto type = find_tensor_type(tensor.type);
  if (!type) {
    cursor.fail_with(Errc::Unsupported, "tensor type " + std::to_string(tensor.type) +
                                            " is not known to this version");
    return;
  }
  const auto elements = elements_of(tensor);
  const auto bytes = elements ? bytes_of(*type, *elements) : std::nullopt;
  if (!bytes || tensor.extent[0] % type->block_weights != 0) {
    cursor.fail_with(Errc::Corrupt, shown(tensor) + " has an impossible shape");
    return;
  }
  tensor.elements = *elements;
  tensor.bytes = *bytes;
}

Tensor take_tensor(Cursor& cursor) {
  Tensor tensor;
  tensor.name = cursor.take_string(kTensorNameBytesMax);
  tensor.dimensions = cursor.take_u32();
  if (cursor.ok() && tensor.dimensions > kDimensionsMax) {
    cursor.fail_with(Errc::Corrupt, shown(tensor) + " has too many dimensions");
  }
  for (std::uint32_t i = 0; i < tensor.dimensions && cursor.ok(); ++i) {
    tensor.extent[i] = cursor.take_u64();
  }
  tensor.type = cursor.take_u32();
  tensor.offset = cursor.take_u64();
  if (cursor.ok()) {
    measure(cursor, tensor);
  }
  return tensor;
}

void add_to_summary(const Tensor& tensor, TensorSummary& summary) {
  const Bytes bytes(static_cast<std::int64_t>(tensor.bytes));
  summary.total += bytes;
  summary.weights += tensor.elements;  // fewer than eight times the bytes, which are bounded
  if (const auto layer = layer_of(tensor.name); layer && *layer < summary.layers.size()) {
    summary.layers[*layer] += bytes;
  }
  if (tensor.name == "token_embd.weight") {
    summary.token_embedding = bytes;
    summary.token_embedding_type = tensor.type;
    return;
  }
  if (tensor.name == "output.weight") {
    summary.output = bytes;
  }
  if (tensor.dimensions >= 2 && tensor.extent[1] % kInterleavedRows == 0) {
    summary.matrices[tensor.type] += bytes;
  }
}

}  // namespace

void read_tensors(Cursor& cursor, std::uint64_t tensor_count, std::uint32_t alignment,
                  Header& header) {
  if (tensor_count > kTensorsMax) {
    cursor.fail_with(Errc::Corrupt, "too many tensors: " + std::to_string(tensor_count));
    return;
  }
  TensorSummary& summary = header.tensors;
  summary.count = tensor_count;
  // A later part does not say how many layers the model has.
  summary.layers.resize(header.split_no > 0 ? kLayersMax : header.block_count);
  const std::uint64_t size = cursor.position() + cursor.remaining();
  std::uint64_t data_end = 0;  // of the tensor that ends last, from the start of the data
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < tensor_count && cursor.ok(); ++i) {
    const Tensor tensor = take_tensor(cursor);
    if (!cursor.ok()) {
      return;
    }
    std::uint64_t end = 0;
    // More bytes than the file has: also where tensors overlap to make a small file look huge.
    if (__builtin_add_overflow(tensor.offset, tensor.bytes, &end) || end > size ||
        __builtin_add_overflow(sum, tensor.bytes, &sum) || sum > size) {
      cursor.fail_with(Errc::Corrupt, "truncated: " + shown(tensor) + " lies beyond the end");
      return;
    }
    if (tensor.offset % alignment != 0) {
      cursor.fail_with(Errc::Corrupt, shown(tensor) + " is not aligned");
      return;
    }
    data_end = std::max(data_end, end);
    add_to_summary(tensor, summary);
  }
  if (!cursor.ok()) {
    return;
  }
  const std::uint64_t position = cursor.position();
  header.data_offset = position + (alignment - position % alignment) % alignment;
  if (tensor_count > 0 && (header.data_offset > size || data_end > size - header.data_offset)) {
    cursor.fail_with(Errc::Corrupt, "truncated: the file ends before its tensors do");
  }
}

}  // namespace hf::gguf
