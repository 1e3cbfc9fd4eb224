#pragma once
// One connection from its accept to its end: reads a request, lets the service judge its head,
// reads the body, waits for the service's order while it watches the client, carries the order out,
// and again. Held by its own coroutine and by the server's list. Loop thread.

#include <memory>

#include "net/body_budget.h"
#include "net/client_connection.h"
#include "net/exchange_state.h"
#include "net/request_head.h"
#include "net/server.h"

namespace hf::net {

// What a session knows of its server.
struct SessionHost {
  Service& service;
  const ServerOptions& options;
  std::shared_ptr<const TlsContext> tls;  // null: connections are plain
  bool stopping = false;                  // serve what runs, keep nothing alive
  // Of the requests' bodies; an exchange may outlive its server.
  std::shared_ptr<BodyBudget> bodies = std::make_shared<BodyBudget>();
};

class Session {
 public:
  // Borrows the host.
  Session(Tcp::socket socket, SessionHost& host) : client_(std::move(socket)), host_(host) {}

  // The whole life of the connection. `self` keeps it alive.
  static Task<void> run(std::shared_ptr<Session> self);
  // Says 503 and closes: there are too many connections.
  static Task<void> refuse(std::shared_ptr<Session> self);

  // Closes if no request has begun.
  void stop_if_idle();
  // Closes now. A waiting exchange gets its on_disconnect, a relay ends as ClientGone.
  void cut();

 private:
  enum class Next { KeepAlive, Linger, Reset, Drop };

  // What the first byte decides where there is a certificate. KeepAlive: requests may come.
  Task<Next> secure(std::shared_ptr<const TlsContext> tls);
  Task<Next> refuse_plain();
  Task<bool> wait_for_request();
  Task<Next> serve_one();
  Task<Next> read_and_answer(class RequestReader& reader);
  Task<bool> say_continue(const Framing& framing);
  Task<Next> answer(std::shared_ptr<ExchangeState> exchange, Framing framing);
  // `end` must outlive the task.
  Task<Next> end_stream(std::shared_ptr<ExchangeState> exchange, const StreamEnd& end, bool keep);
  Task<std::optional<Next>> relay(std::shared_ptr<ExchangeState> exchange, Framing framing);
  // `keep`: the connection may serve a further request as far as the request goes.
  Task<Next> send(Reply reply, bool without_body, bool http10, bool keep);

  ClientConnection client_;
  SessionHost& host_;
  std::shared_ptr<ExchangeState> exchange_;  // the one being answered, if any
  bool idle_ = false;
};

}  // namespace hf::net
