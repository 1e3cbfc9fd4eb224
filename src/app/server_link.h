#pragma once
// How a command reaches the running server: where it is (HOLDFAST_HOST), whom to believe that it is
// (HOLDFAST_CA), with which key (HOLDFAST_API_KEY), and what its errors mean to the person at the
// terminal. Blocking; any thread.

#include <boost/json/value.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hf::app {

struct Answer {
  int status = 0;
  std::string body;          // as it came
  boost::json::value value;  // parsed; null if it was no JSON

  [[nodiscard]] bool good() const { return status >= 200 && status < 300; }
};

struct Question {
  std::string method = "GET";
  std::string target;  // percent-encoded, from "/" on
  // none: as long as it takes (a load may wait for other people's answers)
  std::optional<std::chrono::seconds> within{std::chrono::seconds(30)};
};

// Asks the server. Prints what went wrong, with the next step, when there is no answer at all; the
// exit code is in the error then (its message was shown).
tl::expected<Answer, int> ask(const Question& question);

// The server's answer if one answers, and where it is. Prints nothing but that HOLDFAST_HOST is
// wrong.
struct Found {
  std::string place;  // "HOST:PORT"
  bool here = false;  // by a loopback address: on this machine, unless it is a tunnel
  Answer answer;
};
std::optional<Found> ask_if_there(const Question& question);

// Prints the server's error with its hint and returns the exit code. Requires: !answer.good().
int report(const Answer& answer);

// Prints the answer itself (--json, errors included) or the lines that `text` makes of it; returns
// the exit code.
int show(const tl::expected<Answer, int>& answer, bool as_json,
         const std::function<std::string(const boost::json::value&)>& text);

// "/api/v1/models/NAME/VERB" with the name encoded.
std::string model_target(std::string_view model, std::string_view verb);

// The state of a model in words: "absent" is "not loaded", the others speak for themselves.
std::string state_word(const std::string& state);

// The text of a member, "" if it is not there or no text; 0 and 0.0 likewise.
std::string text_at(const boost::json::value& value, std::string_view key);
double number_at(const boost::json::value& value, std::string_view key);
// The member, or null.
const boost::json::value& member(const boost::json::value& value, std::string_view key);
// What an element of `waiting` waits for, in words: "waits for a turn of a, b to end".
std::string waits_text(const boost::json::value& wait);
// The elements of a list, none if it is no list.
const boost::json::array& list_at(const boost::json::value& value, std::string_view key);
// The texts of a list joined by ", ".
std::string joined(const boost::json::value& value, std::string_view key);

}  // namespace hf::app
