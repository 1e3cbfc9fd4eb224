#include "net/chunk.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace hf::net {
namespace {

TEST(Chunk, SaysItsSizeInHex) {
  EXPECT_EQ(chunk("x"), "1\r\nx\r\n");
  EXPECT_EQ(chunk(std::string(255, 'x')), "ff\r\n" + std::string(255, 'x') + "\r\n");
}

TEST(Chunk, OfNothingIsNothingBecauseAnEmptyOneWouldEndTheBody) {
  EXPECT_EQ(chunk(""), "");
}

TEST(Chunk, IsFramedInPlace) {
  for (const auto& [text, last, framed] : std::vector<std::tuple<std::string, bool, std::string>>{
           {"hello", false, "5\r\nhello\r\n"},
           {"hello", true, "5\r\nhello\r\n0\r\n\r\n"},
           {"", true, "0\r\n\r\n"},
           {"", false, ""}}) {
    std::string room(kChunkFront, ' ');
    room += text;
    room.append(kChunkBack, ' ');
    EXPECT_EQ(frame_chunk(room.data() + kChunkFront, text.size(), last), framed);
  }
}

TEST(Chunk, HasRoomForTheLargestSize) {
  std::string room(kChunkFront, ' ');
  EXPECT_EQ(write_chunk_line(room.data() + kChunkFront, ~std::size_t{0}), kChunkFront);
  EXPECT_EQ(room, "ffffffffffffffff\r\n");
}

}  // namespace
}  // namespace hf::net
