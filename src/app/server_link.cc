#include "app/server_link.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cstdio>
#include <cstdlib>

#include "app/commands.h"
#include "app/terminal.h"
#include "config/endpoint.h"
#include "net/client.h"

namespace hf::app {
namespace {

namespace json = boost::json;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

tl::expected<config::Endpoint, int> find_server() {
  const std::string host = variable("HOLDFAST_HOST");
  if (host.empty()) {
    config::Endpoint local;
    local.host = "127.0.0.1";
    return local;
  }
  const Result<config::Endpoint> endpoint = config::parse_endpoint(host);
  if (!endpoint) {
    print_error("HOLDFAST_HOST: " + endpoint.error().message,
                "expected HOST:PORT or a URL such as https://HOST:PORT");
    return tl::unexpected(kWrongUsage);
  }
  return *endpoint;
}

void report_unreachable(const Error& error, const config::Endpoint& server) {
  if (error.code == Errc::Unavailable) {
    const std::string place = server.host + ":" + std::to_string(server.port);
    print_error("no server answers at " + place,
                "start one with: holdfast serve   (or say where it is: HOLDFAST_HOST=HOST:PORT)");
  } else if (error.code == Errc::NotFound) {
    print_error(error.message, "check HOLDFAST_HOST");
  } else if (error.code == Errc::PermissionDenied) {
    print_error(error.message,
                "if the certificate is your own: HOLDFAST_CA=FILE with it or its authority's; "
                "HOLDFAST_HOST must be a name that it is for");
  } else if (error.code == Errc::InvalidArgument) {
    print_error("HOLDFAST_CA: " + error.message);
  } else if (error.code == Errc::Io && server.tls) {
    print_error(error.message, "does it speak HTTPS there? Otherwise: http:// in HOLDFAST_HOST");
  } else if (error.code == Errc::Timeout) {
    print_error(error.message, "is it a Holdfast server? See its log");
  } else {
    print_error(error.message, "see the server's log");
  }
}

net::ClientRequest request_of(const config::Endpoint& server, const Question& question) {
  net::ClientRequest request;
  request.host = server.host;
  request.port = server.port;
  request.tls = server.tls;
  request.ca_file = variable("HOLDFAST_CA");
  request.method = question.method;
  request.target = server.path + question.target;
  request.answer_within = question.within;
  request.headers.push_back(net::Header{"Accept", "application/json"});
  if (const std::string key = variable("HOLDFAST_API_KEY"); !key.empty()) {
    request.headers.push_back(net::Header{"Authorization", "Bearer " + key});
  }
  return request;
}

const json::value& null_value() {
  static const json::value null;
  return null;
}

}  // namespace

tl::expected<Answer, int> ask(const Question& question) {
  const auto server = find_server();
  if (!server) {
    return tl::unexpected(server.error());
  }
  Result<net::ClientResponse> response = net::fetch(request_of(*server, question));
  if (!response) {
    report_unreachable(response.error(), *server);
    return tl::unexpected(kFailed);
  }
  Answer answer;
  answer.status = response->status;
  answer.body = std::move(response->body);
  boost::system::error_code bad;
  answer.value = json::parse(answer.body, bad);
  if (bad) {
    print_error(
        "the answer of " + server->host + ":" + std::to_string(server->port) +
            " is not Holdfast's (HTTP " + std::to_string(answer.status) + ")",
        "another program may listen there; say where the server is: HOLDFAST_HOST=HOST:PORT");
    return tl::unexpected(kFailed);
  }
  return answer;
}

std::optional<Found> ask_if_there(const Question& question) {
  const auto server = find_server();
  if (!server) {
    return std::nullopt;
  }
  Result<net::ClientResponse> response = net::fetch(request_of(*server, question));
  if (!response) {
    return std::nullopt;
  }
  Found found;
  found.place = server->host + ":" + std::to_string(server->port);
  found.here = server->host == "localhost" ||
               config::is_loopback(config::SocketAddress{server->host, server->port});
  found.answer.status = response->status;
  found.answer.body = std::move(response->body);
  boost::system::error_code bad;
  found.answer.value = json::parse(found.answer.body, bad);
  if (bad) {
    return std::nullopt;  // another program
  }
  return found;
}

int report(const Answer& answer) {
  const json::value& error = member(answer.value, "error");
  std::string message = text_at(error, "message");
  if (message.empty()) {
    message = "the server answered HTTP " + std::to_string(answer.status);
  }
  std::string next = text_at(error, "hint");
  if (answer.status == 401) {
    next = "set HOLDFAST_API_KEY to your key";
  } else if (text_at(error, "code") == "model_in_use") {
    next = "let its answers finish first: unload --drain; or cut them: unload --force";
  } else if (text_at(error, "code") == "model_not_found") {
    next = "list the models: holdfast ps --all";
  } else if (next.empty() && number_at(error, "retry_after_s") > 0) {
    next = "try again in " + std::to_string(static_cast<int>(number_at(error, "retry_after_s"))) +
           " s; holdfast ps shows who uses what";
  }
  print_error(message, next);
  return kFailed;
}

int show(const tl::expected<Answer, int>& answer, bool as_json,
         const std::function<std::string(const json::value&)>& text) {
  if (!answer) {
    return answer.error();
  }
  if (!answer->good()) {
    if (as_json) {
      std::fputs(answer->body.c_str(), stdout);
    }
    return report(*answer);
  }
  std::fputs(as_json ? answer->body.c_str() : text(answer->value).c_str(), stdout);
  return kGood;
}

std::string model_target(std::string_view model, std::string_view verb) {
  return "/api/v1/models/" + net::percent_encode(model) + "/" + std::string(verb);
}

const json::value& member(const json::value& value, std::string_view key) {
  const json::object* object = value.if_object();
  const json::value* found =
      object == nullptr ? nullptr : object->if_contains(json::string_view(key.data(), key.size()));
  return found == nullptr ? null_value() : *found;
}

std::string state_word(const std::string& state) {
  return state == "absent" ? "not loaded" : state;
}

std::string text_at(const json::value& value, std::string_view key) {
  const json::string* text = member(value, key).if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

double number_at(const json::value& value, std::string_view key) {
  const json::value& found = member(value, key);
  return found.is_number() ? found.to_number<double>() : 0.0;
}

const json::array& list_at(const json::value& value, std::string_view key) {
  static const json::array empty;
  const json::array* list = member(value, key).if_array();
  return list == nullptr ? empty : *list;
}

std::string joined(const json::value& value, std::string_view key) {
  std::string result;
  for (const json::value& entry : list_at(value, key)) {
    if (const json::string* text = entry.if_string()) {
      result += (result.empty() ? "" : ", ") + std::string(text->data(), text->size());
    }
  }
  return result;
}

std::string waits_text(const json::value& wait) {
  const std::string what = text_at(wait, "waiting_for");
  const std::string others = joined(wait, "blockers");
  if (what == "pressure") {
    return "waits until memory pressure eases";
  }
  if (what == "load") {
    return "waits for its load";
  }
  if (what == "slot") {
    return "waits for a slot";
  }
  if (what == "load_slot") {
    return "waits for another load to end" + (others.empty() ? "" : ": " + others);
  }
  const std::string of = others.empty() ? "" : " of " + others;
  if (what == "drain") {
    return "waits for running answers" + of + " to end";
  }
  if (what == "reap") {
    return "waits for the process" + of + " to end";
  }
  if (what == "turn") {
    return "waits for a turn" + of + " to end";
  }
  return "waits for memory" + of;
}

}  // namespace hf::app
