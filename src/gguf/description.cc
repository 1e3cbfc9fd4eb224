#include "gguf/description.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <string_view>

#include "base/utf8.h"
#include "gguf/cursor.h"
#include "gguf/tensor_type.h"
#include "gguf/value_type.h"

namespace hf::gguf {
namespace {

constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF", little endian
constexpr std::uint64_t kPairsMax = 65'536;
constexpr std::uint64_t kTensorsMax = 262'144;
constexpr std::uint64_t kKeyBytesMax = 65'535;
constexpr std::uint32_t kDimensionsMax = 4;
constexpr std::uint64_t kTensorNameBytesMax = 63;
// Texts of a file: the longest templates have some 30 kB, licences some 15.
constexpr std::uint64_t kTextBytesMax = 1024 * 1024;
// Lists of a brief description: tags, languages. More are vocabularies.
constexpr std::uint64_t kBriefElementsMax = 5;
// What a description may hold in all: the largest vocabularies have some 10 MB.
constexpr std::uint64_t kKeptBytesMax = 64ULL * 1024 * 1024;

// By these the engine knows a model that fills in (llama-vocab.cpp).
constexpr std::array<std::string_view, 2> kFillInKeys{"tokenizer.ggml.fim_pre_token_id",
                                                      "tokenizer.ggml.prefix_token_id"};
constexpr std::array<std::string_view, 8> kFillInTokens{
    "<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>",    "<｜fim▁begin｜>",
    "<PRE>",          "▁<PRE>",       "<|code_prefix|>", "<|prefix|>"};

template <class Names>
bool is_among(std::string_view name, const Names& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class DescriptionReader {
 public:
  DescriptionReader(Cursor& cursor, Detail detail) : cursor_(cursor), detail_(detail) {}

  Description read() {
    if (cursor_.take_u32() != kMagic) {
      cursor_.fail_with(Errc::Corrupt, "not a GGUF file");
    }
    cursor_.take_u32();  // the version: the file was read before
    const std::uint64_t tensors = cursor_.take_u64();
    const std::uint64_t pairs = cursor_.take_u64();
    if (pairs > kPairsMax || tensors > kTensorsMax) {
      cursor_.fail_with(Errc::Corrupt, "too many keys or tensors");
    }
    for (std::uint64_t i = 0; i < pairs && cursor_.ok(); ++i) {
      read_pair();
    }
    if (detail_ == Detail::Whole) {
      for (std::uint64_t i = 0; i < tensors && cursor_.ok(); ++i) {
        read_tensor();
      }
    }
    return std::move(found_);
  }

 private:
  void read_pair() {
    const std::string key = valid_utf8(cursor_.take_string(kKeyBytesMax));
    const std::uint32_t type = cursor_.take_u32();
    if (is(type, ValueType::Array)) {
      return read_list(key);
    }
    std::optional<Scalar> value = take_scalar(type);
    if (!value || !cursor_.ok()) {
      return;
    }
    found_.fills_in = found_.fills_in || is_among(key, kFillInKeys);
    if (key == "tokenizer.chat_template") {
      if (std::string* text = std::get_if<std::string>(&*value)) {
        found_.chat_template = std::move(*text);
      }
      return;
    }
    std::visit([&](auto& scalar) { keep(key, Value(std::move(scalar))); }, *value);
  }

  void keep(const std::string& key, Value value) {
    found_.values.emplace_back(key, std::move(value));
  }

  // Nothing if it is too large, or (and then the cursor has failed) of no known type.
  std::optional<Scalar> take_scalar(std::uint32_t type) {
    if (is(type, ValueType::String)) {
      return take_text();
    }
    const std::size_t width = width_of(type);
    if (width == 0) {
      cursor_.fail_with(Errc::Corrupt, "value type " + std::to_string(type) + " does not exist");
      return std::nullopt;
    }
    const std::uint64_t raw = cursor_.take_little_endian(width);
    if (is(type, ValueType::Bool)) {
      return raw != 0;
    }
    if (is(type, ValueType::F32)) {
      return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(raw)));
    }
    if (is(type, ValueType::F64)) {
      return std::bit_cast<double>(raw);
    }
    if (is(type, ValueType::U64)) {
      return raw;
    }
    return signed_of(type, raw);
  }

