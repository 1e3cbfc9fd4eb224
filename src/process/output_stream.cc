#include "process/output_stream.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

namespace hf::process {
namespace {

// One pipe's capacity: more in one go would keep the loop from everybody else.
constexpr std::size_t kReadPerTurn = 64 * 1024;
constexpr std::size_t kReadAtEnd = 1024 * 1024;

}  // namespace

OutputStream::OutputStream(boost::asio::io_context& io, UniqueFd fd, LineBuffer::OnLine on_line)
    : stream_(io, fd.release()), on_line_(std::move(on_line)) {}

void OutputStream::start(std::shared_ptr<void> owner) {
  wait(std::move(owner));
}

void OutputStream::wait(std::shared_ptr<void> owner) {
  // Wait, then read ourselves: a read that Asio had already done when finish() drains the pipe
  // would deliver its bytes after the later ones.
  stream_.async_wait(
      boost::asio::posix::stream_descriptor::wait_read,
      [this, owner = std::move(owner)](const boost::system::error_code& error) mutable {
        if (error || !stream_.is_open()) {
          return;
        }
        if (read_available(kReadPerTurn) && stream_.is_open()) {
          wait(std::move(owner));
        } else {
          finish();
        }
      });
}

bool OutputStream::read_available(std::size_t budget) {
  std::array<char, 16 * 1024> buffer;
  while (budget >= buffer.size() && stream_.is_open()) {
    const ssize_t got = ::read(stream_.native_handle(), buffer.data(), buffer.size());
    if (got > 0) {
      lines_.feed(std::string_view(buffer.data(), static_cast<std::size_t>(got)), on_line_);
      budget -= buffer.size();
    } else if (got == 0) {
      return false;
    } else if (errno != EINTR) {
      return errno == EAGAIN;
    }
  }
  return true;
}

void OutputStream::finish() {
  if (!stream_.is_open()) {
    return;
  }
  read_available(kReadAtEnd);
  lines_.finish(on_line_);
  stream_.close();
}

}  // namespace hf::process
