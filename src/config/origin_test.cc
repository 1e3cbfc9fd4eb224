#include "config/origin.h"

#include <gtest/gtest.h>

namespace hf::config {
namespace {

bool allowed(std::string_view pattern, std::string_view origin) {
  const auto parsed = parse_origin_pattern(pattern);
  const auto asked = parse_origin(origin);
  return parsed.has_value() && asked.has_value() && matches(*parsed, *asked);
}

TEST(Origin, IsMatchedWholeAndInAnyCase) {
  EXPECT_TRUE(allowed("https://chat.example", "https://chat.example"));
  EXPECT_TRUE(allowed("HTTPS://Chat.Example", "https://chat.example"));
  EXPECT_TRUE(allowed("app://obsidian.md", "app://obsidian.md"));
  EXPECT_TRUE(allowed("http://[::1]:3000", "http://[::1]:3000"));
  for (const char* other :
       {"http://chat.example", "https://chat.example:8443", "https://chat.example.evil.example",
        "https://evil-chat.example", "https://a.chat.example", "https://chat.exampl"}) {
    EXPECT_FALSE(allowed("https://chat.example", other)) << other;
  }
}

TEST(Origin, TheUsualPortMayBeWrittenOrNot) {
  EXPECT_TRUE(allowed("https://chat.example:443", "https://chat.example"));
  EXPECT_TRUE(allowed("http://chat.example", "http://chat.example:80"));
  EXPECT_FALSE(allowed("http://chat.example:443", "http://chat.example"));
}

TEST(Origin, APatternMayLeaveThePortOpen) {
  EXPECT_TRUE(allowed("http://localhost:*", "http://localhost:5173"));
  EXPECT_TRUE(allowed("http://localhost:*", "http://localhost"));
  EXPECT_FALSE(allowed("http://localhost:*", "https://localhost:5173"));
  EXPECT_FALSE(allowed("http://localhost:*", "http://localhost.evil.example:5173"));
}

TEST(Origin, APatternMayLeaveTheHostOpenForAppsOnly) {
  EXPECT_TRUE(allowed("vscode-webview://*", "vscode-webview://1f0c9a"));
  EXPECT_FALSE(allowed("vscode-webview://*", "https://1f0c9a"));
  EXPECT_FALSE(parse_origin_pattern("https://*"));
  EXPECT_FALSE(parse_origin_pattern("http://*:8080"));
  EXPECT_TRUE(allowed("*", "https://anybody.example"));
}

TEST(Origin, WhatIsNoOriginIsNone) {
  for (const char* text : {"", "null", "https://", "https:/chat.example", "//chat.example", "://x",
                           "https://chat.example/", "https://user@chat.example", "https://a b",
                           "https://chat.example:0", "https://chat.example:70000", "https://[::1",
                           "https://[::1]x", "https://[chat]", "https://chat.example:", "*"}) {
    EXPECT_FALSE(parse_origin(text)) << text;
  }
}

TEST(Origin, APatternThatIsNoneSaysWhy) {
  for (const char* text : {"", "chat.example", "https://chat.example/", "https://chat.example/app",
                           "https://*.example", "https://chat.example:x", "https://", "null"}) {
    const auto pattern = parse_origin_pattern(text);
    ASSERT_FALSE(pattern) << text;
    EXPECT_FALSE(pattern.error().message.empty());
  }
}

}  // namespace
}  // namespace hf::config
