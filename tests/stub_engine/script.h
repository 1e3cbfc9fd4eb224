#pragma once
// How the stub behaves: the JSON file MODEL.stub beside its model file, if there is one; the field
// "stub" of a request overrides the serving part for that request. What it did is appended, one
// JSON line an event, to MODEL.stub.log: start (args, env, fds), grandchild, not_ready (asked while
// it loads), ready, sigterm, exit_line, input_closed, finished and cancelled (tokens), crash, exit
// (code); each with its pid. Tests wait for those lines and for files, never for time.

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>

namespace hf::stub {

// While it serves. Keys of the file and of a request's "stub" are the names of the fields.
struct Serving {
  int token_ms = 0;                // pause before each token
  int hold_after = 0;              // with hold_until: how many tokens go out before the wait
  std::string hold_until;          // no further token until this file exists
  std::optional<int> crash_after;  // dies before its (N+1)th token; 0: before the first byte
  int crash_signal = 11;           // how it dies; 0: exits with status 0
  int status = 0;                  // answers this status and an error object instead
  std::int64_t grow_bytes = 0;     // keeps this much more memory for good
  bool endless = false;            // ignores max_tokens, ends only at the context's end
};

struct Script {
  // While it loads.
  int load_ms = 0;
  std::string load_until;        // loads until this file exists
  bool load_hang = false;        // never becomes ready
  std::optional<int> load_exit;  // ends with this status instead of becoming ready
  std::string load_message;     // printed on standard error first, e.g. "failed to allocate buffer"
  std::int64_t load_bytes = 0;  // memory it takes, touched
  bool silent = false;          // prints no state lines even where the stock server would
  int log_lines = 0;            // prints so many lines while loading
  int log_line_bytes = 0;       // and one line of this length
  bool grandchild = false;  // leaves a child of its own in its process group (event: grandchild)
  // Always.
  bool ignore_sigterm = false;  // neither SIGTERM nor the exit line nor a closed input ends it
  bool health_hangs_when_busy = false;
  Serving serving;
};

// Errors: throws std::exception on a script that is not a JSON object with the right types or that
// has an unknown key: a misspelt test must fail.
Script read_script(const std::string& model);
Serving merged(Serving base, const boost::json::object& fields);

// Appends one line to MODEL.stub.log with a single write.
void log_event(const std::string& model, const char* event, boost::json::object fields = {});

}  // namespace hf::stub
