#include "net/upgrade_relay.h"

#include <utility>

#include "net/ends_well.h"

namespace hf::net {
namespace {

// For a WebSocket's closing handshake, and for what was on its way.
constexpr std::chrono::seconds kFinishTime{2};
// A child that dies closes its sockets like one that has finished; its end waits that long for the
// news (see relay.cc).
constexpr std::chrono::milliseconds kCloseGrace{100};

}  // namespace

UpgradeRelay::UpgradeRelay(const UpgradeEnds& ends, std::function<void()> on_first_byte)
    : ends_(ends),
      on_first_byte_(std::move(on_first_byte)),
      closing_(ends.client.executor()),
      cut_(ends.client.executor()) {}

Task<void> UpgradeRelay::run(std::string input) {
  using namespace asio::experimental::awaitable_operators;  // NOLINT: the only way to get them
  early_ = std::move(input);
  co_await (ends_.abort.wait() || cut_.wait() || limit_the_end() || ends_well(both_ways()));
}

RelayEnd UpgradeRelay::end() const {
  if (ends_.abort.raised()) {
    return RelayEnd::Aborted;
  }
  if (end_) {
    return *end_;
  }
  if (client_closed_ || upstream_closed_) {
    return RelayEnd::Complete;
  }
  return late_ && !client_leaves_ ? RelayEnd::UpstreamBroken : RelayEnd::ClientGone;
}

// `end`: nothing when it is for others to say, because this was cancelled or cut from outside.
void UpgradeRelay::cut(std::optional<RelayEnd> end) {
  if (!end_) {
    end_ = end;
  }
  cut_.raise();
}

Task<void> UpgradeRelay::both_ways() {
  using namespace asio::experimental::awaitable_operators;  // NOLINT: the only way to get them
  co_await (to_client() && to_upstream());
}

Task<void> UpgradeRelay::limit_the_end() {
  co_await closing_.wait();
  if (!closing_.raised()) {
    co_return;
  }
  asio::steady_timer timer(ends_.client.executor());
  timer.expires_after(kFinishTime);
  auto [cancelled] = co_await timer.async_wait(kAwait);
  late_ = !cancelled;
}

Task<void> UpgradeRelay::to_client() {
  bool going_on = co_await send_to_client(early_);
  early_.clear();
  while (going_on) {
    auto [ec, count] = co_await ends_.upstream.async_read_some(asio::buffer(piece_), kAwait);
    if (ec == asio::error::eof) {
      break;
    }
    if (ec == asio::error::operation_aborted) {
      co_return;
    }
    if (ec) {
      cut(RelayEnd::UpstreamBroken);
      co_return;
    }
    going_on = co_await send_to_client(std::string_view(piece_.data(), count));
  }
  if (!going_on) {
    co_return;
  }
  asio::steady_timer grace(ends_.client.executor());
  grace.expires_after(kCloseGrace);
  auto [cancelled] = co_await grace.async_wait(kAwait);
  if (cancelled) {
    co_return;
  }
  upstream_closed_ = true;
  whole_ = true;
  ends_.client.shut_send();
  closing_.raise();
}

Task<bool> UpgradeRelay::send_to_client(std::string_view bytes) {
  std::string_view rest = bytes;
  const error_code ec = co_await ends_.client.write(rest, &ends_.stall);
  if (ec == asio::error::operation_aborted) {
    cut({});
  } else if (ec) {
    // Who has said good-bye before need not stay to hear the answer to it.
    cut(client_closed_ ? RelayEnd::Complete : RelayEnd::ClientGone);
  }
  const bool first = bytes_to_client_ == 0 && !bytes.empty();
  bytes_to_client_ += bytes.size() - rest.size();
  if (!ec && first && on_first_byte_) {
    on_first_byte_();
  }
  co_return !ec;
}

Task<void> UpgradeRelay::to_upstream() {
  error_code ec;
  for (;;) {
    if (ends_.client.input().empty()) {
      ec = co_await ends_.client.read_some(kPieceBytes);
    }
    if (ec) {
      break;
    }
    const std::string_view input = ends_.client.input();
    outgoing_.assign(input);
    ends_.client.consume(input.size());
    const bool sent = co_await send_to_upstream();
    if (!sent) {
      // What it still sends, and its end, are for the other direction to see.
      closing_.raise();
      co_return;
    }
  }
  if (ec == asio::error::eof) {
    client_closed_ = true;
    error_code ignored;  // it may be gone already
    ends_.upstream.shutdown(UpstreamSocket::shutdown_send, ignored);
    closing_.raise();
  } else if (ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor) {
    cut({});
  } else {
    cut(RelayEnd::ClientGone);
  }
}

// False: it takes no more, or this was cancelled.
Task<bool> UpgradeRelay::send_to_upstream() {
  using namespace asio::experimental::awaitable_operators;  // NOLINT: the only way to get them
  std::string_view rest = outgoing_;
  while (!rest.empty()) {
    error_code ec;
    rest.remove_prefix(ends_.upstream.write_some(asio::buffer(rest.data(), rest.size()), ec));
    if (!ec) {
      continue;
    }
    if (ec != asio::error::would_block && ec != asio::error::try_again) {
      co_return false;
    }
    if (client_leaves_) {
      co_await upstream_takes_more();
    } else {
      // An upstream that takes nothing must not hide that the client leaves.
      const auto first = co_await (upstream_takes_more() || ends_well(ends_.client.watch()));
      client_leaves_ = first.index() == 1;
    }
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      co_return false;
    }
    if (client_leaves_) {
      closing_.raise();
    }
  }
  co_return true;
}

Task<void> UpgradeRelay::upstream_takes_more() {
  // An error shows when it is written to again.
  [[maybe_unused]] auto [ec] =
      co_await ends_.upstream.async_wait(UpstreamSocket::wait_write, kAwait);
}

}  // namespace hf::net
