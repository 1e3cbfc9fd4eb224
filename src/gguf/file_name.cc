#include "gguf/file_name.h"

#include <array>
#include <charconv>
#include <cstdio>

#include "base/lower.h"

namespace hf::gguf {
namespace {

constexpr std::string_view kEnding = ".gguf";
constexpr std::string_view kOf = "-of-";
constexpr std::size_t kDigits = 5;

// Takes "-00002" from the end of `text`, with `mark` for the hyphen.
std::optional<int> take_number(std::string_view& text, std::string_view mark) {
  if (text.size() < mark.size() + kDigits) {
    return std::nullopt;
  }
  const std::string_view digits = text.substr(text.size() - kDigits);
  text.remove_suffix(kDigits);
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + kDigits, number);
  const bool good = error == std::errc{} && end == digits.data() + kDigits && digits[0] != '-';
  if (!good || !text.ends_with(mark)) {
    return std::nullopt;
  }
  text.remove_suffix(mark.size());
  return number;
}

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

}  // namespace

std::optional<SplitName> split_name(std::string_view path) {
  if (path.ends_with(kEnding)) {
    path.remove_suffix(kEnding.size());
  }
  const auto count = take_number(path, kOf);
  const auto number = count ? take_number(path, "-") : std::nullopt;
  if (!number || path.empty() || *number < 1 || *number > *count) {
    return std::nullopt;
  }
  return SplitName{std::string(path), *number, *count};
}

std::string name_of_part(const SplitName& part) {
  std::array<char, 40> suffix{};
  std::snprintf(suffix.data(), suffix.size(), "-%05d-of-%05d.gguf", part.number, part.count);
  return part.stem + suffix.data();
}

bool is_projector_name(std::string_view path) {
  constexpr std::string_view kWord = "mmproj";
  const std::string name = lower(path.substr(path.rfind('/') + 1));
  for (std::size_t at = name.find(kWord); at != std::string::npos; at = name.find(kWord, at + 1)) {
    if (at == 0 || !is_letter_or_digit(name[at - 1])) {
      return true;
    }
  }
  return false;
}

}  // namespace hf::gguf
