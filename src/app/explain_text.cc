#include "app/explain_text.h"

#include <array>
#include <boost/json/array.hpp>
#include <cmath>
#include <cstdio>

#include "app/server_link.h"
#include "app/terminal.h"
#include "app/users_text.h"
#include "base/units.h"

namespace hf::app {
namespace {

namespace json = boost::json;

std::string seconds_text(const json::value& value, std::string_view key) {
  return format_duration(duration_of_seconds(number_at(value, key)));
}

std::string count_text(const json::value& value, std::string_view key) {
  return std::to_string(static_cast<std::int64_t>(number_at(value, key)));
}

std::string bytes_text(const json::value& value, std::string_view key) {
  return format_bytes(Bytes(static_cast<std::int64_t>(number_at(value, key))));
}

std::string failure_text(const json::value& failure) {
  const std::string ago = seconds_text(failure, "age_s") + " ago";
  if (member(failure, "of_file") == json::value(true)) {
    return "  last attempt: its file was looked at " + ago + "\n";
  }
  const auto in_a_row = static_cast<int>(number_at(failure, "in_a_row"));
  return "  last attempt: failed " + ago +
         (in_a_row > 1 ? ", " + std::to_string(in_a_row) + " in a row" : "") + ": " +
         text_at(failure, "cause") + "\n";
}

// What a request would be told now, when it was tried, and what to do.
std::string trouble_text(const json::value& model) {
  std::string text;
  const json::value& refused = member(model, "refused");
  if (refused.is_object()) {
    text += "  refused now: " + coloured(Colour::Red, text_at(refused, "message")) + "\n";
  } else if (const std::string problem = text_at(model, "problem"); !problem.empty()) {
    text += "  problem: " + coloured(Colour::Red, problem) + "\n";
  }
  if (const json::value& failure = member(model, "last_failure"); failure.is_object()) {
    text += failure_text(failure);
  }
  if (member(model, "retry_in_s").is_number()) {
    text += "  next attempt: allowed in " + seconds_text(model, "retry_in_s") + "\n";
  }
  if (const std::string pin = text_at(model, "pin_problem"); !pin.empty()) {
    text += "  pin: it " + coloured(Colour::Yellow, pin) + "\n";
  }
  if (const std::string hint = text_at(refused, "hint"); !hint.empty()) {
    text += "    -> " + hint + "\n";
  }
  return text;
}

std::string model_text(const json::value& model) {
  std::string text = coloured(Colour::Bold, text_at(model, "name")) + " is " +
                     state_word(text_at(model, "state")) + ", for " +
                     seconds_text(model, "in_state_s") + "\n";
  text += "  uses: " + count_text(model, "use_count") +
          "; running now: " + count_text(model, "leases") + " of " + count_text(model, "slots") +
          ", waiting: " + count_text(model, "waiting") + "\n";
  if (const std::string users = users_text(model); !users.empty()) {
    text += "  used by: " + users + "\n";
  }
  if (number_at(model, "bytes_reserved") > 0) {
    text += "  memory: " + bytes_text(model, "bytes_reserved") + " reserved, " +
            bytes_text(model, "bytes_measured") + " measured at most\n";
  } else if (number_at(model, "bytes_estimated") > 0) {  // 0: its file could not be read
    text += "  memory: needs " + bytes_text(model, "bytes_estimated") + "\n";
  }
  return text + trouble_text(model);
}

std::string wait_text(const json::value& wait) {
  if (!wait.is_object()) {
    return "  nobody waits for it\n";
  }
  std::string text = "  " + waits_text(wait);
  text += ", place " + count_text(wait, "position") + ", the oldest request for " +
          seconds_text(wait, "oldest_s");
  if (member(wait, "eta_s").is_number()) {
    text += "; expected in " + seconds_text(wait, "eta_s");
  }
  if (!member(wait, "bound_s").is_number()) {
    return text + "; the latest time is not known yet\n";
  }
  text += "; served in " + seconds_text(wait, "bound_s") + " at the latest\n";
  return text + "  that is what is left of: " + text_at(member(wait, "bound_terms"), "text") + "\n";
}

std::string requests_text(const json::array& requests) {
  std::string text = requests.empty() ? "" : "requests that wait\n";
  for (const json::value& request : requests) {
    const std::string user = text_at(request, "user");
    text += "  " + count_text(request, "place") + ". " + user + (user.empty() ? "for " : " for ") +
            seconds_text(request, "waited_s");
    if (member(request, "eta_s").is_number()) {
      text += ", expected in " + seconds_text(request, "eta_s");
    }
    if (member(request, "bound_s").is_number()) {
      text += ", at the latest in " + seconds_text(request, "bound_s");
    }
    text += "\n";
  }
  return text;
}

// What bringing it back costs and how long its answers can be.
std::string costs_text(const json::value& costs, bool command) {
  if (!costs.is_object()) {
    return {};  // an older server
  }
  std::string text = "  loading it: about " + seconds_text(costs, "reload_s");
  std::string known;
  const auto add = [&known](const std::string& fact) {
    known += (known.empty() ? "" : ", ") + fact;
  };
  if (member(costs, "page_cache_share").is_number()) {
    add(std::to_string(std::lround(number_at(costs, "page_cache_share") * 100)) +
        " % of its file is in the page cache");
  }
  const auto add_load = [&](const std::string& from, const std::string& key) {
    if (member(costs, key + "_s").is_number()) {
      const bool estimated = member(costs, key + "_estimated") == json::value(true);
      add(from + (estimated ? " about " : " it took ") + seconds_text(costs, key + "_s") +
          (estimated ? " (estimated)" : ""));
    }
  };
  if (command) {
    add_load("so far", "load_cached");
  } else {
    add_load("from the page cache", "load_cached");
    add_load("from the disk", "load_cold");
  }
  text += (known.empty() ? "" : " (" + known + ")") + "\n";
  if (!member(costs, "longest_answer_s").is_number()) {
    return text + "  longest answer: not known yet, no model was measured\n";
  }
  text += "  longest answer: " + seconds_text(costs, "longest_answer_s");
  const bool measured = member(costs, "longest_answer_measured") == json::value(true);
  if (command) {
    return text + (measured ? ", the slowest so far\n" : ", as configured\n");
  }
  text += measured ? ", from its slowest" : ", estimated from other models";
  const auto rate = [&costs](std::string_view key) {
    std::array<char, 32> figure{};
    std::snprintf(figure.data(), figure.size(), "%.4g", number_at(costs, key));
    return std::string(figure.data());
  };
  if (member(costs, "slowest_prefill_tokens_per_s").is_number()) {
    text += (measured ? " " : "; measured ") + rate("slowest_prefill_tokens_per_s") +
            " tokens/s of a prompt";
  }
  if (member(costs, "slowest_decode_tokens_per_s").is_number()) {
    text += (measured ? " and " : "; measured ") + rate("slowest_decode_tokens_per_s") +
            " tokens/s of an answer";
  }
  return text + "\n";
}

}  // namespace

std::string explain_text(const json::value& story) {
  std::string text = model_text(member(story, "model"));
  // Of a file that cannot be read nothing is known.
  if (text_at(member(story, "model"), "problem").empty()) {
    text +=
        costs_text(member(story, "costs"), text_at(member(story, "model"), "kind") == "command");
  }
  text += wait_text(member(story, "waiting"));
  text += requests_text(list_at(story, "requests"));
  const json::array& decisions = list_at(story, "decisions");
  text += decisions.empty() ? "no decisions about it yet\n" : "last decisions\n";
  for (const json::value& decision : decisions) {
    text += "  " + seconds_text(decision, "age_s") + " ago  " + text_at(decision, "event") + ": " +
            text_at(decision, "text") + "\n";
  }
  return text;
}

}  // namespace hf::app
