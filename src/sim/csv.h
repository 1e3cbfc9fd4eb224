#pragma once
// Comma-separated tables with a heading, row by row. Columns are found by their names, in any
// order; others are ignored. A field may stand in double quotes (then it may hold commas, and ""
// is a quote) but not run over a line's end; CR before LF, empty lines and a byte order mark are
// passed over. Single thread.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hf::sim {

class CsvReader {
 public:
  // Reads the heading. `text` outlives the reader; `name` stands before the line number in errors.
  // Errors: Corrupt, when a wanted column is missing.
  static Result<CsvReader> open(std::string_view text, std::string name,
                                const std::vector<std::string_view>& wanted);

  // Goes to the next row; false: there is none. Errors: Corrupt, "NAME:LINE: …".
  Result<bool> next();
  // The row's value for the wanted column of that index. Valid until next().
  [[nodiscard]] const std::string& field(std::size_t wanted) const {
    return fields_[columns_[wanted]];
  }
  // "NAME:LINE: what", about the present row.
  [[nodiscard]] Error wrong(std::string_view what) const;

 private:
  CsvReader(std::string_view text, std::string name) : rest_(text), name_(std::move(name)) {}
  Result<bool> read_line();

  std::string_view rest_;
  std::string name_;
  std::size_t line_ = 0;
  std::vector<std::string> fields_;
  std::size_t width_ = 0;             // of the heading
  std::vector<std::size_t> columns_;  // where the wanted ones stand
};

}  // namespace hf::sim
