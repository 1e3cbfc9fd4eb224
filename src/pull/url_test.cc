#include "pull/url.h"

#include <gtest/gtest.h>

namespace hf::pull {
namespace {

TEST(Url, OriginsAreComparedWithTheirPorts) {
  const auto a = parse_url("https://Example.org/a.gguf?key=1");
  const auto b = parse_url("https://example.org:443/b");
  const auto other_port = parse_url("https://example.org:8443/b");
  const auto other_scheme = parse_url("http://example.org/b");
  ASSERT_TRUE(a && b && other_port && other_scheme);
  EXPECT_EQ(a->origin(), b->origin());
  EXPECT_NE(a->origin(), other_port->origin());
  EXPECT_NE(a->origin(), other_scheme->origin());
}

TEST(Url, ShowsNothingSecret) {
  const auto url = parse_url("https://me:secret@example.org/models/a.gguf?signature=secret#x");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->shown(), "https://example.org/models/a.gguf");
  EXPECT_EQ(parse_url("http://127.0.0.1:8080/a.gguf")->shown(), "http://127.0.0.1:8080/a.gguf");
  EXPECT_EQ(url->origin(), "https://example.org:443");
}

TEST(Url, OnlyTheWebsSchemesAreTaken) {
  for (const char* text : {"file:///etc/passwd", "ftp://example.org/a.gguf", "scp://h/a", "", " ",
                           "https://", "https://exa mple.org/"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, Errc::InvalidArgument);
  }
}

TEST(Url, KnowsThisMachine) {
  EXPECT_TRUE(parse_url("http://localhost:1/")->is_loopback());
  EXPECT_TRUE(parse_url("http://127.0.0.1/")->is_loopback());
  EXPECT_TRUE(parse_url("http://[::1]:5/")->is_loopback());
  EXPECT_TRUE(parse_url("http://127.255.3.4/")->is_loopback());
  for (const char* text :
       {"http://127example.org/", "http://127.example.org/", "http://127.evil.localhost/",
        "http://127.0.0.1.example.org/", "http://localhost.example.org/", "http://10.0.0.1/",
        "http://128.0.0.1/", "http://[::2]/", "http://[fe80::1]/"}) {
    EXPECT_FALSE(parse_url(text)->is_loopback()) << text;
  }
}

TEST(Url, AnotherPathLeavesTheRestAsItIs) {
  EXPECT_EQ(with_path("http://u:p@h:81/a/./b?k=1", "/a/c%20d"), "http://u:p@h:81/a/c%20d?k=1");
  EXPECT_EQ(with_path("nothing at all", "/a"), "");
}

TEST(Url, PathsAreEncodedAndDecoded) {
  EXPECT_EQ(encode_path("a b/ü+%.gguf"), "a%20b/%C3%BC%2B%25.gguf");
  EXPECT_EQ(decode_path("a%20b/%C3%BC%2B%25.gguf"), "a b/ü+%.gguf");
  EXPECT_EQ(decode_path("100%"), "100%");
  EXPECT_EQ(decode_path("%zz%2"), "%zz%2");
}

}  // namespace
}  // namespace hf::pull
