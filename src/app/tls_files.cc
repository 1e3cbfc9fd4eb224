#include "app/tls_files.h"

#include <ctime>

namespace hf::app {

Result<std::shared_ptr<const net::TlsContext>> load_tls(const config::TlsConfig& config) {
  if (!config.certificate || !config.key) {
    return std::shared_ptr<const net::TlsContext>();
  }
  return net::TlsContext::load(*config.certificate, *config.key);
}

std::vector<std::string> tls_warnings(const net::TlsContext* context) {
  return context == nullptr ? std::vector<std::string>()
                            : net::certificate_warnings(context->facts(), std::time(nullptr));
}

}  // namespace hf::app
