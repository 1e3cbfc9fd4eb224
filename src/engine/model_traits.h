#pragma once
// What a model is, apart from how it stands: for those who translate requests and describe models
// to clients. Cheap to get, unlike a whole status. Plain values, any thread.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/time.h"
#include "engine/command_line.h"
#include "gguf/description.h"

namespace hf::engine {

struct ModelTraits {
  ModelKind kind = ModelKind::Chat;
  std::string architecture;
  std::uint64_t weights = 0;  // its parameters; 0: not known
  std::string quantisation;   // "Q4_K_M"; "": not known
  bool has_chat_template = true;
  bool takes_images = false;
  std::int64_t context = 0;          // tokens that one request may use; 0: not known
  std::int64_t trained_context = 0;  // 0: not known
  std::int64_t embedding_input = 0;  // tokens of one text that can be embedded; 0: not known
  std::string file_key;              // changes when its files do
  Bytes file_size{0};
  std::int64_t modified_unix_s = 0;
  std::optional<Duration> ttl;
};

// What a model's files say of themselves.
struct FileDescription {
  gguf::Description model;
  std::optional<gguf::Description> projector;
};
// Makes a text of it, beside the loop: it must own what it uses.
using DescriptionText = std::function<std::string(const FileDescription&)>;

}  // namespace hf::engine
