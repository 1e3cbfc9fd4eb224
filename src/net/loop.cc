#include "net/loop.h"

#include <optional>
#include <utility>

#include "base/assert.h"
#include "net/asio.h"

namespace hf::net {

class Loop::Impl {
 public:
  void wait_for_signal() {
    signals->async_wait([this](error_code ec, int number) {
      if (!ec) {
        wait_for_signal();
        on_signal(number);
      }
    });
  }

  asio::io_context io{1};
  std::optional<asio::signal_set> signals;
  std::function<void(int)> on_signal;
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

boost::asio::io_context& Loop::context() {
  return impl_->io;
}

void Loop::run() {
  impl_->io.restart();
  impl_->io.run();
}

void Loop::stop() {
  impl_->io.stop();
}

void Loop::run_ready() {
  impl_->io.restart();
  impl_->io.poll();
}

void Loop::after(Duration delay, std::function<void()> action) {
  auto timer = std::make_shared<asio::steady_timer>(impl_->io, delay);
  timer->async_wait([timer, action = std::move(action)](error_code ec) {
    if (!ec) {
      action();
    }
  });
}

void Loop::on_signal(const std::vector<int>& numbers, std::function<void(int)> action) {
  HF_ASSERT(!impl_->signals, "signals are caught already");
  impl_->signals.emplace(impl_->io);
  impl_->on_signal = std::move(action);
  for (const int number : numbers) {
    error_code ec;
    impl_->signals->add(number, ec);
    HF_ASSERT(!ec, "a signal that cannot be caught");
  }
  impl_->wait_for_signal();
}

void Loop::release_signals() {
  if (impl_->signals) {
    error_code ignored;
    impl_->signals->clear(ignored);
    impl_->signals->cancel(ignored);
  }
}

}  // namespace hf::net
