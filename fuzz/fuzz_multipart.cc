// Feeds a Content-Type (up to the first line end) and a body to the reader of forms. A result is
// either fields or a fault with a text; and what is accepted stays the same when more comes behind
// it, so that no cut form is taken for a whole one.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "net/multipart.h"

namespace {

void check(const hf::net::BodyResult& result, bool model_required) {
  if (!result.fields) {
    HF_ASSERT(!result.detail.empty(), "a fault without a text");
    return;
  }
  HF_ASSERT(result.detail.empty(), "fields and a fault");
  HF_ASSERT(!model_required || !result.fields->model.empty(), "a required model is empty");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const bool required = (data[0] & 1U) != 0;
  const std::size_t cut = data[1];
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t line = std::min(text.find('\n'), text.size());
  // Most inputs should get past the header.
  const std::string type = "multipart/form-data; boundary=" + std::string(text.substr(0, line));
  const std::string_view body = text.substr(std::min(line + 1, text.size()));

  const hf::net::BodyResult whole = hf::net::read_form_fields(type, body, required);
  check(whole, required);
  check(hf::net::read_form_fields(text.substr(0, line), body, required), required);
  const hf::net::BodyResult begun =
      hf::net::read_form_fields(type, body.substr(0, body.size() * cut / 256), required);
  check(begun, required);
  // "--XX--" may be whole where it ends, and have something behind it that makes it another line.
  if (begun.fields && whole.fields) {
    HF_ASSERT(begun.fields->model == whole.fields->model, "two models");
    HF_ASSERT(begun.fields->stream == whole.fields->stream, "two opinions on streaming");
  }
  HF_ASSERT(!begun.fields || whole.fields || whole.fault == hf::net::BodyFault::NotForm,
            "more behind a form makes another fault of it");
  return 0;
}
