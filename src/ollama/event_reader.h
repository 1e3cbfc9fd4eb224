#pragma once
// The events of a stream (text/event-stream), from bytes that are cut anywhere. Not thread safe.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace hf::ollama {

class EventReader {
 public:
  // `on_data`: the text of an event; `on_comment`: a line that clients skip, a sign of life.
  // Returns false when one event is larger than anything honest; nothing is read after that.
  template <class OnData, class OnComment>
  bool read(std::string_view bytes, const OnData& on_data, const OnComment& on_comment) {
    while (!failed_ && !bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      line_ += bytes.substr(0, end);
      failed_ = line_.size() + data_.size() > kEventBytesMax;
      if (end == std::string_view::npos) {
        break;
      }
      bytes.remove_prefix(end + 1);
      take_line(on_data, on_comment);
    }
    return !failed_;
  }

  // True between two events: nothing was cut off.
  [[nodiscard]] bool at_rest() const { return line_.empty() && !has_data_; }

 private:
  // Pieces with all their probabilities and whole tool calls stay far below it.
  static constexpr std::size_t kEventBytesMax = 32U * 1024 * 1024;

  template <class OnData, class OnComment>
  void take_line(const OnData& on_data, const OnComment& on_comment) {
    std::string_view line = line_;
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (line.empty()) {
      if (std::exchange(has_data_, false)) {
        on_data(std::string_view(data_));
        data_.clear();
      }
    } else if (line.front() == ':') {
      on_comment();
    } else if (line.starts_with("data:")) {
      line.remove_prefix(5);
      line.remove_prefix(line.starts_with(' ') ? 1 : 0);
      data_.append(has_data_ ? "\n" : "").append(line);
      has_data_ = true;
    }
    line_.clear();
  }

  std::string line_;
  std::string data_;
  bool has_data_ = false;
  bool failed_ = false;
};

}  // namespace hf::ollama
