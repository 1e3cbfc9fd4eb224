#include "net/header_scan.h"

namespace hf::net {
namespace {

// One empty line is what old clients send after a body; more is noise meant to keep us busy.
constexpr std::size_t kLeadingBytesMax = 4;

bool is_forbidden(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

}  // namespace

ScanState HeaderScanner::bad(std::string_view why) {
  why_ = why;
  return ScanState::Bad;
}

ScanState HeaderScanner::scan(std::string_view input) {
  while (position_ < input.size()) {
    const char c = input[position_];
    if (c == '\r') {
      if (position_ + 1 == input.size()) {
        return ScanState::NeedMore;
      }
      if (input[position_ + 1] != '\n') {
        return bad("a bare CR in the header");
      }
      const bool empty = position_ == line_start_;
      position_ += 2;
      line_start_ = position_;
      if (!empty) {
        first_line_ = false;
      } else if (!first_line_) {
        return ScanState::Complete;
      } else {
        leading_ = position_;
        if (leading_ > kLeadingBytesMax) {
          return bad("empty lines before the request line");
        }
      }
      continue;
    }
    if (c == '\n') {
      return bad("a bare LF in the header");
    }
    if (is_forbidden(c)) {
      return bad("a control character in the header");
    }
    if (position_ == line_start_ && (c == ' ' || c == '\t')) {
      return bad("a folded header line");
    }
    ++position_;
  }
  return ScanState::NeedMore;
}

}  // namespace hf::net
