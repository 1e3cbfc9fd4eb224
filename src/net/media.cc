#include "net/media.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace hf::net {
namespace {

// The bytes that base64 stands for, decoded one at a time wherever they are asked for: a body of
// 64 MiB is not decoded for the sake of the 30 bytes that tell a picture's size.
class Decoded {
 public:
  explicit Decoded(std::string_view text) : text_(text) {}

  // nullopt: behind the end, or not base64.
  [[nodiscard]] std::optional<std::uint32_t> at(std::uint64_t index) const {
    const std::uint64_t start = index / 3 * 4;
    const std::size_t within = index % 3;
    if (start + within + 1 >= text_.size()) {
      return std::nullopt;
    }
    const auto high = digit(text_[start + within]);
    const auto low = digit(text_[start + within + 1]);
    if (!high || !low) {
      return std::nullopt;
    }
    // Of each pair of letters the first byte has 6 and 2 bits, the second 4 and 4, the third 2
    // and 6.
    const std::size_t from_high = 2 * (within + 1);
    return ((*high << from_high) | (*low >> (6 - from_high))) & 0xFFU;
  }
  // Of `width` bytes; nullopt as above.
  [[nodiscard]] std::optional<std::uint32_t> big(std::uint64_t index, std::size_t width) const {
    return number(index, width, [width](std::size_t i) { return 8 * (width - 1 - i); });
  }
  [[nodiscard]] std::optional<std::uint32_t> little(std::uint64_t index, std::size_t width) const {
    return number(index, width, [](std::size_t i) { return 8 * i; });
  }
  [[nodiscard]] bool has(std::uint64_t index, std::string_view bytes) const {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (at(index + i) != static_cast<unsigned char>(bytes[i])) {
        return false;
      }
    }
    return true;
  }

 private:
  static std::optional<std::uint32_t> digit(char c) {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t at = kDigits.find(c);
    return at == std::string_view::npos ? std::nullopt : std::optional<std::uint32_t>(at);
  }
  template <class Shift>
  std::optional<std::uint32_t> number(std::uint64_t index, std::size_t width, Shift shift) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const auto byte = at(index + i);
      if (!byte) {
        return std::nullopt;
      }
      value |= *byte << shift(i);
    }
    return value;
  }

  std::string_view text_;
};

using Number = std::optional<std::uint32_t>;

// nullopt if one of them is missing or zero.
std::optional<std::uint64_t> area(Number width, Number height) {
  if (!width || !height || *width == 0 || *height == 0) {
    return std::nullopt;
  }
  return std::uint64_t{*width} * *height;
}

std::optional<std::uint64_t> png_pixels(const Decoded& bytes, int& /*skips_left*/) {
  constexpr std::uint64_t kFirstChunk = 8;
  constexpr std::uint64_t kChunkFrame = 12;  // length, name and checksum
  std::uint64_t at = kFirstChunk;
  if (bytes.has(at + 4, "CgBI")) {  // Apple's own chunk stands before the first
    at += kChunkFrame + bytes.big(at, 4).value_or(0);
  }
  if (!bytes.has(at + 4, "IHDR")) {
    return std::nullopt;
  }
  const auto pixels = area(bytes.big(at + 8, 4), bytes.big(at + 12, 4));
  const auto depth = bytes.at(at + 16);
  const auto colours = bytes.at(at + 17);
  if (!pixels || !depth || !colours) {
    return std::nullopt;
  }
  constexpr std::array<std::uint64_t, 7> kChannels{1, 1, 3, 3, 2, 1, 4};  // 3: palettes
  const std::uint64_t channels = *colours < kChannels.size() ? kChannels[*colours] : 4;
  const std::uint64_t bits = std::max<std::uint64_t>(24, channels * std::max(8U, *depth));
  return *pixels * bits / 24;
}

bool has_frame_size(std::uint32_t marker) {
  const bool table = marker == 0xC4 || marker == 0xC8 || marker == 0xCC;
  return marker >= 0xC0 && marker <= 0xCF && !table;
}