  std::optional<Scalar> take_text() {
    const std::uint64_t length = cursor_.take_u64();
    if (length > cursor_.remaining()) {
      cursor_.fail_with(Errc::Corrupt, "truncated");
      return std::nullopt;
    }
    if (length > kTextBytesMax || !room_for(length)) {
      cursor_.skip(length);
      return std::nullopt;
    }
    return valid_utf8(cursor_.take_bytes(length));
  }

  bool room_for(std::uint64_t bytes) {
    kept_bytes_ += bytes + sizeof(Scalar);
    return kept_bytes_ <= kKeptBytesMax;
  }

  void read_list(const std::string& key) {
    const std::uint32_t type = cursor_.take_u32();
    const std::uint64_t count = cursor_.take_u64();
    if (!cursor_.ok() || is(type, ValueType::Array)) {
      // The format has lists of lists, models have not.
      cursor_.fail_with(Errc::Unsupported, "a list of lists");
      return;
    }
    const std::size_t width = width_of(type);
    if (count > cursor_.remaining() / (width != 0 ? width : sizeof(std::uint64_t))) {
      cursor_.fail_with(Errc::Corrupt, "truncated");
      return;
    }
    List list;
    list.count = count;
    const bool kept = detail_ == Detail::Whole || count <= kBriefElementsMax;
    const bool vocabulary = key == "tokenizer.ggml.tokens";
    if (!kept && width != 0) {
      cursor_.skip(count * width);
    } else if (!kept && !vocabulary) {
      for (std::uint64_t i = 0; i < count && cursor_.ok(); ++i) {
        cursor_.skip_string();
      }
    } else {
      read_elements(type, kept, vocabulary, list);
    }
    keep(key, std::move(list));
  }

  void read_elements(std::uint32_t type, bool kept, bool vocabulary, List& list) {
    bool all = kept;
    for (std::uint64_t i = 0; i < list.count && cursor_.ok(); ++i) {
      const std::uint64_t before = kept_bytes_;
      std::optional<Scalar> element = take_scalar(type);
      const std::string* text = element ? std::get_if<std::string>(&*element) : nullptr;
      if (vocabulary && text != nullptr && is_among(*text, kFillInTokens)) {
        found_.fills_in = true;
      }
      if (!all) {
        kept_bytes_ = before;
      } else if (!element || !room_for(0)) {
        all = false;
        list.elements.clear();
      } else {
        list.elements.push_back(std::move(*element));
      }
    }
  }

  void read_tensor() {
    TensorDescription tensor;
    tensor.name = valid_utf8(cursor_.take_string(kTensorNameBytesMax));
    const std::uint32_t dimensions = cursor_.take_u32();
    if (dimensions > kDimensionsMax) {
      cursor_.fail_with(Errc::Corrupt, "a tensor with too many dimensions");
      return;
    }
    for (std::uint32_t i = 0; i < dimensions; ++i) {
      tensor.extents.push_back(cursor_.take_u64());
    }
    const std::uint32_t type = cursor_.take_u32();
    cursor_.take_u64();  // where it lies
    if (const auto known = find_tensor_type(type)) {
      tensor.type = known->name;
    }
    found_.tensors.push_back(std::move(tensor));
  }

  Cursor& cursor_;
  Detail detail_;
  Description found_;
  std::uint64_t kept_bytes_ = 0;
};

}  // namespace

Result<Description> parse_description(ByteSource& source, Detail detail) {
  Cursor cursor(source);
  Description description = DescriptionReader(cursor, detail).read();
  if (!cursor.ok()) {
    return fail(cursor.error());
  }
  return description;
}

Result<Description> read_description(const std::filesystem::path& path, Detail detail) {
  auto file = FileSource::open(path);
  if (!file) {
    return fail(std::move(file).error());
  }
  return parse_description(*file, detail);
}

}  // namespace hf::gguf
