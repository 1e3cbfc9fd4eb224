#pragma once
// The certificate that a configuration names, loaded and looked at. It exists so that serve,
// reload, config check and doctor judge it alike. Any thread; blocks for two small files.

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "net/tls_context.h"

namespace hf::app {

// Null if none is configured. Errors: those of TlsContext::load; they name settings and no paths.
Result<std::shared_ptr<const net::TlsContext>> load_tls(const config::TlsConfig& config);

// What a person should do something about now; none without a certificate.
std::vector<std::string> tls_warnings(const net::TlsContext* context);

}  // namespace hf::app
