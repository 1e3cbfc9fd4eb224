#pragma once
// The stub's HTTP side: /health, /v1/models, /v1/chat/completions, /v1/completions,
// /slots/N?action=…; any other path answers with what it was sent. One thread.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <set>
#include <string>
#include <vector>

#include "stub_engine/completion.h"
#include "stub_engine/options.h"
#include "stub_engine/script.h"

namespace hf::stub {

class Server {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;
  using Request = boost::beast::http::request<boost::beast::http::string_body>;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;

  // Binds and listens at once; throws if the socket's path exists, as the stock server exits then.
  Server(boost::asio::io_context& io, const Options& options, const Script& script);

  void start();
  void set_ready() { ready_ = true; }
  // Cuts every connection, as the stock server does at SIGTERM.
  void close_all();

 private:
  struct Work;  // one completion

  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> serve(Socket socket);
  boost::asio::awaitable<bool> answer(Socket& socket, const Request& request);
  boost::asio::awaitable<bool> complete(Socket& socket, const Request& request);
  boost::asio::awaitable<bool> stream(Socket& socket, Work& work);
  boost::asio::awaitable<bool> send_chunk(Socket& socket, std::string text);
  boost::asio::awaitable<bool> send(Socket& socket, const Request& request, unsigned status,
                                    std::string body);
  boost::asio::awaitable<bool> before_token(Socket& socket, const Work& work, int said);
  boost::asio::awaitable<void> wait_until_idle();
  std::string slot_action(const std::string& target, const std::string& body, unsigned& status);
  std::string echo(const Request& request) const;

  boost::asio::io_context& io_;
  const Options& options_;
  const Script& script_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::set<Socket*> open_;
  std::vector<std::string> grown_;
  bool ready_ = false;
  int busy_ = 0;
  int answers_ = 0;
  int slot_tokens_ = 0;      // what the slot's cache holds after the last answer
  int restored_tokens_ = 0;  // what the next answer will find in it
};

}  // namespace hf::stub
