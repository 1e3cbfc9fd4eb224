#include "app/users_text.h"

#include <boost/json/array.hpp>

#include "app/server_link.h"

namespace hf::app {
namespace {

constexpr std::size_t kShownAtMost = 3;

std::string one(const boost::json::value& use) {
  const auto running = static_cast<int>(number_at(use, "running"));
  const auto waiting = static_cast<int>(number_at(use, "waiting"));
  std::string text = text_at(use, "name") + " ";
  if (running > 0) {
    text += std::to_string(running);
  }
  if (waiting > 0) {
    text += (running > 0 ? " + " : "") + std::to_string(waiting) + " waiting";
  }
  return text;
}

}  // namespace

std::string users_text(const boost::json::value& model) {
  std::string text;
  std::size_t shown = 0;
  const boost::json::array& users = list_at(model, "users");
  for (const boost::json::value& use : users) {
    if (shown == kShownAtMost) {
      return text + ", +" + std::to_string(users.size() - shown) + " more";
    }
    text += (shown++ == 0 ? "" : ", ") + one(use);
  }
  return text;
}

}  // namespace hf::app
