#include "net/request_id.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <random>

namespace hf::net {
namespace {

constexpr std::size_t kRequestIdMax = 128;
constexpr std::string_view kSane =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

}  // namespace

std::string new_request_id() {
  thread_local std::mt19937_64 generator{(std::uint64_t{std::random_device{}()} << 32) |
                                         std::random_device{}()};
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx",
                static_cast<unsigned long long>(generator()));
  return digits.data();
}

std::string request_id_of(const RequestHead& head) {
  const std::string_view sent = head.header("x-request-id");
  const bool sane = !sent.empty() && sent.size() <= kRequestIdMax &&
                    sent.find_first_not_of(kSane) == std::string_view::npos;
  return sane ? std::string(sent) : new_request_id();
}

}  // namespace hf::net
