#pragma once
// Reads the one field of a request body that Holdfast needs, and checks that the whole body is
// valid JSON: the body itself is forwarded byte for byte. Pure, any thread. simdjson is hidden in
// the .cc.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/media.h"

namespace hf::net {

enum class BodyFault {
  NotJson,
  NotObject,
  NoModel,
  TwoModels,
  ModelNotString,
  EmptyModel,
  TooManyProbabilities,
  TooManyPrompts,
  TooMuchRepeated,
  TooManyParts,
  WindowTooLarge,
  SchemaTooLarge,
  NotForm,  // of forms only (multipart.h)
};

// The engine keeps that many candidates of each token until the answer ends, and sets no limit:
// with a vocabulary of 262,144 one request took 11 GB within a minute. OpenAI's own limit is 20.
constexpr std::int64_t kProbabilitiesMax = 100;
// Prompts, texts or documents of one request. Each becomes a task of the engine at once, with 7 kB
// of its own: two million empty ones in 10 MB of JSON took 14 GB. OpenAI's own limit.
constexpr std::int64_t kPromptsMax = 2048;
// … and each task has a copy of the rest of the body: stop words, a grammar, a schema.
constexpr std::int64_t kRepeatedMax = 64 * 1024 * 1024;
// Strings, keys, arrays and objects. The engine keeps up to 300 bytes for each, however short; a
// long conversation with tools has some ten thousand.
constexpr std::int64_t kPartsMax = 200'000;

// Tokens that are looked back at for repetitions. The engine takes 4 or 8 bytes for each at once,
// and keeps them until the answer ends. Larger contexts than this are rare.
constexpr std::int64_t kWindowMax = 262'144;

struct BodyRules {
  bool model_required = true;  // else a missing model gives an empty name
  // Each element of a list in `prompt`, `input`, `content`, `documents` or `texts` is a task of the
  // engine; a list with a number in it is one prompt. False where these are parts of one text.
  bool lists_are_tasks = false;
};

struct BodyFields {
  std::string model;
  bool stream = false;  // "stream": true
  // The largest of max_tokens, max_completion_tokens, n_predict and max_output_tokens; a negative
  // one means "without end" and gives nullopt.
  std::optional<std::int64_t> max_tokens;
  MediaFacts media;  // wherever in the body they are
};

struct BodyResult {
  std::optional<BodyFields> fields;  // set exactly when there is no fault
  BodyFault fault = BodyFault::NotJson;
  std::string detail;   // for the client: what was wrong, never a piece of the body
  std::string field{};  // the one it is about, where that is not clear from the fault
};

// Cost: about 1 ms for each MB, up to 12 ms for each MB if a number does not fit 64 bits: call it
// for large bodies on a thread that may block. `padded_body` must be followed by at least 64
// readable bytes. Keys count after unescaping: "mod\u0065l" is a model field. Integers beyond 64
// bits and depth up to 512 are valid JSON.
BodyResult read_body_fields(std::string_view padded_body, BodyRules rules);

}  // namespace hf::net
