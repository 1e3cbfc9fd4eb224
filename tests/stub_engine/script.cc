#include "stub_engine/script.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace hf::stub {
namespace {

namespace json = boost::json;

bool set_serving(Serving& serving, std::string_view key, const json::value& value) {
  if (key == "token_ms") {
    serving.token_ms = json::value_to<int>(value);
  } else if (key == "hold_after") {
    serving.hold_after = json::value_to<int>(value);
  } else if (key == "hold_until") {
    serving.hold_until = json::value_to<std::string>(value);
  } else if (key == "crash_after") {
    serving.crash_after = json::value_to<int>(value);
  } else if (key == "crash_signal") {
    serving.crash_signal = json::value_to<int>(value);
  } else if (key == "status") {
    serving.status = json::value_to<int>(value);
  } else if (key == "grow_bytes") {
    serving.grow_bytes = json::value_to<std::int64_t>(value);
  } else if (key == "endless") {
    serving.endless = json::value_to<bool>(value);
  } else {
    return false;
  }
  return true;
}

bool set_loading(Script& script, std::string_view key, const json::value& value) {
  if (key == "load_ms") {
    script.load_ms = json::value_to<int>(value);
  } else if (key == "load_until") {
    script.load_until = json::value_to<std::string>(value);
  } else if (key == "load_hang") {
    script.load_hang = json::value_to<bool>(value);
  } else if (key == "load_exit") {
    script.load_exit = json::value_to<int>(value);
  } else if (key == "load_message") {
    script.load_message = json::value_to<std::string>(value);
  } else if (key == "load_bytes") {
    script.load_bytes = json::value_to<std::int64_t>(value);
  } else if (key == "silent") {
    script.silent = json::value_to<bool>(value);
  } else if (key == "log_lines") {
    script.log_lines = json::value_to<int>(value);
  } else if (key == "log_line_bytes") {
    script.log_line_bytes = json::value_to<int>(value);
  } else if (key == "grandchild") {
    script.grandchild = json::value_to<bool>(value);
  } else if (key == "ignore_sigterm") {
    script.ignore_sigterm = json::value_to<bool>(value);
  } else if (key == "health_hangs_when_busy") {
    script.health_hangs_when_busy = json::value_to<bool>(value);
  } else {
    return false;
  }
  return true;
}

}  // namespace

Script read_script(const std::string& model) {
  Script script;
  std::ifstream file(model + ".stub");
  if (!file) {
    return script;
  }
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const json::value root = json::parse(text);
  for (const auto& [key, value] : root.as_object()) {
    if (!set_loading(script, key, value) && !set_serving(script.serving, key, value)) {
      throw std::runtime_error("unknown key in the stub's script: " + std::string(key));
    }
  }
  return script;
}

Serving merged(Serving base, const json::object& fields) {
  for (const auto& [key, value] : fields) {
    if (!set_serving(base, key, value)) {
      throw std::runtime_error("unknown key in the request's stub field: " + std::string(key));
    }
  }
  return base;
}

void log_event(const std::string& model, const char* event, json::object fields) {
  json::object line{{"event", event}, {"pid", ::getpid()}};
  for (auto& [key, value] : fields) {
    line[key] = std::move(value);
  }
  const std::string text = json::serialize(line) + "\n";
  const std::string path = model + ".stub.log";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd >= 0) {
    // A log that cannot be written shows as the event a test waits for in vain.
    [[maybe_unused]] const ssize_t written = ::write(fd, text.data(), text.size());
    ::close(fd);
  }
}

}  // namespace hf::stub
