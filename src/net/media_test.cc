#include "net/media.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace hf::net {
namespace {

using namespace std::literals;

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8U | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text += i + j <= bytes.size() ? kDigits[group >> (18 - 6 * j) & 63U] : '=';
    }
  }
  return text;
}

MediaFacts facts(std::string_view bytes) {
  MediaFacts media;
  media.add("data:image/any;base64," + base64(bytes));
  return media;
}

std::string big(std::uint32_t value, int width) {
  std::string bytes;
  for (int i = width - 1; i >= 0; --i) {
    bytes += static_cast<char>(value >> (8 * i));
  }
  return bytes;
}
std::string little(std::uint32_t value, int width) {
  const std::string reversed = big(value, width);
  return {reversed.rbegin(), reversed.rend()};
}

constexpr std::string_view kPngBegins = "\x89PNG\r\n\x1a\n"sv;

std::string png(std::uint32_t width, std::uint32_t height, int depth, int colours) {
  return std::string(kPngBegins) + big(13, 4) + "IHDR" + big(width, 4) + big(height, 4) +
         static_cast<char>(depth) + static_cast<char>(colours) + std::string(3, 0);
}

TEST(Media, ReadsTheSizeOfEveryKindOfPicture) {
  const std::string vp8x = "RIFF----WEBPVP8X----\0\0\0\0"s + little(299, 3) + little(199, 3);
  const std::string vp8l = "RIFF----WEBPVP8L----/"s + little(299U | 199U << 14U, 4);
  const std::string vp8 =
      "RIFF----WEBPVP8 ----\x30\x01\0\x9d\x01\x2a"s + little(300, 2) + little(200, 2);
  const std::string jpeg = "\xff\xd8\xff\xe1"s + big(10, 2) + "Exif...." + "junk\xff\xc4" +
                           big(4, 2) + "\1\2\xff\xc0" + big(11, 2) + "\x08" + big(200, 2) +
                           big(300, 2);
  const std::string bmp = "BM----\0\0\0\0\0\0\0\0"s + little(40, 4) + little(300, 4) +
                          little(static_cast<std::uint32_t>(-200), 4);
  const std::string old_bmp =
      "BM----\0\0\0\0\0\0\0\0"s + little(12, 4) + little(300, 2) + little(200, 2);
  for (const std::string& bytes : {png(300, 200, 8, 2), jpeg, bmp, old_bmp, vp8x, vp8l, vp8}) {
    const MediaFacts media = facts(bytes);
    EXPECT_EQ(media.pictures, 1);
    EXPECT_EQ(media.pixels, 300U * 200) << bytes.substr(0, 24);
    EXPECT_FALSE(media.unreadable) << bytes.substr(0, 24);
  }
}

TEST(Media, WhatTakesMoreToDecodeCountsMore) {
  EXPECT_EQ(facts(png(30, 20, 16, 2)).pixels, 2U * 600);
  EXPECT_EQ(facts(png(30, 20, 8, 6)).pixels, 600U * 4 / 3);
  EXPECT_EQ(facts(png(30, 20, 1, 0)).pixels, 600U);
  EXPECT_EQ(facts("GIF89a" + little(30, 2) + little(20, 2)).pixels, 2U * 600);
  EXPECT_EQ(facts("\xff\xd8\xff\xc2"s + big(11, 2) + "\x08" + big(20, 2) + big(30, 2)).pixels,
            2U * 600);
}

TEST(Media, ThePicturesOfARequestAddUp) {
  MediaFacts media;
  for (int i = 0; i < 3; ++i) {
    media.add(base64(png(65'535, 65'535, 8, 2)));
  }
  EXPECT_EQ(media.pictures, 3);
  EXPECT_EQ(media.pixels, 3ULL * 65'535 * 65'535);
}

TEST(Media, AppleWritesAChunkOfItsOwnFirst) {
  const std::string bytes = png(30, 20, 8, 2);
  EXPECT_EQ(facts(bytes.substr(0, 8) + big(4, 4) + "CgBI--------" + bytes.substr(8)).pixels, 600U);
}

TEST(Media, WhatHidesItsSizeIsUnreadable) {
  const std::string whole = png(30, 20, 8, 2);
  for (const std::string& bytes :
       {whole.substr(0, 20), std::string(kPngBegins) + big(4, 4) + "tEXt--------", png(0, 20, 8, 2),
        "\xff\xd8\xff\xe1\0\1"s, "\xff\xd8\xff\xe0\xff\xff"s, "GIF89a"s, "BM"s, "RIFF----WEBPVP9 "s,
        ""s, "8BPS\0\1"s, "P6 30000 30000 255\n"s, "#EXTM3U\n"s}) {
    EXPECT_TRUE(facts(bytes).unreadable) << bytes.substr(0, 24);
    EXPECT_EQ(facts(bytes).pixels, 0U);
  }
  MediaFacts media;
  media.add("data:image/png;base64");
  EXPECT_TRUE(media.unreadable);
}

TEST(Media, WhatIsPassedOverInSearchOfASizeIsBoundedInAllPicturesTogether) {
  const std::string size = "\xff\xc0" + big(11, 2) + "\x08" + big(200, 2) + big(300, 2);
  const auto add = [&size](MediaFacts& media, std::size_t filler) {
    media.add(base64("\xff\xd8\xff\xe0\0\2"s + std::string(filler, '?') + size));
  };
  MediaFacts media;
  for (int i = 0; i < 100; ++i) {
    add(media, 500);
  }
  EXPECT_FALSE(media.unreadable);
  EXPECT_EQ(media.pixels, 100U * 200 * 300);
  add(media, 20'000);
  EXPECT_TRUE(media.unreadable);
  // Segments that are as short as they can be count like bytes.
  MediaFacts segments;
  std::string bytes = "\xff\xd8";
  for (int i = 0; i < 70'000; ++i) {
    bytes += "\xff\xe0\0\2"s;
  }
  segments.add(base64(bytes + size));
  EXPECT_TRUE(segments.unreadable);
}

TEST(Media, SoundsAreToldFromPictures) {
  for (const std::string bytes : {"RIFF----WAVEfmt ", "ID3\4", "fLaC----", "\xff\xfb\x90\x64"}) {
    const MediaFacts media = facts(bytes);
    EXPECT_EQ(media.sounds, 1);
    EXPECT_EQ(media.pictures, 0);
    EXPECT_FALSE(media.unreadable);
  }
}

}  // namespace
}  // namespace hf::net
