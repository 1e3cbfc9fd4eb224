#include "process/lines.h"

#include <algorithm>

#include "process/memory_signs.h"

namespace hf::process {

void LineBuffer::feed(std::string_view chunk, const OnLine& on_line) {
  while (!chunk.empty()) {
    const std::size_t newline = chunk.find('\n');
    const std::string_view part = chunk.substr(0, newline);
    line_.append(part.substr(0, kLineBytesMax - std::min(line_.size(), kLineBytesMax)));
    if (newline == std::string_view::npos) {
      return;
    }
    emit(on_line);
    chunk.remove_prefix(newline + 1);
  }
}

void LineBuffer::finish(const OnLine& on_line) {
  if (!line_.empty()) {
    emit(on_line);
  }
}

void LineBuffer::emit(const OnLine& on_line) {
  if (line_.ends_with('\r')) {
    line_.pop_back();
  }
  on_line(line_);
  line_.clear();
}

void LogTail::append(std::string_view line) {
  if (line.empty()) {
    return;  // the stock server sends an empty line before each state line
  }
  lines_.emplace_back(line);
  bytes_ += line.size() + 1;
  while (bytes_ > kTailBytesMax) {
    bytes_ -= lines_.front().size() + 1;
    lines_.pop_front();
  }
}

std::string LogTail::text() const {
  std::string all;
  all.reserve(bytes_);
  for (const std::string& line : lines_) {
    all += line;
    all += '\n';
  }
  return all;
}

bool LogTail::says_out_of_memory() const {
  return std::any_of(lines_.begin(), lines_.end(),
                     [](const std::string& line) { return process::says_out_of_memory(line); });
}

}  // namespace hf::process
