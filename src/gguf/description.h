#pragma once
// What a model file says of itself, for people and for clients that ask: its keys and values, its
// chat template, its tensors. Apart from Header, which keeps the few numbers that decide something
// and is held for every model: this is read when somebody asks and thrown away. The file is
// untrusted: what is kept is bounded, and bytes that are no UTF-8 are replaced in its texts. Pure
// apart from the reads; any thread.

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "gguf/byte_source.h"

namespace hf::gguf {

using Scalar = std::variant<bool, std::int64_t, std::uint64_t, double, std::string>;

struct List {
  std::uint64_t count = 0;       // in the file
  std::vector<Scalar> elements;  // all of them, or none

  bool operator==(const List&) const = default;
};

using Value = std::variant<bool, std::int64_t, std::uint64_t, double, std::string, List>;

struct TensorDescription {
  std::string name;
  std::string type;  // "Q4_K"
  std::vector<std::uint64_t> extents;
};

struct Description {
  std::vector<std::pair<std::string, Value>> values;  // as they stand in the file
  std::string chat_template;                          // "": none
  bool fills_in = false;                   // it has tokens for a text between a prefix and a suffix
  std::vector<TensorDescription> tensors;  // only of a whole description
};

enum class Detail {
  Brief,  // long lists (vocabularies) without their elements, no tensors
  Whole,
};

// Errors: as parse_header(). Of values that are too large to be kept the key is left out.
Result<Description> parse_description(ByteSource& source, Detail detail);

// The same for a file. Blocks; keep it off the event loop.
Result<Description> read_description(const std::filesystem::path& path, Detail detail);

}  // namespace hf::gguf
