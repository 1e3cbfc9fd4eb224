#include "api/api_key.h"

#include <gtest/gtest.h>

#include <set>

namespace hf::api {
namespace {

TEST(ApiKey, IsLongAndSafeInHeadersShellsAndFiles) {
  std::set<std::string> keys;
  for (int i = 0; i < 200; ++i) {
    const std::string key = new_api_key().value();
    EXPECT_EQ(key.size(), 9U + 43U);
    EXPECT_TRUE(key.starts_with("holdfast_"));
    EXPECT_EQ(key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789-_"),
              std::string::npos);
    // 43 letters hold 258 bits: the last two of 256 are always nought.
    EXPECT_NE(std::string_view("AEIMQUYcgkosw048").find(key.back()), std::string_view::npos);
    EXPECT_TRUE(keys.insert(key).second);
  }
}

TEST(KeyHash, IsThatOfSha256sum) {
  // FIPS 180-4's first example.
  const std::string hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(to_hex(hash_of_key("abc")), hex);
  EXPECT_TRUE(same_hash(key_hash_from_hex(hex).value(), hash_of_key("abc")));
  EXPECT_FALSE(same_hash(key_hash_from_hex(hex).value(), hash_of_key("abd")));
}

TEST(KeyHash, IsReadFromSixtyFourDigitsOnly) {
  const std::string good(64, 'a');
  EXPECT_TRUE(key_hash_from_hex(good));
  EXPECT_FALSE(key_hash_from_hex(""));
  EXPECT_FALSE(key_hash_from_hex(good + "a"));
  EXPECT_FALSE(key_hash_from_hex("g" + good.substr(1)));
}

}  // namespace
}  // namespace hf::api
