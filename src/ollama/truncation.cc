#include "ollama/truncation.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "base/utf8.h"
#include "ollama/json.h"

namespace hf::ollama {
namespace {

namespace json = boost::json;

// Marks that a tokenizer puts around a text.
constexpr std::size_t kMarksMax = 8;
// Tokens of more letters exist for rows of blanks; a text that is longer than so many for each
// token is cut before it is counted.
constexpr std::size_t kBytesPerToken = 256;

// The first `most` bytes, without a part of a character.
std::string_view front(std::string_view text, std::size_t most) {
  if (text.size() <= most) {
    return text;
  }
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end);
}

std::optional<std::vector<std::int64_t>> tokens_of(std::string_view body) {
  boost::system::error_code ec;
  const json::value value = json::parse(body, ec);
  const json::object* object = ec ? nullptr : value.if_object();
  const json::array* list = object != nullptr ? array_at(*object, "tokens") : nullptr;
  if (list == nullptr) {
    return std::nullopt;
  }
  std::vector<std::int64_t> tokens;
  tokens.reserve(list->size());
  for (const json::value& each : *list) {
    const std::int64_t* token = each.if_int64();
    if (token == nullptr) {
      return std::nullopt;
    }
    tokens.push_back(*token);
  }
  return tokens;
}

}  // namespace

Truncation::Truncation(std::string_view body, std::int64_t tokens_max)
    : tokens_max_(static_cast<std::size_t>(std::max<std::int64_t>(tokens_max, 1))) {
  boost::system::error_code ec;
  const json::value value = json::parse(body, ec);
  const json::object* object = ec ? nullptr : value.if_object();
  const json::array* input = object != nullptr ? array_at(*object, "input") : nullptr;
  if (input == nullptr) {
    return;
  }
  model_ = text_at(*object, "model");
  for (const json::value& each : *input) {
    const json::string* text = each.if_string();
    inputs_.push_back(Input{text != nullptr ? std::string(view(*text)) : std::string(), {}});
    // A token has a byte at least.
    if (inputs_.back().text.size() + kMarksMax > tokens_max_) {
      asked_.push_back(inputs_.size() - 1);
    }
  }
  std::reverse(asked_.begin(), asked_.end());
}

std::optional<std::string> Truncation::question() const {
  if (asked_.empty()) {
    return std::nullopt;
  }
  const std::string_view text =
      frame_ ? front(inputs_[asked_.back()].text, tokens_max_ * kBytesPerToken)
             : std::string_view();
  json::object question{{"model", model_}, {"content", text}};
  question["add_special"] = true;
  return json::serialize(question);
}

bool Truncation::take_answer(std::string_view body) {
  std::optional<std::vector<std::int64_t>> tokens = tokens_of(body);
  if (!tokens || asked_.empty()) {
    return false;
  }
  if (!frame_) {
    frame_ = std::move(tokens);
    return true;
  }
  if (tokens->size() > tokens_max_) {
    inputs_[asked_.back()].tokens = cut(std::move(*tokens));
  }
  asked_.pop_back();
  return true;
}

// The text's own tokens from the end, so that the mark that some models want there stays.
std::vector<std::int64_t> Truncation::cut(std::vector<std::int64_t> tokens) const {
  std::size_t before = 0;
  while (before < frame_->size() && before < tokens.size() && (*frame_)[before] == tokens[before]) {
    ++before;
  }
  const std::size_t after = std::min(frame_->size() - before, tokens_max_);
  tokens.resize(tokens_max_ - after);
  tokens.insert(tokens.end(), frame_->end() - static_cast<std::ptrdiff_t>(after), frame_->end());
  return tokens;
}

std::optional<std::string> Truncation::mended() const {
  json::array input;
  bool any = false;
  for (const Input& each : inputs_) {
    if (each.tokens.empty()) {
      input.emplace_back(each.text);
    } else {
      any = true;
      input.emplace_back(json::array(each.tokens.begin(), each.tokens.end()));
    }
  }
  if (!any) {
    return std::nullopt;
  }
  json::object body{{"model", model_}, {"input", std::move(input)}};
  body["encoding_format"] = "float";
  return json::serialize(body);
}

}  // namespace hf::ollama
