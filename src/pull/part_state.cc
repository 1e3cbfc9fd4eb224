#include "pull/part_state.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>

namespace hf::pull {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, const char* key) {
  const json::value* found = object.if_contains(key);
  const json::string* text = found == nullptr ? nullptr : found->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

struct ContentRange {
  Bytes first;
  std::optional<Bytes> total;
};

std::optional<Bytes> number_at(std::string_view& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return Bytes(number);
}

bool skip(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) {
    return false;
  }
  text.remove_prefix(expected.size());
  return true;
}

// "bytes 100-199/200", "bytes 100-199/*" and, of a refusal, "bytes */200".
std::optional<ContentRange> parse_content_range(std::string_view text) {
  ContentRange range;
  if (!skip(text, "bytes ")) {
    return std::nullopt;
  }
  if (!skip(text, "*")) {
    const auto first = number_at(text);
    if (!first || !skip(text, "-") || !number_at(text)) {
      return std::nullopt;
    }
    range.first = *first;
  }
  if (!skip(text, "/")) {
    return std::nullopt;
  }
  range.total = number_at(text);
  return range;
}

}  // namespace

std::string to_json(const PartState& state) {
  json::object object{{"source", state.source}, {"etag", state.etag}, {"sha256", state.sha256}};
  object["size"] = state.size ? json::value(state.size->count) : json::value(nullptr);
  if (!state.found_sha256.empty()) {
    object["found_sha256"] = state.found_sha256;
  }
  return json::serialize(object) + "\n";
}

std::optional<PartState> parse_state(std::string_view text) {
  boost::system::error_code bad;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), bad);
  if (bad || !value.is_object()) {
    return std::nullopt;
  }
  const json::object& object = value.get_object();
  PartState state;
  state.source = text_of(object, "source");
  state.etag = text_of(object, "etag");
  state.sha256 = text_of(object, "sha256");
  state.found_sha256 = text_of(object, "found_sha256");
  if (const json::value* size = object.if_contains("size"); size != nullptr && size->is_int64()) {
    state.size = Bytes(size->get_int64());
  }
  return state;
}

Start where_to_start(const std::optional<PartState>& state, Bytes there, const Expected& expected) {
  if (there <= Bytes(0)) {
    return {};
  }
  const auto anew = [](std::string why) { return Start{Bytes(0), "", std::move(why)}; };
  if (!state) {
    return anew("nothing is known of the part that is there");
  }
  // The same bytes wherever they come from.
  const bool same_sum = !expected.sha256.empty() && state->sha256 == expected.sha256;
  if (!state->found_sha256.empty()) {
    return state->found_sha256 == expected.sha256
               ? Start{there, "", "", state->size}
               : anew("the part that is there has another checksum");
  }
  if (!same_sum && state->source != expected.source) {
    return anew("the part that is there is of another file");
  }
  if (!expected.sha256.empty() && !state->sha256.empty() && !same_sum) {
    return anew("the file has changed since");
  }
  if (expected.size &&
      (there > *expected.size || (state->size && *state->size != *expected.size))) {
    return anew("the file has changed since");
  }
  const std::string etag = state->source == expected.source ? state->etag : "";
  if (etag.empty() && expected.sha256.empty()) {
    return anew("the server does not say whether the file has changed since");
  }
  return {there, etag, "", state->size};
}

Judgement judge(const Offer& offer, const Asked& asked) {
  if (offer.status == 200) {
    return {Use::Anew, offer.content_length};
  }
  if (offer.status != 206 && (offer.status != 416 || asked.from == Bytes(0))) {
    return {};
  }
  const auto range = parse_content_range(offer.content_range);
  if (asked.from == Bytes(0)) {  // nothing is there that it could fail to belong to
    return range && range->first == Bytes(0) ? Judgement{Use::Continue, range->total} : Judgement{};
  }
  const Judgement restart{Use::Restart, std::nullopt};
  if (!range || (asked.total && range->total && *range->total != *asked.total)) {
    return restart;
  }
  const std::string etag = strong_etag(offer.etag);
  if (offer.status == 206) {
    const bool same = asked.sum_known || (!etag.empty() && etag == asked.if_range);
    return same && range->first == asked.from ? Judgement{Use::Continue, range->total} : restart;
  }
  // A refusal seldom has a tag.
  const bool same = asked.sum_known || etag.empty() || etag == asked.if_range;
  return same && range->total == asked.from ? Judgement{Use::Complete, range->total} : restart;
}

std::string strong_etag(std::string_view etag) {
  return etag.size() >= 2 && etag.front() == '"' && etag.back() == '"' ? std::string(etag) : "";
}

}  // namespace hf::pull
