#include "ollama/truncation.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "base/utf8.h"
#include "net/json_any_size.h"
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

// Follows {"tokens": [numbers]} and stops when there are more than enough.
struct TokenHandler : net::JsonOfAnySize {
  using Ec = boost::system::error_code;
  using Text = json::string_view;

  explicit TokenHandler(std::size_t most) : tokens_most(most) {}

  std::size_t tokens_most;
  std::vector<std::int64_t> tokens;
  int depth = 0;
  std::string key;
  std::string new_key;
  bool in_list = false;
  bool found = false;  // the list has ended, or there are enough
  bool failed = false;

  bool element(std::optional<std::int64_t> token, Ec& ec) {
    if (!in_list) {
      return true;
    }
    failed = !token;
    if (token) {
      tokens.push_back(*token);
    }
    found = tokens.size() >= tokens_most;
    if (failed || found) {
      ec = json::make_error_code(json::error::incomplete);
    }
    return !failed && !found;
  }

  bool on_document_begin(Ec&) { return true; }
  bool on_document_end(Ec&) { return true; }
  bool on_object_begin(Ec& ec) {
    ++depth;
    return element(std::nullopt, ec);
  }
  bool on_object_end(std::size_t, Ec&) {
    --depth;
    return true;
  }
  bool on_array_begin(Ec& ec) {
    const bool going_on = element(std::nullopt, ec);
    in_list = in_list || (depth == 1 && key == "tokens");
    ++depth;
    return going_on;
  }
  bool on_array_end(std::size_t, Ec&) {
    --depth;
    found = found || in_list;
    in_list = false;
    return true;
  }
  bool on_key_part(Text piece, std::size_t, Ec&) {
    new_key.append(piece.data(), piece.size());
    return true;
  }
  bool on_key(Text piece, std::size_t size, Ec& ec) {
    on_key_part(piece, size, ec);
    key = std::exchange(new_key, {});
    return true;
  }
  bool on_string_part(Text, std::size_t, Ec&) { return true; }
  bool on_string(Text, std::size_t, Ec& ec) { return element(std::nullopt, ec); }
  bool on_number_part(Text, Ec&) { return true; }
  bool on_int64(std::int64_t value, Text, Ec& ec) { return element(value, ec); }
  bool on_uint64(std::uint64_t, Text, Ec& ec) { return element(std::nullopt, ec); }
  bool on_double(double, Text, Ec& ec) { return element(std::nullopt, ec); }
  bool on_bool(bool, Ec& ec) { return element(std::nullopt, ec); }
  bool on_null(Ec& ec) { return element(std::nullopt, ec); }
  bool on_comment_part(Text, Ec&) { return true; }
  bool on_comment(Text, Ec&) { return true; }
};

// The first `most` of them.
std::optional<std::vector<std::int64_t>> tokens_of(std::string_view body, std::size_t most) {
  json::basic_parser<TokenHandler> parser(json::parse_options{}, most);
  boost::system::error_code ec;
  parser.write_some(false, body.data(), body.size(), ec);
  TokenHandler& handler = parser.handler();
  if (handler.failed || !handler.found || (ec && handler.tokens.size() < most)) {
    return std::nullopt;
  }
  return std::move(handler.tokens);
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
  std::optional<std::vector<std::int64_t>> tokens = tokens_of(body, tokens_max_ + 1);
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
