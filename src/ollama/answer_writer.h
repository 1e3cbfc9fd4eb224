#pragma once
// The objects of an answer as Ollama's API has them: pieces, the last one with its counts and
// times, and the empty ones that only say that the request is alive. Times are in nanoseconds.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "ollama/answer_plan.h"
#include "ollama/chunk.h"

namespace hf::ollama {

// Where time comes from; tests have their own.
struct Clock {
  std::function<std::int64_t()> unix_ns;
  std::function<TimePoint()> now;
};
Clock system_clock();

// When the request came and when a process was granted to it, by the clock's now().
struct Begun {
  TimePoint asked;
  TimePoint granted;
};

class AnswerWriter {
 public:
  AnswerWriter(AnswerPlan plan, Begun begun, Clock clock)
      : plan_(std::move(plan)), begun_(begun), clock_(std::move(clock)) {}

  // The first piece of the answer came: for engines that do not tell their times.
  void note_first();
  // One object without its end, of a piece. `tool_calls` in Ollama's form.
  [[nodiscard]] std::string piece(Chunk chunk, boost::json::array tool_calls) const;
  // The last object; `chunk` holds what is left of the text, or all of it.
  [[nodiscard]] std::string last(Chunk chunk, boost::json::array tool_calls,
                                 const std::string& warning) const;
  [[nodiscard]] std::int64_t total_ns() const { return (clock_.now() - begun_.asked).count(); }
  [[nodiscard]] std::int64_t load_ns() const { return (begun_.granted - begun_.asked).count(); }

 private:
  [[nodiscard]] boost::json::object object_of(Chunk chunk, boost::json::array tool_calls) const;

  AnswerPlan plan_;
  Begun begun_;
  Clock clock_;
  TimePoint first_{};
};

// The answer to a request that only loads or unloads. `reason`: "load" or "unload".
std::string done_object(const AnswerPlan& plan, std::string_view reason, const Clock& clock);

// One line for a request that waits: an empty piece of an answer, which clients of /api/chat and
// /api/generate take for nothing. `progress`: a JSON object that says how it stands, or "".
std::string waiting_line(Endpoint endpoint, std::string_view model, std::string_view progress,
                         const Clock& clock);

}  // namespace hf::ollama
