#pragma once
// Builds the bytes of small GGUF files for tests, valid or wrong on purpose: nothing is checked.
// Test code only; header only.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hf::gguf::testing {

class GgufBuilder {
 public:
  explicit GgufBuilder(std::uint32_t version = 3) : version_(version) {}

  GgufBuilder& text(std::string_view key, std::string_view value) {
    begin_pair(key, 8);
    put_text(pairs_, value);
    return *this;
  }
  GgufBuilder& u32(std::string_view key, std::uint32_t value) {
    begin_pair(key, 4);
    put(pairs_, value, 4);
    return *this;
  }
  GgufBuilder& i32(std::string_view key, std::int32_t value) {
    begin_pair(key, 5);
    put(pairs_, static_cast<std::uint32_t>(value), 4);
    return *this;
  }
  GgufBuilder& u32s(std::string_view key, const std::vector<std::uint32_t>& values) {
    begin_array(key, 4, values.size());
    for (const std::uint32_t value : values) {
      put(pairs_, value, 4);
    }
    return *this;
  }
  GgufBuilder& texts(std::string_view key, const std::vector<std::string>& values) {
    begin_array(key, 8, values.size());
    for (const std::string& value : values) {
      put_text(pairs_, value);
    }
    return *this;
  }
  // The head of an array whose elements the caller writes, or leaves out.
  GgufBuilder& begin_array(std::string_view key, std::uint32_t type, std::uint64_t count) {
    begin_pair(key, 9);
    put(pairs_, type, 4);
    put(pairs_, count, 8);
    return *this;
  }
  GgufBuilder& raw(std::uint64_t value, int width) {
    put(pairs_, value, width);
    return *this;
  }
  GgufBuilder& tensor(std::string_view name, const std::vector<std::uint64_t>& extents,
                      std::uint32_t type, std::uint64_t offset) {
    ++tensor_count_;
    put_text(tensors_, name);
    put(tensors_, extents.size(), 4);
    for (const std::uint64_t extent : extents) {
      put(tensors_, extent, 8);
    }
    put(tensors_, type, 4);
    put(tensors_, offset, 8);
    return *this;
  }
  GgufBuilder& claim_pairs(std::uint64_t count) {
    pair_count_ = count;
    return *this;
  }
  GgufBuilder& claim_tensors(std::uint64_t count) {
    tensor_count_ = count;
    return *this;
  }

  // The header, padded to 32 bytes, then `data_bytes` zeros.
  std::vector<std::byte> build(std::size_t data_bytes = 0) const {
    std::string all = "GGUF";
    put(all, version_, 4);
    put(all, tensor_count_, 8);
    put(all, pair_count_, 8);
    all += pairs_ + tensors_;
    all.resize((all.size() + 31) / 32 * 32 + data_bytes);
    const auto bytes = std::as_bytes(std::span(all));
    return {bytes.begin(), bytes.end()};
  }

 private:
  static void put(std::string& into, std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) {
      into.push_back(static_cast<char>(value >> (8 * i) & 0xFFU));
    }
  }
  static void put_text(std::string& into, std::string_view value) {
    put(into, value.size(), 8);
    into += value;
  }
  void begin_pair(std::string_view key, std::uint32_t type) {
    ++pair_count_;
    put_text(pairs_, key);
    put(pairs_, type, 4);
  }

  std::uint32_t version_;
  std::uint64_t pair_count_ = 0;
  std::uint64_t tensor_count_ = 0;
  std::string pairs_;
  std::string tensors_;
};

// A llama of two layers: 64 wide, 4 heads over 2, with a vocabulary of three tokens. 4,352 bytes of
// data.
inline GgufBuilder small_llama() {
  GgufBuilder builder;
  builder.text("general.architecture", "llama")
      .text("general.name", "Small")
      .u32("general.file_type", 1)
      .u32("llama.context_length", 4096)
      .u32("llama.embedding_length", 64)
      .u32("llama.block_count", 2)
      .u32("llama.feed_forward_length", 128)
      .u32("llama.attention.head_count", 4)
      .u32("llama.attention.head_count_kv", 2)
      .texts("tokenizer.ggml.tokens", {"a", "b", "c"})
      .texts("tokenizer.ggml.merges", {"a b", "b c"})
      .text("tokenizer.chat_template", "{{ messages }}")
      .tensor("token_embd.weight", {64, 3}, 0, 0)
      .tensor("blk.0.attn_q.weight", {64, 8}, 1, 768)
      .tensor("blk.1.attn_q.weight", {64, 8}, 1, 1792)
      .tensor("blk.1.ffn_up.weight", {64, 8}, 8, 2816)
      .tensor("output.weight", {64, 3}, 1, 3360);
  return builder;
}
constexpr std::size_t kSmallLlamaData = 4'352;

}  // namespace hf::gguf::testing