// Segment by segment, as the engine reads it: what is between two segments is passed over. Each
// step is one of `skips_left`, because a body of steps only would take the loop for a second.
std::optional<std::uint64_t> jpeg_pixels(const Decoded& bytes, int& skips_left) {
  constexpr std::uint64_t kFirstMarker = 2;
  std::uint64_t at = kFirstMarker;
  for (; skips_left > 0; --skips_left) {
    const auto mark = bytes.at(at);
    const auto marker = bytes.at(at + 1);
    if (!mark || !marker) {
      return std::nullopt;
    }
    if (*mark != 0xFF || *marker == 0 || *marker == 0xFF) {
      ++at;
    } else if (has_frame_size(*marker)) {
      const auto pixels = area(bytes.big(at + 7, 2), bytes.big(at + 5, 2));
      const bool progressive = *marker == 0xC2;
      return pixels ? std::optional(*pixels * (progressive ? 2 : 1)) : std::nullopt;
    } else {
      const auto length = bytes.big(at + 2, 2);
      if (!length || *length < 2) {
        return std::nullopt;
      }
      at += 2 + std::uint64_t{*length};
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> gif_pixels(const Decoded& bytes, int& /*skips_left*/) {
  const auto pixels = area(bytes.little(6, 2), bytes.little(8, 2));
  return pixels ? std::optional(2 * *pixels) : std::nullopt;
}

std::optional<std::uint64_t> bmp_pixels(const Decoded& bytes, int& /*skips_left*/) {
  const auto header = bytes.little(14, 4);
  if (header == 12U) {  // the oldest kind
    return area(bytes.little(18, 2), bytes.little(20, 2));
  }
  const auto magnitude = [](Number number) {  // a negative height: from top to bottom
    return number && (*number & 0x80000000U) != 0 ? Number(~*number + 1) : number;
  };
  return area(magnitude(bytes.little(18, 4)), magnitude(bytes.little(22, 4)));
}

std::optional<std::uint64_t> webp_pixels(const Decoded& bytes, int& /*skips_left*/) {
  constexpr std::uint32_t kFourteenBits = 0x3FFF;
  if (bytes.has(12, "VP8X")) {
    const auto width = bytes.little(24, 3);
    const auto height = bytes.little(27, 3);
    return width && height ? area(*width + 1, *height + 1) : std::nullopt;
  }
  if (bytes.has(12, "VP8L")) {
    const auto packed = bytes.little(21, 4);
    return packed ? area((*packed & kFourteenBits) + 1, ((*packed >> 14U) & kFourteenBits) + 1)
                  : std::nullopt;
  }
  const auto width = bytes.little(26, 2);
  const auto height = bytes.little(28, 2);
  return bytes.has(12, "VP8 ") && width && height
             ? area(*width & kFourteenBits, *height & kFourteenBits)
             : std::nullopt;
}

struct PictureFormat {
  std::string_view begins;
  std::uint64_t at;  // where that stands
  std::optional<std::uint64_t> (*pixels)(const Decoded&, int& skips_left);
};
constexpr std::array<PictureFormat, 5> kFormats{{
    {"\x89PNG\r\n\x1a\n", 0, png_pixels},
    {"\xff\xd8\xff", 0, jpeg_pixels},
    {"GIF8", 0, gif_pixels},
    {"WEBP", 8, webp_pixels},
    {"BM", 0, bmp_pixels},
}};

// As the engine tells sounds: WAV, MP3, FLAC.
bool is_sound(const Decoded& bytes) {
  const bool wave = bytes.has(0, "RIFF") && bytes.has(8, "WAVE");
  const auto second = bytes.at(1);
  const bool frame = bytes.at(0) == 0xFFU && second && (*second & 0xE0U) == 0xE0;
  return wave || frame || bytes.has(0, "ID3") || bytes.has(0, "fLaC");
}

// "http:", "file:" and the like; in base64 there is no colon.
bool is_address(std::string_view reference) {
  constexpr std::size_t kSchemeMax = 32;
  return reference.substr(0, kSchemeMax).find(':') != std::string_view::npos ||
         reference.starts_with("http");  // the engine looks at these four letters only
}

}  // namespace

void MediaFacts::add(std::string_view reference) {
  constexpr std::string_view kData = "data:";
  if (reference.starts_with(kData)) {
    const std::size_t comma = reference.find(',');
    reference = comma == std::string_view::npos ? "" : reference.substr(comma + 1);
  } else if (is_address(reference)) {
    remote = true;
    return;
  }
  const Decoded bytes(reference);
  for (const PictureFormat& format : kFormats) {
    if (bytes.has(format.at, format.begins)) {
      const auto size = format.pixels(bytes, skips_left);
      ++pictures;
      pixels += size.value_or(0);
      unreadable = unreadable || !size;
      return;
    }
  }
  if (is_sound(bytes)) {
    ++sounds;
  } else {
    unreadable = true;
  }
}

}  // namespace hf::net
