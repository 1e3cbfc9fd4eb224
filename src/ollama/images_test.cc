#include "ollama/images.h"

#include <gtest/gtest.h>

namespace hf::ollama {
namespace {

TEST(Images, TheKindIsReadFromTheFirstBytes) {
  EXPECT_EQ(image_uri("iVBORw0KGgoAAAA="), "data:image/png;base64,iVBORw0KGgoAAAA=");
  EXPECT_EQ(image_uri("/9j/4AAQ"), "data:image/jpeg;base64,/9j/4AAQ");
  EXPECT_EQ(image_uri("UklGRgAA"), "data:image/webp;base64,UklGRgAA");
  EXPECT_EQ(image_uri("R0lGODlh"), "data:image/gif;base64,R0lGODlh");
  EXPECT_EQ(image_uri("Qk1GAAAA"), "data:image/bmp;base64,Qk1GAAAA");
  EXPECT_EQ(image_uri("AAAA"), "data:image/unknown;base64,AAAA");
}

TEST(Images, ADataUriIsTakenAndItsKindCheckedAnew) {
  EXPECT_EQ(image_uri("data:image/png;base64,/9j/4AAQ"), "data:image/jpeg;base64,/9j/4AAQ");
  EXPECT_FALSE(image_uri("data:image/png,abcd"));
}

TEST(Images, LineEndsAreLeftOut) {
  EXPECT_EQ(image_uri("iVBORw0K\r\nGgoA\n"), "data:image/png;base64,iVBORw0KGgoA");
}

TEST(Images, WhatIsNotBase64IsRefused) {
  for (const char* bad : {"", "=", "====", "abcde", "http://host/a.png", "file:///etc/passwd",
                          "ab-_", "ab cd", "/tmp/a.png", "a===", "data:image/png;base64,"}) {
    EXPECT_FALSE(image_uri(bad)) << bad;
  }
}

}  // namespace
}  // namespace hf::ollama
