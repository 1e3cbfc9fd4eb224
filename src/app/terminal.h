#pragma once
// What differs between a person's terminal and a pipe: colours, a waiting sign, and tables for
// people. Any thread; writes to standard output and error.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace hf::app {

enum class Colour { None, Bold, Dim, Green, Yellow, Red };

// The text in that colour if standard output is a terminal and NO_COLOR is unset, else as it is.
std::string coloured(Colour colour, std::string_view text);

// "holdfast: …" on standard error, with the next step in a second line if there is one.
void print_error(std::string_view message, std::string_view next_step = {});

// Columns as wide as their widest cell (counted in characters, not bytes), two spaces apart.
// `right` marks columns of numbers.
class Table {
 public:
  struct Column {
    std::string heading;
    bool right = false;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void add(std::vector<std::string> row);
  // With its heading; every line ends in a newline.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// A line on standard error that shows that something is awaited, and for how long; nothing unless
// standard error is a terminal. Runs on a thread of its own until destroyed, then wipes its line.
class Waiting {
 public:
  explicit Waiting(std::string what);
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hf::app
