#pragma once
// Tool calls of an answer, put together from the pieces that come. Why collected: OpenAI's API
// streams the arguments letter by letter, Ollama's gives each call once, as an object. Not thread
// safe.

#include <boost/json/array.hpp>
#include <cstddef>
#include <string>
#include <vector>

namespace hf::ollama {

class ToolCalls {
 public:
  // The elements of a `tool_calls` of OpenAI's API, whole or in pieces. What does not look like one
  // is passed over. False: too much came.
  bool add(const boost::json::array& pieces);

  [[nodiscard]] bool empty() const { return calls_.empty(); }
  // In Ollama's form. Calls whose arguments are no object (the answer was cut in them) are left
  // out: a tool must not be called with half of them.
  [[nodiscard]] boost::json::array whole() const;
  // True if one was left out.
  [[nodiscard]] bool cut() const { return whole().size() < calls_.size(); }

 private:
  struct Call {
    std::string id;
    std::string name;
    std::string arguments;
  };

  std::vector<Call> calls_;
  std::size_t bytes_ = 0;
};

}  // namespace hf::ollama
