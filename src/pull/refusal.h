#pragma once
// What a server's refusal means to a person, and what to do next. Pure; any thread.

#include <string>
#include <string_view>

#include "base/result.h"
#include "pull/http.h"
#include "pull/source.h"

namespace hf::pull {

// `with_key`: the hub was sent one. The next step follows the message behind a line end.
Error refusal_of(const Source& source, std::string_view endpoint, const HttpHead& head,
                 bool with_key);

// The part before the line end, and the part behind it.
struct Words {
  std::string message;
  std::string next_step;
};
Words split_words(const std::string& text);

}  // namespace hf::pull
