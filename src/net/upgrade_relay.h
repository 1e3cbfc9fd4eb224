#pragma once
// What follows an upstream's 101: from then on the connection is no HTTP any more (WebSocket, for
// example), and each side's bytes go to the other as they come, with back-pressure and a few
// buffers of fixed size. Why a class of its own: a relay watches for a client that leaves, here the
// client's bytes and its half-close are part of the talk. Loop thread.
//
// The end: what one side closes is closed towards the other; then the other direction has a short
// time to finish. A side that breaks cuts both. Nothing limits a silent talk: a dead client is
// noticed by keep-alive, the upstream is on this machine.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "net/client_connection.h"
#include "net/exchange.h"
#include "net/signal.h"
#include "net/upstream_connect.h"

namespace hf::net {

struct UpgradeEnds {
  ClientConnection& client;
  UpstreamSocket& upstream;
  Signal& abort;
  StallWatch& stall;
};

class UpgradeRelay {
 public:
  // Borrows the ends, which outlive run().
  UpgradeRelay(const UpgradeEnds& ends, std::function<void()> on_first_byte);
  UpgradeRelay(const UpgradeRelay&) = delete;
  UpgradeRelay& operator=(const UpgradeRelay&) = delete;

  // `input`: what the upstream sent behind its 101. What the client sent behind its request is in
  // its connection's input().
  Task<void> run(std::string input);

  // All three require run() to have returned.
  [[nodiscard]] RelayEnd end() const;
  // The client got all that the upstream sent, and its end.
  [[nodiscard]] bool whole() const { return whole_; }
  [[nodiscard]] std::uint64_t bytes_to_client() const { return bytes_to_client_; }

 private:
  static constexpr std::size_t kPieceBytes = 16 * 1024;

  Task<void> both_ways();
  Task<void> to_client();
  Task<void> to_upstream();
  Task<bool> send_to_client(std::string_view bytes);
  Task<bool> send_to_upstream();
  Task<void> upstream_takes_more();
  Task<void> limit_the_end();
  void cut(std::optional<RelayEnd> end);

  UpgradeEnds ends_;
  std::function<void()> on_first_byte_;
  Signal closing_;                         // one direction has ended
  Signal cut_;                             // nothing more can come of either
  std::array<char, kPieceBytes> piece_{};  // from the upstream
  std::string early_;                      // the same, from before run()
  std::string outgoing_;                   // from the client
  std::optional<RelayEnd> end_;
  std::uint64_t bytes_to_client_ = 0;
  bool client_leaves_ = false;  // seen while what it sent before is still to be passed on
  bool client_closed_ = false;
  bool upstream_closed_ = false;
  bool late_ = false;
  bool whole_ = false;
};

}  // namespace hf::net
