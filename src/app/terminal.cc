#include "app/terminal.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "base/units.h"

namespace hf::app {
namespace {

std::string_view escape_of(Colour colour) {
  switch (colour) {
    case Colour::None:
      return "";
    case Colour::Bold:
      return "\x1b[1m";
    case Colour::Dim:
      return "\x1b[2m";
    case Colour::Green:
      return "\x1b[32m";
    case Colour::Yellow:
      return "\x1b[33m";
    case Colour::Red:
      return "\x1b[31m";
  }
  return "";
}

// Characters on the screen: UTF-8 lead bytes, with escape sequences left out. Wide characters count
// as one; model names with them are rare enough.
std::size_t width(std::string_view text) {
  std::size_t count = 0;
  bool in_escape = false;
  for (const char c : text) {
    if (in_escape) {
      in_escape = c != 'm';
    } else if (c == '\x1b') {
      in_escape = true;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
      ++count;
    }
  }
  return count;
}

}  // namespace

std::string coloured(Colour colour, std::string_view text) {
  // https://no-color.org: set and not empty
  const char* no_color = std::getenv("NO_COLOR");
  const bool plain = (no_color != nullptr && *no_color != '\0') || ::isatty(STDOUT_FILENO) == 0;
  if (plain || colour == Colour::None) {
    return std::string(text);
  }
  return std::string(escape_of(colour)) + std::string(text) + "\x1b[0m";
}

void print_error(std::string_view message, std::string_view next_step) {
  std::string text = "holdfast: " + std::string(message) + "\n";
  if (!next_step.empty()) {
    text += "  " + std::string(next_step) + "\n";
  }
  std::fputs(text.c_str(), stderr);
}

void Table::add(std::vector<std::string> row) {
  row.resize(columns_.size());
  rows_.push_back(std::move(row));
}

std::string Table::text() const {
  std::vector<std::vector<std::string>> lines;
  lines.emplace_back();
  for (const Column& column : columns_) {
    lines.back().push_back(coloured(Colour::Bold, column.heading));
  }
  lines.insert(lines.end(), rows_.begin(), rows_.end());
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      widths[i] = std::max(widths[i], width(line[i]));
    }
  }
  std::string result;
  for (const auto& line : lines) {
    std::string shown;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string padding(widths[i] - width(line[i]), ' ');
      shown += columns_[i].right ? padding + line[i] : line[i] + padding;
      shown += i + 1 < line.size() ? "  " : "";
    }
    shown.erase(shown.find_last_not_of(' ') + 1);
    result += shown + "\n";
  }
  return result;
}

class Waiting::Impl {
 public:
  explicit Impl(std::string what) : what_(std::move(what)), thread_([this] { run(); }) {}
  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
    std::fputs("\r\x1b[K", stderr);
  }

 private:
  void run() {
    using namespace std::chrono;
    const auto start = steady_clock::now();
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, milliseconds(200), [this] { return done_; })) {
      const auto whole = duration_cast<seconds>(steady_clock::now() - start);
      const std::string line = "\r\x1b[K" + what_ + " (" + format_duration(whole) + ")";
      std::fputs(line.c_str(), stderr);
    }
  }

  std::string what_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

Waiting::Waiting(std::string what) {
  if (::isatty(STDERR_FILENO) != 0) {
    impl_ = std::make_unique<Impl>(std::move(what));
  }
}

Waiting::~Waiting() = default;

}  // namespace hf::app
