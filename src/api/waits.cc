#include "api/waits.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "api/json_values.h"
#include "core/bound.h"

namespace hf::api {
namespace {

namespace json = boost::json;

json::value terms_value(const core::BoundTerms& terms, bool known) {
  if (!known) {
    return nullptr;
  }
  return json::object{{"standing", core::name_of(terms.standing)},
                      {"patience_s", rounded_seconds(terms.patience)},
                      {"turn_s", rounded_seconds(terms.turn)},
                      {"answer_s", rounded_seconds(terms.answer)},
                      {"load_s", rounded_seconds(terms.load)},
                      {"stop_s", rounded_seconds(terms.stop)},
                      {"ahead", terms.ahead},
                      {"place", terms.place},
                      {"slots", terms.slots},
                      {"models", terms.models},
                      {"text", core::describe(terms)}};
}

std::string whole_ms(Duration duration) {
  return std::to_string(millis_of(duration));
}

std::string seconds_term(std::string_view name, Duration duration) {
  // Three digits after the point, and none that say nothing.
  std::string text = std::to_string(std::llround(seconds_of(duration) * 1e3));
  text.insert(0, text.size() < 4 ? 4 - text.size() : 0, '0');
  text.insert(text.size() - 3, ".");
  while (text.back() == '0') {
    text.pop_back();
  }
  if (text.back() == '.') {
    text.pop_back();
  }
  return std::string(name) + "=" + text;
}

// Names more than this are only counted: a header that lists a hundred models helps nobody, and
// some clients refuse long ones.
constexpr std::size_t kNamesShown = 8;

// Percent-encoded but for what needs it neither in a header nor in this list.
std::string header_name(std::string_view name) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/:";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string text;
  for (const char c : name) {
    if (kPlain.find(c) != std::string_view::npos) {
      text += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    text += '%';
    text += kHex[byte >> 4U];
    text += kHex[byte & 15U];
  }
  return text;
}

// "turn; a, b, +3"
std::string waiting_for_text(const engine::Promise& promise) {
  std::string text(core::name_of(promise.waiting_for));
  const std::size_t count = promise.blockers.size();
  for (std::size_t i = 0; i < std::min(count, kNamesShown); ++i) {
    text += (i == 0 ? "; " : ", ") + header_name(promise.blockers[i]);
  }
  return count <= kNamesShown ? text : text + ", +" + std::to_string(count - kNamesShown);
}

}  // namespace

json::object wait_object(const engine::WaitStatus& wait) {
  const core::WaitView& view = wait.view;
  return {{"model", wait.model},
          {"requests", view.requests},
          {"oldest_s", rounded_seconds(view.oldest)},
          {"position", view.position},
          {"eta_s", optional_seconds(view.eta)},
          {"bound_s", optional_seconds(view.bound)},
          {"bound_terms", terms_value(view.terms, view.bound.has_value())},
          {"waiting_for", core::name_of(view.waiting_for)},
          {"blockers", names_array(wait.blockers)}};
}

json::array tickets_array(const std::vector<core::TicketView>& tickets) {
  json::array array;
  for (const core::TicketView& ticket : tickets) {
    array.push_back(
        json::object{{"request", std::to_string(ticket.ticket.value)},
                     {"place", ticket.place},
                     {"waited_s", rounded_seconds(ticket.waited)},
                     {"eta_s", optional_seconds(ticket.eta)},
                     {"bound_s", optional_seconds(ticket.bound)},
                     {"bound_terms", terms_value(ticket.terms, ticket.bound.has_value())}});
  }
  return array;
}

void name_users(json::array& array, const std::vector<core::TicketView>& tickets,
                const std::map<UserId, std::string>& names) {
  for (std::size_t i = 0; i < tickets.size(); ++i) {
    if (const auto found = names.find(tickets[i].user); found != names.end()) {
      array.at(i).as_object()["user"] = found->second;
    }
  }
}

void add_promise_headers(const engine::Promise& promise, std::vector<net::Header>& headers) {
  const core::TicketView& ticket = promise.ticket;
  headers.push_back({"x-holdfast-position", std::to_string(ticket.position)});
  if (ticket.eta) {
    headers.push_back({"x-holdfast-eta-ms", whole_ms(*ticket.eta)});
  }
  if (ticket.bound) {
    const core::BoundTerms& terms = ticket.terms;
    headers.push_back({"x-holdfast-bound-ms", whole_ms(*ticket.bound)});
    headers.push_back(
        {"x-holdfast-bound-terms",
         std::string(core::name_of(terms.standing)) + "; " + seconds_term("P", terms.patience) +
             "; " + seconds_term("Q", terms.turn) + "; " + seconds_term("R", terms.answer) + "; " +
             seconds_term("L", terms.load) + "; " + seconds_term("U", terms.stop) +
             "; n=" + std::to_string(terms.ahead) + "; j=" + std::to_string(terms.place) +
             "; S=" + std::to_string(terms.slots) + "; M=" + std::to_string(terms.models)});
  }
  headers.push_back({"x-holdfast-waiting-for", waiting_for_text(promise)});
}

void add_served_headers(std::string_view model, Duration waited,
                        std::vector<net::Header>& headers) {
  headers.push_back({"x-holdfast-model", std::string(model)});
  headers.push_back({"x-holdfast-waited-ms", std::to_string(millis_of(waited))});
}

}  // namespace hf::api
