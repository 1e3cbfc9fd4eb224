#include <boost/json/basic_parser_impl.hpp>
#include <limits>
#include <vector>

#include "net/json_any_size.h"
#include "net/json_fields.h"

namespace hf::net {
namespace {

namespace json = boost::json;

// Follows the events of one document and looks only at the fields of the outermost object.
struct FieldHandler : JsonOfAnySize {
  using Ec = boost::system::error_code;
  using Text = json::string_view;

  CollectedFields found;
  SchemaWeight weight;
  std::size_t depth = 0;
  bool in_prompts = false;    // the value of the outermost field `key` is a list of prompts
  std::int64_t elements = 0;  // of that list, so far
  bool has_number = false;
  std::string key;
  std::string text;
  std::string last_key;  // in whatever depth; of a list's elements: the list's
  std::string new_key;
  std::string medium;
  std::vector<bool> lists;  // whether each of the objects and lists around is a list
  std::string schema_text;

  // Of the value that comes, "" in a list.
  std::string_view own_key() const {
    return lists.empty() || lists.back() ? std::string_view() : std::string_view(last_key);
  }

  // Once there are too many parts, nothing else matters, and each could be a definition to keep.
  bool weighs() const { return found.parts <= kPartsMax; }

  // May the string that comes be a picture, a sound or the address of one? What kind of object it
  // stands in may be said behind it, so that this is true of more than the other reader takes.
  bool may_be_medium() const {
    const bool by_itself = CollectedFields::holds_medium(last_key) && last_key != "source";
    return by_itself || CollectedFields::is_medium_text(last_key) ||
           last_key == CollectedFields::kMediaList;
  }

  // True: the value that begins now is that of an outermost field `key`; counts a model.
  bool at_field() const { return depth == 1 && found.is_object; }
  void other_value() {
    rest(kBytesPerValue);
    if (!at_field()) {
      return;
    }
    if (key == "model") {
      ++found.models;
      found.model_is_string = false;
      found.model.clear();
    } else if (key == "stream") {
      found.stream = false;
    }
  }
  // A string, an array or an object begins.
  void part() {
    ++found.parts;
    elements += depth == 2 && in_prompts ? 1 : 0;
  }
  void rest(std::size_t bytes) {
    found.rest += in_prompts || depth == 0 ? 0 : static_cast<std::int64_t>(bytes);
  }
  void number(std::optional<std::int64_t> value, double amount) {
    other_value();
    has_number = has_number || (depth == 2 && in_prompts);
    if (weighs()) {
      weight.number(own_key(), amount);
    }
    if (at_field() && CollectedFields::is_probability_count(key)) {
      found.add_probabilities(amount);
    }
    if (at_field() && CollectedFields::is_window(key)) {
      found.add_window(key, amount);
    }
    if (at_field() && value && CollectedFields::is_token_limit(key)) {
      found.add_token_limit(*value);
    }
  }

  bool on_document_begin(Ec&) { return true; }
  bool on_document_end(Ec&) { return true; }
  bool on_object_begin(Ec&) {
    other_value();
    part();
    found.is_object = found.is_object || depth == 0;
    if (weighs()) {
      weight.begin_object(own_key());
    }
    lists.push_back(false);
    ++depth;
    return true;
  }
  void container_end() {
    if (weighs()) {
      weight.end();
    }
    lists.pop_back();
    --depth;
  }
  bool on_object_end(std::size_t, Ec&) {
    container_end();
    return true;
  }
  bool on_array_begin(Ec&) {
    if (at_field() && CollectedFields::is_prompt_list(key)) {
      in_prompts = true;
      elements = 0;
      has_number = false;
    }
    other_value();
    part();
    if (weighs()) {
      weight.begin_list(own_key());
    }
    lists.push_back(true);
    ++depth;
    return true;
  }
  bool on_array_end(std::size_t, Ec&) {
    container_end();
    if (in_prompts && at_field()) {
      in_prompts = false;
      found.add_prompts(elements, has_number);
    }
    return true;
  }
  bool on_key_part(Text piece, std::size_t, Ec&) {
    new_key.append(piece.data(), piece.size());
    if (at_field()) {
      text.append(piece.data(), piece.size());
    } else {
      rest(piece.size());
    }
    return true;
  }
  bool on_key(Text piece, std::size_t, Ec& ec) {
    on_key_part(piece, 0, ec);
    ++found.parts;
    last_key.swap(new_key);
    new_key.clear();
    if (!at_field()) {
      rest(kBytesPerValue);
    } else {
      key.swap(text);
      text.clear();
    }
    return true;
  }
  bool on_string_part(Text piece, std::size_t, Ec&) {
    rest(piece.size());
    if (may_be_medium()) {
      medium.append(piece.data(), piece.size());
    }
    if (weighs() && weight.wants_text(own_key())) {
      schema_text.append(piece.data(), piece.size());
    }
    if (at_field() && key == "model") {
      text.append(piece.data(), piece.size());
    }
    return true;
  }
  bool on_string(Text piece, std::size_t, Ec& ec) {
    on_string_part(piece, 0, ec);
    other_value();
    part();
    if (weighs()) {
      weight.text(own_key(), schema_text);
    }
    schema_text.clear();
    if (may_be_medium()) {
      found.media.add(medium);
      medium.clear();
    }
    if (at_field() && key == "model") {
      found.model_is_string = true;
      found.model.swap(text);
      text.clear();
    }
    return true;
  }
  bool on_number_part(Text, Ec&) { return true; }
  bool on_int64(std::int64_t value, Text, Ec&) {
    number(value, static_cast<double>(value));
    return true;
  }
  bool on_uint64(std::uint64_t value, Text, Ec&) {
    number(std::numeric_limits<std::int64_t>::max(), static_cast<double>(value));
    return true;
  }
  bool on_double(double value, Text, Ec&) {
    number(std::nullopt, value);
    return true;
  }
  bool on_bool(bool value, Ec&) {
    other_value();
    if (weighs()) {
      weight.other(own_key());
    }
    if (at_field() && key == "stream") {
      found.stream = value;
    }
    return true;
  }
  bool on_null(Ec&) {
    other_value();
    if (weighs()) {
      weight.other(own_key());
    }
    return true;
  }
  bool on_comment_part(Text, Ec&) { return true; }
  bool on_comment(Text, Ec&) { return true; }
};

}  // namespace

BodyResult read_body_fields_by_events(std::string_view body, BodyRules rules) {
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::basic_parser<FieldHandler> parser(options);
  boost::system::error_code ec;
  const std::size_t used = parser.write_some(false, body.data(), body.size(), ec);
  if (ec) {
    return not_json(ec.message());
  }
  if (used != body.size() || !parser.done()) {
    return not_json("something follows the document");
  }
  CollectedFields found = std::move(parser.handler().found);
  found.schema_steps = parser.handler().weight.total();
  if (!rules.lists_are_tasks) {
    found.prompts = 0;
  }
  return verdict(std::move(found), rules);
}

}  // namespace hf::net
