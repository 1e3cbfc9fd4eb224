#include "app/running_server.h"

#include <boost/json/array.hpp>
#include <chrono>

#include "app/server_link.h"

namespace hf::app {
namespace {

namespace json = boost::json;

// /health answers in milliseconds; who does not is asked no more.
constexpr std::chrono::seconds kServerAnswers{3};

std::optional<Bytes> bytes_at(const json::value& value, std::string_view key) {
  const json::value& found = member(value, key);
  return found.is_number() ? std::optional(Bytes(found.to_number<std::int64_t>())) : std::nullopt;
}

}  // namespace

std::optional<engine::RunningServer> find_running_server() {
  Question question{"GET", "/health"};
  question.within = kServerAnswers;
  const auto found = ask_if_there(question);
  if (!found || text_at(found->answer.value, "status").empty()) {
    return std::nullopt;
  }
  const json::value& health = found->answer.value;
  engine::RunningServer server;
  server.place = found->place;
  server.here = found->here;
  server.budget = bytes_at(member(health, "memory"), "budget_bytes");
  server.reserved = bytes_at(member(health, "memory"), "reserved_bytes");
  if (member(health, "cached_models").is_array()) {
    server.loaded = static_cast<int>(list_at(health, "cached_models").size());
  }
  return server;
}

}  // namespace hf::app
