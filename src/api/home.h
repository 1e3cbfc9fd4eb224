#pragma once
// GET /: who is here. Two answers: a page for people with a browser, and the words that Ollama's
// clients, scripts and monitors look for. Pure, any thread.

#include "net/exchange.h"

namespace hf::api {

net::Reply home_reply(const net::RequestHead& head, const std::string& request_id);

}  // namespace hf::api
