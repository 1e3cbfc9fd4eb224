#include "pull/hub.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "base/utf8.h"
#include "pull/url.h"

namespace hf::pull {
namespace {

namespace json = boost::json;

// Longer than any that are used; also what quantisation_of() can bear.
constexpr std::size_t kPathBytesMax = 1024;

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(json::string_view(key.data(), key.size()));
  const json::string* text = found == nullptr ? nullptr : found->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

// No model has 0 bytes: a hub that says so does not know.
std::optional<Bytes> bytes_of(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(json::string_view(key.data(), key.size()));
  boost::system::error_code bad;
  const auto number = found == nullptr ? 0 : found->to_number<std::int64_t>(bad);
  return bad || number <= 0 ? std::nullopt : std::optional(Bytes(number));
}

bool is_usable_path(std::string_view path) {
  return path.ends_with(".gguf") && path.size() <= kPathBytesMax && is_printable(path);
}

}  // namespace

std::string list_address(std::string_view endpoint, const Source& source) {
  return std::string(endpoint) + "/api/models/" + source.repository + "/tree/" +
         encode_path(source.revision) + "?recursive=true";
}

std::string file_address(std::string_view endpoint, const Source& source, std::string_view path) {
  return std::string(endpoint) + "/" + source.repository + "/resolve/" +
         encode_path(source.revision) + "/" + encode_path(path);
}

std::string page_address(std::string_view endpoint, const Source& source) {
  return std::string(endpoint) + "/" + source.repository;
}

Result<std::vector<HubFile>> parse_list(std::string_view text) {
  boost::system::error_code bad;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), bad);
  const json::array* entries = bad ? nullptr : value.if_array();
  if (entries == nullptr) {
    return fail(Errc::Corrupt, "the list of the repository's files cannot be read");
  }
  std::vector<HubFile> files;
  for (const json::value& entry : *entries) {
    const json::object* object = entry.if_object();
    if (object == nullptr || text_of(*object, "type") != "file" ||
        !is_usable_path(text_of(*object, "path"))) {
      continue;
    }
    HubFile file{text_of(*object, "path"), bytes_of(*object, "size"), ""};
    const json::value* lfs = object->if_contains("lfs");
    if (lfs != nullptr && lfs->is_object()) {
      file.size = bytes_of(lfs->get_object(), "size");
      file.sha256 = normal_sha256(text_of(lfs->get_object(), "oid"));
    }
    files.push_back(std::move(file));
  }
  return files;
}

std::string next_page(std::string_view link) {
  while (!link.empty()) {
    const std::size_t open = link.find('<');
    const std::size_t close = link.find('>', open);
    if (open == std::string_view::npos || close == std::string_view::npos) {
      break;
    }
    const std::string_view address = link.substr(open + 1, close - open - 1);
    const std::size_t end = link.find(",", close);
    const std::string_view attributes = link.substr(close + 1, end - close - 1);
    if (attributes.find("rel=\"next\"") != std::string_view::npos ||
        attributes.find("rel=next") != std::string_view::npos) {
      return std::string(address);
    }
    link = end == std::string_view::npos ? std::string_view() : link.substr(end + 1);
  }
  return {};
}

std::string normal_sha256(std::string_view text) {
  if (text.starts_with("sha256:")) {
    text.remove_prefix(7);
  }
  if (text.size() != 64) {
    return {};
  }
  std::string result(text);
  for (char& c : result) {
    c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
      return {};
    }
  }
  return result;
}

}  // namespace hf::pull
