#pragma once
// Texts that are too long to be embedded, cut to what the model can read, as Ollama does unless it
// is told not to. Why in steps: only the engine can count tokens, so it is asked about each text
// that may be too long, and then gets the tokens that are left instead of the text. No I/O here:
// the owner carries questions and answers. Not thread safe.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hf::ollama {

class Truncation {
 public:
  // `body`: of a request to /v1/embeddings as read_request() makes it. `tokens_max`: of one text.
  Truncation(std::string_view body, std::int64_t tokens_max);

  // The body of the next question for the engine's /tokenize; nothing: all is known.
  [[nodiscard]] std::optional<std::string> question() const;
  // Its answer. False: it is none.
  bool take_answer(std::string_view body);

  // The request again, with the texts cut that were too long; nothing: none was.
  [[nodiscard]] std::optional<std::string> mended() const;

 private:
  struct Input {
    std::string text;
    std::vector<std::int64_t> tokens;  // empty: the text stays
  };

  [[nodiscard]] std::vector<std::int64_t> cut(std::vector<std::int64_t> tokens) const;

  std::string model_;
  std::size_t tokens_max_;
  std::vector<Input> inputs_;
  std::vector<std::size_t> asked_;  // places of those that may be too long, last first
  std::optional<std::vector<std::int64_t>> frame_;  // what an empty text becomes: marks around it
};

}  // namespace hf::ollama
