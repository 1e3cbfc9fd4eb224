// Feeds bytes to the translation of Ollama's requests. A body that is refused has a sentence for
// its client that repeats no control character; one that is taken becomes valid JSON for the engine
// that names the engine's model, and the same one each time.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "net/json_model.h"
#include "ollama/request.h"
#include "ollama/truncation.h"

namespace {

using hf::ollama::Endpoint;

void check_text(const std::string& text) {
  HF_ASSERT(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c != '\x7f'; }),
            "a control character or a byte beyond ASCII in a sentence of ours");
}

void check_answerable(const hf::ollama::Request& request) {
  HF_ASSERT(request.target.starts_with('/'), "no path");
  std::string padded = request.body + std::string(64, '\0');
  const hf::net::BodyRules rules{true, request.lists_are_tasks};
  const auto fields =
      hf::net::read_body_fields(std::string_view(padded.data(), request.body.size()), rules);
  const bool bounded = !fields.fields && fields.fault != hf::net::BodyFault::NotJson;
  HF_ASSERT(fields.fields || bounded, "the engine would get something that is not JSON");
  if (fields.fields) {
    HF_ASSERT(fields.fields->model == "team/m", "the engine would get another model's name");
  }
  if (request.truncate) {
    hf::ollama::Truncation truncation(request.body, 4);
    for (int i = 0; i < 8 && truncation.question(); ++i) {
      HF_ASSERT(truncation.take_answer(R"({"tokens":[1,2,3,4,5,6]})"), "an answer not taken");
    }
    truncation.mended();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto endpoint = static_cast<Endpoint>(data[0] % 4);
  hf::ollama::ModelFacts facts;
  facts.name = "team/m";
  facts.context = (data[0] & 4U) != 0 ? 4096 : 0;
  facts.has_chat_template = (data[0] & 8U) != 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto request = hf::ollama::read_request(endpoint, body, "m", facts);
  if (!request) {
    HF_ASSERT(!request.error().message.empty(), "a fault without a sentence");
    check_text(request.error().message);
    return 0;
  }
  check_text(request->plan.warning);
  if (request->work == hf::ollama::Work::Answer) {
    check_answerable(*request);
  } else {
    HF_ASSERT(request->body.empty(), "a body although nothing is asked");
  }
  return 0;
}
