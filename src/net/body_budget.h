#pragma once
// What all bodies of requests may hold together. Why: thousands of connections may each bring one
// of the largest size, and whoever waits in a queue holds its body all the while, in a server that
// is here to keep memory within a budget. Small ones are not counted, so that commands and short
// requests get through when large ones have taken everything. Loop thread.

#include <cstdint>
#include <memory>
#include <utility>

namespace hf::net {

// A block up to this size costs nothing.
inline constexpr std::uint64_t kSmallBody = 64 * 1024;

class BodyBudget {
 public:
  // For those that grow from now on; what is held stays.
  void set_limit(std::uint64_t bytes) { limit_ = bytes; }
  [[nodiscard]] std::uint64_t held() const { return held_; }
  // Whether a body of that size could come in if no other grew.
  [[nodiscard]] bool has_room_for(std::uint64_t bytes) const {
    return bytes <= kSmallBody || (held_ <= limit_ && bytes <= limit_ - held_);
  }

 private:
  friend class BodyShare;

  std::uint64_t limit_ = 0;
  std::uint64_t held_ = 0;
};

// One body's part of it, given back at the end.
class BodyShare {
 public:
  explicit BodyShare(std::shared_ptr<BodyBudget> budget) : budget_(std::move(budget)) {}
  BodyShare(BodyShare&& other) noexcept = default;  // leaves no budget behind
  BodyShare& operator=(BodyShare&&) = delete;
  ~BodyShare();

  // Its block shall have this size, which is never less than before. False: no room, nothing
  // changed.
  bool grow_to(std::uint64_t bytes);

 private:
  std::shared_ptr<BodyBudget> budget_;
  std::uint64_t bytes_ = 0;
};

}  // namespace hf::net
