#include "sim/csv.h"

#include <algorithm>
#include <optional>

namespace hf::sim {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Splits one line; nullopt: a quote is not closed, or text stands behind the closing one.
std::optional<std::vector<std::string>> split(std::string_view line) {
  std::vector<std::string> fields;
  std::size_t at = 0;
  while (true) {
    std::string field;
    if (at < line.size() && line[at] == '"') {
      ++at;
      while (true) {
        const std::size_t quote = line.find('"', at);
        if (quote == std::string_view::npos) {
          return std::nullopt;
        }
        field += line.substr(at, quote - at);
        at = quote + 1;
        if (at >= line.size() || line[at] != '"') {
          break;
        }
        field += '"';
        ++at;
      }
    } else {
      const std::size_t comma = std::min(line.find(',', at), line.size());
      field = line.substr(at, comma - at);
      at = comma;
    }
    fields.push_back(std::move(field));
    if (at == line.size()) {
      return fields;
    }
    if (line[at] != ',') {
      return std::nullopt;
    }
    ++at;
  }
}

}  // namespace

Result<CsvReader> CsvReader::open(std::string_view text, std::string name,
                                  const std::vector<std::string_view>& wanted) {
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  CsvReader reader(text, std::move(name));
  const Result<bool> heading = reader.read_line();
  if (!heading) {
    return fail(heading.error());
  }
  if (!*heading) {
    return fail(Errc::Corrupt, reader.name_ + ": the file is empty");
  }
  for (const std::string_view column : wanted) {
    const auto found = std::find(reader.fields_.begin(), reader.fields_.end(), column);
    if (found == reader.fields_.end()) {
      return fail(reader.wrong("the heading has no column \"" + std::string(column) + "\""));
    }
    reader.columns_.push_back(static_cast<std::size_t>(found - reader.fields_.begin()));
  }
  reader.width_ = reader.fields_.size();
  return reader;
}

Result<bool> CsvReader::next() {
  const Result<bool> more = read_line();
  if (more && *more && fields_.size() != width_) {
    return fail(wrong(std::to_string(fields_.size()) + " fields, but the heading has " +
                      std::to_string(width_)));
  }
  return more;
}

Result<bool> CsvReader::read_line() {
  while (!rest_.empty()) {
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++line_;
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (line.empty()) {
      continue;
    }
    std::optional<std::vector<std::string>> fields = split(line);
    if (!fields) {
      return fail(wrong("a quote is not closed, or not closed at the end of its field"));
    }
    fields_ = std::move(*fields);
    return true;
  }
  return false;
}

Error CsvReader::wrong(std::string_view what) const {
  return Error(Errc::Corrupt, name_ + ":" + std::to_string(line_) + ": " + std::string(what));
}

}  // namespace hf::sim
