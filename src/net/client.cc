#include "net/client.h"

#include <openssl/x509_vfy.h>

#include <boost/asio/ssl.hpp>
#include <utility>

#include "net/asio.h"

namespace hf::net {
namespace {

// Answers of ours are small; a list of some thousand models fits well.
constexpr std::uint64_t kAnswerBytesMax = 64 * 1024 * 1024;

http::verb verb_of(const std::string& method) {
  return method == "POST" ? http::verb::post : http::verb::get;
}

Error failure(std::string_view what, const ClientRequest& request, error_code ec) {
  Errc code = Errc::Io;
  if (ec == asio::error::connection_refused || ec == asio::error::network_unreachable ||
      ec == asio::error::host_unreachable) {
    code = Errc::Unavailable;
  } else if (ec == beast::error::timeout) {
    code = Errc::Timeout;
  } else if (ec == asio::error::host_not_found || ec == asio::error::host_not_found_try_again) {
    code = Errc::NotFound;
  }
  const std::string place = request.host + ":" + std::to_string(request.port);
  return Error(code, std::string(what) + " " + place + ": " + ec.message());
}

namespace ssl = asio::ssl;

// Runs until the one operation under way has ended. `wait` sets up the deadline, because the
// blocking calls of Beast know none.
class Connection {
 public:
  explicit Connection(const ClientRequest& request) : request_(request), stream_(io_) {}

  error_code resolve(Tcp::resolver::results_type& found) {
    error_code ec;
    Tcp::resolver resolver(io_);
    found = resolver.resolve(request_.host, std::to_string(request_.port),
                             Tcp::resolver::numeric_service, ec);
    return ec;
  }

  error_code connect(const Tcp::resolver::results_type& found) {
    error_code result;
    stream_.expires_after(request_.connect_within);
    stream_.async_connect(found, [&result](error_code ec, const Tcp::endpoint&) { result = ec; });
    run();
    return result;
  }

  // `why`: what is wrong with its certificate, if that is it.
  error_code secure(ssl::context& context, std::string& why) {
    error_code result;
    stream_.expires_after(request_.connect_within);
    SSL* native = tls_.emplace(stream_, context).native_handle();
    // A number is verified as a number, and is no name to ask for.
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(native), request_.host.c_str()) != 1) {
      SSL_set1_host(native, request_.host.c_str());
      SSL_set_tlsext_host_name(native, request_.host.c_str());
    }
    tls_->async_handshake(ssl::stream_base::client, [&result](error_code ec) { result = ec; });
    run();
    if (const long verdict = SSL_get_verify_result(native); result && verdict != X509_V_OK) {
      why = X509_verify_cert_error_string(verdict);
    }
    return result;
  }

  error_code send(http::request<http::string_body>& message) {
    error_code result;
    const auto done = [&result](error_code ec, std::size_t) { result = ec; };
    set_deadline();
    if (tls_) {
      http::async_write(*tls_, message, done);
    } else {
      http::async_write(stream_, message, done);
    }
    run();
    return result;
  }

  error_code receive(http::response_parser<http::string_body>& parser) {
    error_code result;
    set_deadline();
    beast::flat_buffer buffer;
    const auto done = [&result](error_code ec, std::size_t) { result = ec; };
    if (tls_) {
      http::async_read(*tls_, buffer, parser, done);
    } else {
      http::async_read(stream_, buffer, parser, done);
    }
    run();
    return result;
  }

 private:
  void set_deadline() {
    if (request_.answer_within) {
      stream_.expires_after(*request_.answer_within);
    } else {
      stream_.expires_never();
    }
  }
  void run() {
    io_.restart();
    io_.run();
  }

  const ClientRequest& request_;
  asio::io_context io_{1};
  beast::tcp_stream stream_;
  std::optional<ssl::stream<beast::tcp_stream&>> tls_;
};

// Whom the client trusts.
Status set_trust(ssl::context& context, const std::string& ca_file) {
  error_code ec;
  context.set_verify_mode(ssl::verify_peer, ec);
  if (ca_file.empty()) {
    context.set_default_verify_paths(ec);
    return {};
  }
  context.load_verify_file(ca_file, ec);
  // A server's own certificate, signed by somebody or by itself, may be trusted as it is.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context.native_handle()),
                              X509_V_FLAG_PARTIAL_CHAIN);
  return ec ? fail(Errc::InvalidArgument,
                   "the file with authorities' certificates cannot be used: " + ec.message())
            : Status();
}

Status secure(Connection& connection, ssl::context& context, const ClientRequest& request) {
  if (Status trust = set_trust(context, request.ca_file); !trust) {
    return trust;
  }
  std::string why;
  const error_code ec = connection.secure(context, why);
  if (!why.empty()) {
    return fail(Errc::PermissionDenied, "the certificate of " + request.host + ":" +
                                            std::to_string(request.port) +
                                            " is not trusted: " + why);
  }
  return ec ? fail(failure("no encrypted connection with", request, ec)) : Status();
}

http::request<http::string_body> message_of(const ClientRequest& request) {
  http::request<http::string_body> message;
  message.version(11);
  message.method(verb_of(request.method));
  message.target(request.target);
  const bool v6 = request.host.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + request.host + "]" : request.host;
  message.set(http::field::host, host + ":" + std::to_string(request.port));
  message.set(http::field::connection, "close");
  for (const Header& header : request.headers) {
    message.set(header.name, header.value);
  }
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

}  // namespace

std::string_view ClientResponse::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (header_equals(header.name, name)) {
      return header.value;
    }
  }
  return {};
}

Result<ClientResponse> fetch(const ClientRequest& request) {
  ssl::context context(ssl::context::tls_client);  // outlives the connection
  Connection connection(request);
  Tcp::resolver::results_type found;
  if (const error_code ec = connection.resolve(found)) {
    return fail(failure("cannot resolve", request, ec));
  }
  if (const error_code ec = connection.connect(found)) {
    return fail(failure("cannot connect to", request, ec));
  }
  if (request.tls) {
    if (Status secured = secure(connection, context, request); !secured) {
      return fail(std::move(secured.error()));
    }
  }
  http::request<http::string_body> message = message_of(request);
  if (const error_code ec = connection.send(message)) {
    return fail(failure("cannot send to", request, ec));
  }
  http::response_parser<http::string_body> parser;
  parser.body_limit(kAnswerBytesMax);
  if (const error_code ec = connection.receive(parser)) {
    return fail(failure("no complete answer from", request, ec));
  }
  ClientResponse response;
  response.status = static_cast<int>(parser.get().result_int());
  for (const auto& field : parser.get()) {
    response.headers.push_back(
        Header{std::string(field.name_string().data(), field.name_string().size()),
               std::string(field.value().data(), field.value().size())});
  }
  response.body = std::move(parser.get().body());
  return response;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string result;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result += '%';
      result += kDigits[byte >> 4U];
      result += kDigits[byte & 15U];
    }
  }
  return result;
}

}  // namespace hf::net
