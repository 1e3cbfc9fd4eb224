#pragma once
// Finds the end of a request's header block in what has arrived so far and refuses what a lenient
// parser would let through: bare CR or LF, NUL and other control characters, folded lines. Why it
// exists: two parsers that read the same bytes differently are how requests get smuggled (RFC 9112
// §2.2, §5.2, §11.2), and Beast accepts folded lines. Pure, any thread.

#include <cstddef>
#include <string_view>

namespace hf::net {

enum class ScanState { NeedMore, Complete, Bad };

class HeaderScanner {
 public:
  // `input` is everything unread, each time longer than before; looks only at what is new.
  ScanState scan(std::string_view input);

  // Empty lines before the request line, to be skipped (RFC 9112 §2.2 asks for that), in bytes.
  [[nodiscard]] std::size_t leading() const { return leading_; }
  // Bytes up to and with the blank line, including leading(). Requires Complete.
  [[nodiscard]] std::size_t size() const { return position_; }
  // What was wrong. Requires Bad.
  [[nodiscard]] std::string_view why() const { return why_; }

 private:
  ScanState bad(std::string_view why);

  std::size_t position_ = 0;
  std::size_t leading_ = 0;
  std::size_t line_start_ = 0;
  bool first_line_ = true;
  std::string_view why_;
};

}  // namespace hf::net
