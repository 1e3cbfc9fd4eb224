#pragma once
// Cuts a child's output into lines and remembers the last of them. Why bounded: a child may write
// without end and without a newline; neither may cost us memory. Value types, one thread.

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace hf::process {

// Longer lines are cut here and the rest of the line is dropped. The longest line that matters, the
// stock server's ready line, has about 400 bytes.
inline constexpr std::size_t kLineBytesMax = 16 * 1024;
// What is kept of a child's output for the log when it dies.
inline constexpr std::size_t kTailBytesMax = 64 * 1024;

class LineBuffer {
 public:
  using OnLine = std::function<void(std::string_view line)>;

  // Calls on_line once for each line that ends in this chunk, without its "\n" (and "\r").
  void feed(std::string_view chunk, const OnLine& on_line);
  // The last line, which no newline ended; nothing when it is empty.
  void finish(const OnLine& on_line);

 private:
  void emit(const OnLine& on_line);

  std::string line_;
};

class LogTail {
 public:
  void append(std::string_view line);
  [[nodiscard]] std::size_t size_bytes() const { return bytes_; }
  // The kept lines, each ended by a newline; at most kTailBytesMax bytes.
  [[nodiscard]] std::string text() const;
  // Whether one of the kept lines says that memory ran out (see says_out_of_memory).
  [[nodiscard]] bool says_out_of_memory() const;

 private:
  std::deque<std::string> lines_;
  std::size_t bytes_ = 0;  // including one newline a line
};

}  // namespace hf::process
