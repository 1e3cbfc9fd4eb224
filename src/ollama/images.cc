#include "ollama/images.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hf::ollama {
namespace {

// How files of a kind begin, in base64.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kKinds{{
    {"iVBORw0KGgo", "image/png"},
    {"/9j/", "image/jpeg"},
    {"UklGR", "image/webp"},
    {"R0lGOD", "image/gif"},
    {"Qk", "image/bmp"},
    {"SUkqA", "image/tiff"},
}};
// The engine looks at the bytes itself; it only wants some kind of image here.
constexpr std::string_view kUnknownKind = "image/unknown";

constexpr std::array<bool, 256> letters() {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789+/")) {
    table.at(static_cast<unsigned char>(c)) = true;
  }
  return table;
}
constexpr std::array<bool, 256> kLetters = letters();

bool is_base64(std::string_view text) {
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) {
    text.remove_suffix(1);
  }
  // One letter over says six bits of a byte.
  return !text.empty() && text.size() % 4 != 1 && std::all_of(text.begin(), text.end(), [](char c) {
    return kLetters[static_cast<unsigned char>(c)];
  });
}

std::string without_line_ends(std::string_view text) {
  std::string result(text);
  std::erase_if(result, [](char c) { return c == '\n' || c == '\r'; });
  return result;
}

}  // namespace

std::optional<std::string> image_uri(std::string_view text) {
  constexpr std::string_view kData = "data:";
  constexpr std::string_view kBase64 = ";base64,";
  constexpr std::size_t kHeadMax = 100;  // of a data URI; honest ones have some twenty letters
  if (text.starts_with(kData)) {
    const std::size_t mark = text.substr(0, kHeadMax).find(kBase64);
    if (mark == std::string_view::npos) {
      return std::nullopt;
    }
    text.remove_prefix(mark + kBase64.size());
  }
  std::string joined;
  if (text.find_first_of("\r\n") != std::string_view::npos) {
    joined = without_line_ends(text);
    text = joined;
  }
  if (!is_base64(text)) {
    return std::nullopt;
  }
  std::string_view kind = kUnknownKind;
  for (const auto& [start, name] : kKinds) {
    if (text.starts_with(start)) {
      kind = name;
      break;
    }
  }
  std::string uri;
  uri.reserve(kData.size() + kind.size() + kBase64.size() + text.size());
  return std::move(uri.append(kData).append(kind).append(kBase64).append(text));
}

}  // namespace hf::ollama
