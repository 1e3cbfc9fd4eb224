#include "net/header_scan.h"

#include <gtest/gtest.h>

#include <string>

namespace hf::net {
namespace {

ScanState scan(std::string_view text) {
  HeaderScanner scanner;
  return scanner.scan(text);
}

TEST(HeaderScan, FindsTheBlankLineAndNotMore) {
  const std::string_view text = "GET / HTTP/1.1\r\nHost: h\r\n\r\nrest\n";
  HeaderScanner scanner;
  EXPECT_EQ(scanner.scan(text), ScanState::Complete);
  EXPECT_EQ(text.substr(scanner.size()), "rest\n");
}

TEST(HeaderScan, GivesTheSameVerdictByteByByte) {
  const std::string text = "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n";
  HeaderScanner scanner;
  for (std::size_t n = 1; n < text.size(); ++n) {
    ASSERT_EQ(scanner.scan(std::string_view(text).substr(0, n)), ScanState::NeedMore) << n;
  }
  EXPECT_EQ(scanner.scan(text), ScanState::Complete);
  EXPECT_EQ(scanner.leading(), 2U);
  EXPECT_EQ(scanner.size(), text.size());
}

TEST(HeaderScan, RefusesWhatParsersReadDifferently) {
  EXPECT_EQ(scan("GET / HTTP/1.1\nHost: h\n\n"), ScanState::Bad);
  EXPECT_EQ(scan("GET / HTTP/1.1\r\nA: b\rc\r\n\r\n"), ScanState::Bad);
  EXPECT_EQ(scan("GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n"), ScanState::Bad);
  EXPECT_EQ(scan("GET / HTTP/1.1\r\nA: b\r\n\tfolded\r\n\r\n"), ScanState::Bad);
  EXPECT_EQ(scan(std::string_view("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", 26)), ScanState::Bad);
  EXPECT_EQ(scan("GET / HTTP/1.1\r\nA: \x7f\r\n\r\n"), ScanState::Bad);
  EXPECT_EQ(scan("\r\n\r\n\r\nGET"), ScanState::Bad);
}

TEST(HeaderScan, LetsTabsAndBytesAboveAsciiPass) {
  EXPECT_EQ(scan("GET / HTTP/1.1\r\nA:\tb \xC3\xA9\r\n\r\n"), ScanState::Complete);
}

}  // namespace
}  // namespace hf::net
