#pragma once
// A request body while it arrives: one contiguous block that grows in bounded steps, so that a
// client which claims 64 MiB and sends nothing costs nothing, with zeroed padding behind it for
// simdjson. Owns its memory; realloc (mremap for large blocks) grows it without copying. Loop
// thread.

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "net/body_budget.h"

namespace hf::net {

inline constexpr std::size_t kBodyPadding = 64;  // SIMDJSON_PADDING of simdjson 3

class BodyBuffer {
 public:
  explicit BodyBuffer(std::shared_ptr<BodyBudget> budget) : share_(std::move(budget)) {}

  // Free room behind what has arrived, at least one byte; empty when memory ran out, or the budget
  // did: see over_budget().
  std::span<char> room();
  // `count` bytes of the last room() were filled.
  void commit(std::size_t count);
  [[nodiscard]] bool over_budget() const { return over_budget_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  // Writes the padding. Call once when the body is complete. False: memory ran out.
  bool finish();
  // Valid until the buffer is moved from or destroyed. Requires finish().
  [[nodiscard]] std::string_view view() const { return {data_.get(), size_}; }

 private:
  bool reserve(std::size_t capacity);

  struct Free {
    void operator()(char* block) const { std::free(block); }
  };
  BodyShare share_;
  bool over_budget_ = false;
  std::unique_ptr<char, Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;  // without the padding
};

}  // namespace hf::net
