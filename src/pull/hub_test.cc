#include "pull/hub.h"

#include <gtest/gtest.h>

namespace hf::pull {
namespace {

const std::string kSum(64, 'a');

TEST(PullHub, AListGivesModelsWithTheirSums) {
  const auto files = parse_list(R"([
    {"type": "directory", "oid": "1", "size": 0, "path": "sub.gguf"},
    {"type": "file", "oid": "2", "size": 20, "path": "README.md"},
    {"type": "file", "oid": "3", "size": 134, "path": "sub/a-Q4_0.gguf",
     "lfs": {"oid": ")" + std::string(64, 'A') +
                                R"(", "size": 5000000000, "pointerSize": 134}},
    {"type": "file", "oid": "4", "size": 77, "path": "b.gguf"},
    17, null])");
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ(files->at(0).path, "sub/a-Q4_0.gguf");
  EXPECT_EQ(files->at(0).size, Bytes(5'000'000'000));
  EXPECT_EQ(files->at(0).sha256, kSum);
  EXPECT_EQ(files->at(1).size, Bytes(77));
  EXPECT_EQ(files->at(1).sha256, "");
}

TEST(PullHub, WhatIsNoListIsAnError) {
  for (const char* text : {"", "{}", "<html>", "[1,", R"({"error":"no"})"}) {
    ASSERT_FALSE(parse_list(text)) << text;
  }
}

TEST(PullHub, ASizeThatCannotBeIsNotKnown) {
  for (const char* size : {"-5", "0", "null", "\"5\"", "1e30"}) {
    const std::string entry =
        R"([{"type":"file","path":"a.gguf","size":)" + std::string(size) + "}]";
    const auto files = parse_list(entry);
    ASSERT_TRUE(files) << size;
    EXPECT_EQ(files->front().size, std::nullopt) << size;
  }
}

TEST(PullHub, NamesThatNobodyShouldSeeOrReadAreLeftOut) {
  const std::string entry = R"({"type":"file","size":5,"path":")";
  const std::string list = "[" + entry + R"(a\u001b[31m.gguf"},)" + entry + R"(a\u007f.gguf"},)" +
                           entry + R"(a\u009b1m.gguf"},)" + entry + std::string(100'000, 'Q') +
                           "-Q4_K_M.gguf\"}," + entry + R"(\u00fc.gguf"}])";
  const auto files = parse_list(list);
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 1U);
  EXPECT_EQ(files->front().path, "ü.gguf");
}

TEST(PullHub, AddressesAreEncoded) {
  Source source;
  source.repository = "org/repo";
  source.revision = "a b";
  EXPECT_EQ(list_address("https://h", source),
            "https://h/api/models/org/repo/tree/a%20b?recursive=true");
  EXPECT_EQ(file_address("https://h", source, "s/é.gguf"),
            "https://h/org/repo/resolve/a%20b/s/%C3%A9.gguf");
}

TEST(PullHub, TheNextPageIsFoundInALinkHeader) {
  EXPECT_EQ(next_page(R"(<https://h/x?cursor=1>; rel="next")"), "https://h/x?cursor=1");
  EXPECT_EQ(next_page(R"(<https://h/0>; rel="first", <https://h/2>; rel="next")"), "https://h/2");
  EXPECT_EQ(next_page(R"(<https://h/0>; rel="first")"), "");
  EXPECT_EQ(next_page(""), "");
  EXPECT_EQ(next_page("<broken"), "");
  EXPECT_EQ(next_page("><"), "");
}

TEST(PullHub, AChecksumHas64HexadecimalDigits) {
  EXPECT_EQ(normal_sha256(std::string(64, 'A')), kSum);
  EXPECT_EQ(normal_sha256("sha256:" + kSum), kSum);
  EXPECT_EQ(normal_sha256(kSum.substr(1)), "");
  EXPECT_EQ(normal_sha256(std::string(64, 'g')), "");
}

}  // namespace
}  // namespace hf::pull
