#pragma once
// Reads one output pipe of a child, line by line, as fast as the child writes: a child must never
// wait because nobody reads its log. One loop thread.

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>

#include "process/lines.h"
#include "process/unique_fd.h"

namespace hf::process {

class OutputStream {
 public:
  // Borrows the context. `fd` is non-blocking. `on_line` may be called until finish() returns.
  OutputStream(boost::asio::io_context& io, UniqueFd fd, LineBuffer::OnLine on_line);

  // Begins to read; holds `owner`, whose member this is, while a read is under way.
  void start(std::shared_ptr<void> owner);
  // Reads what is in the pipe now (at most 1 MiB), passes on an unfinished last line, closes. For
  // when the writer is dead: it does not wait for the end of the file, which a survivor could hold
  // back.
  void finish();

 private:
  void wait(std::shared_ptr<void> owner);
  // Reads until the pipe is empty or `budget` bytes were taken; false at the end of the file.
  bool read_available(std::size_t budget);

  boost::asio::posix::stream_descriptor stream_;
  LineBuffer::OnLine on_line_;
  LineBuffer lines_;
};

}  // namespace hf::process
