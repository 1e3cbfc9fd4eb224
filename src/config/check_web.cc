// What browsers are let in by: names of this server, and pages that may call it.
#include <algorithm>

#include "config/draft.h"
#include "config/origin.h"

namespace hf::config {
namespace {

// Names as a Host header has them, without a port.
void check_hosts(Draft& draft) {
  for (std::string& host : draft.config.allowed_hosts) {
    const std::optional<Origin> origin = parse_origin("http://" + host);
    const bool with_port = host.find(':') != std::string::npos && !host.starts_with('[');
    if (!origin || origin->port || with_port) {
      draft.add_error_at("allowed_hosts", "allowed_hosts: \"" + host.substr(0, 80) +
                                              "\" is no host name, expected for example "
                                              "\"box.lan\", without scheme and port");
    } else {
      host = origin->host;
    }
  }
}

void check_origins(Draft& draft) {
  for (const std::string& text : draft.config.cors_origins) {
    const Result<OriginPattern> pattern = parse_origin_pattern(text);
    const std::string what = "cors_origins: \"" + text.substr(0, 80) + "\": ";
    if (!pattern) {
      draft.add_error_at("cors_origins", what + pattern.error().message +
                                             ", expected for example \"https://chat.example\"");
    } else if (pattern->any && draft.config.users.empty()) {
      draft.add_error_at("cors_origins", what +
                                             "without keys every web page could use the models, "
                                             "expected single origins or [[users]] tables");
    }
  }
}

}  // namespace

void check_web(Draft& draft) {
  check_hosts(draft);
  check_origins(draft);
}

}  // namespace hf::config
