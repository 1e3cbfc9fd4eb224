#include "net/server.h"

#include <map>

#include "base/assert.h"
#include "net/session.h"

namespace hf::net {
namespace {

constexpr std::chrono::milliseconds kAcceptPause{50};  // out of descriptors: one may close soon
constexpr std::size_t kRefusalsMax = 64;  // told 503 at a time; further ones are just closed

Error bind_error(const ListenAddress& address, error_code ec) {
  Errc code = Errc::Io;
  if (ec == asio::error::address_in_use || ec.value() == EADDRNOTAVAIL) {
    code = Errc::Unavailable;
  } else if (ec == asio::error::access_denied) {
    code = Errc::PermissionDenied;
  }
  return {
      code,
      "listen on " + address.host + " port " + std::to_string(address.port) + ": " + ec.message(),
      ec.value()};
}

}  // namespace

class Server::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, Service& service, ServerOptions options)
      : io_(io), options_(std::move(options)), host_{service, options_, nullptr} {}

  Status start();
  void use_tls(std::shared_ptr<const TlsContext> context) { host_.tls = std::move(context); }
  [[nodiscard]] std::vector<std::uint16_t> ports() const;
  void stop_accepting();
  void close_all();
  [[nodiscard]] std::size_t open_connections() const { return sessions_.size(); }

 private:
  Result<Tcp::acceptor> bind(const ListenAddress& address);
  static Task<void> accept_loop(std::shared_ptr<Impl> self, std::size_t index);
  void admit(Tcp::socket socket);

  asio::io_context& io_;
  const ServerOptions options_;
  SessionHost host_;
  std::vector<Tcp::acceptor> acceptors_;  // filled by start(), then only closed
  std::map<const Session*, std::shared_ptr<Session>> sessions_;
};

Result<Tcp::acceptor> Server::Impl::bind(const ListenAddress& address) {
  error_code ec;
  const asio::ip::address host = asio::ip::make_address(address.host, ec);
  if (ec) {
    return fail(Errc::InvalidArgument, "listen: not a numeric address: " + address.host);
  }
  const Tcp::endpoint endpoint(host, address.port);
  Tcp::acceptor acceptor(io_);
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) {
    acceptor.set_option(asio::socket_base::reuse_address(true), ec);
  }
  if (!ec && host.is_v6()) {
    acceptor.set_option(asio::ip::v6_only(true), ec);  // 127.0.0.1 is an address of its own
  }
  if (!ec) {
    acceptor.bind(endpoint, ec);
  }
  if (!ec) {
    acceptor.listen(asio::socket_base::max_listen_connections, ec);
  }
  if (ec) {
    return fail(bind_error(address, ec));
  }
  return acceptor;
}

Status Server::Impl::start() {
  for (const ListenAddress& address : options_.listen) {
    Result<Tcp::acceptor> acceptor = bind(address);
    if (!acceptor) {
      acceptors_.clear();
      return fail(std::move(acceptor.error()));
    }
    acceptors_.push_back(std::move(*acceptor));
  }
  for (std::size_t i = 0; i < acceptors_.size(); ++i) {
    asio::co_spawn(io_, accept_loop(shared_from_this(), i), [](const std::exception_ptr& error) {
      HF_ASSERT(error == nullptr, "an accept loop threw");
    });
  }
  return {};
}

std::vector<std::uint16_t> Server::Impl::ports() const {
  std::vector<std::uint16_t> ports;
  for (const Tcp::acceptor& each : acceptors_) {
    error_code ec;
    ports.push_back(each.local_endpoint(ec).port());
  }
  return ports;
}

Task<void> Server::Impl::accept_loop(std::shared_ptr<Impl> self, std::size_t index) {
  Tcp::acceptor& acceptor = self->acceptors_[index];
  while (acceptor.is_open()) {
    auto [ec, socket] = co_await acceptor.async_accept(kAwait);
    if (!ec) {
      self->admit(std::move(socket));
    } else if (ec != asio::error::operation_aborted) {
      asio::steady_timer pause(self->io_);
      pause.expires_after(kAcceptPause);
      [[maybe_unused]] auto [cancelled] = co_await pause.async_wait(kAwait);
    }
  }
}

void Server::Impl::admit(Tcp::socket socket) {
  if (host_.stopping || sessions_.size() >= options_.connections_max + kRefusalsMax) {
    return;  // closes it
  }
  const bool full = sessions_.size() >= options_.connections_max;
  auto session = std::make_shared<Session>(std::move(socket), host_);
  sessions_.emplace(session.get(), session);
  const Session* const key = session.get();
  asio::co_spawn(io_, full ? Session::refuse(session) : Session::run(session),
                 [self = shared_from_this(), key](const std::exception_ptr& error) {
                   HF_ASSERT(error == nullptr, "a session threw");
                   self->sessions_.erase(key);
                 });
}

void Server::Impl::stop_accepting() {
  host_.stopping = true;
  for (Tcp::acceptor& each : acceptors_) {
    error_code ignored;
    each.close(ignored);
  }
  for (const auto& [key, session] : sessions_) {
    session->stop_if_idle();
  }
}

void Server::Impl::close_all() {
  stop_accepting();
  for (const auto& [key, session] : sessions_) {
    session->cut();
  }
}

Server::Server(asio::io_context& io, Service& service, ServerOptions options)
    : impl_(std::make_shared<Impl>(io, service, std::move(options))) {}

Server::~Server() {
  HF_ASSERT(impl_->open_connections() == 0, "a server destroyed with open connections");
}

Status Server::start() {
  return impl_->start();
}
void Server::use_tls(std::shared_ptr<const TlsContext> context) {
  impl_->use_tls(std::move(context));
}
std::vector<std::uint16_t> Server::ports() const {
  return impl_->ports();
}
void Server::stop_accepting() {
  impl_->stop_accepting();
}
void Server::close_all() {
  impl_->close_all();
}
std::size_t Server::open_connections() const {
  return impl_->open_connections();
}

}  // namespace hf::net
