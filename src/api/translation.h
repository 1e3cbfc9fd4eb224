#pragma once
// A request in an API that is not its model's own: what the model's server gets in its place, and
// how its answer goes back. Why an interface: ModelRequest knows how a request lives, whatever was
// asked in whichever API. One object for one request. Loop thread.

#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/errors.h"
#include "net/exchange.h"
#include "net/translator.h"

namespace hf::api {

// Where the model's server listens, as in a net::RelayPlan.
struct Upstream {
  std::string socket_path{};
  std::uint16_t port = 0;
};

class Translation {
 public:
  virtual ~Translation() = default;

  // For one attempt, now that a process was granted.
  virtual net::UpstreamRequest request() = 0;
  virtual std::shared_ptr<net::Translator> translator() = 0;

  // The media type of a stream, and a sign of life in it.
  [[nodiscard]] virtual std::string_view stream_type() const = 0;
  [[nodiscard]] virtual std::string heartbeat(const boost::json::object& progress) const = 0;
  // What the client should know although it gets its answer; one line of ASCII, "": nothing.
  [[nodiscard]] virtual std::string_view warning() const = 0;
  // What the server said when it gave up amidst its answer, as it said it.
  [[nodiscard]] virtual std::optional<std::string_view> last_words() const = 0;

  // The server refused request(). True: another one may do, and `done` is called once it is known
  // which, with false if there is none after all. The same process must be held until then.
  virtual bool mend(const ApiError& refused, const Upstream& upstream,
                    std::function<void(bool)> done) = 0;
  // What the server refused, in the words of the API that was called.
  [[nodiscard]] virtual ApiError explained(ApiError refused) const = 0;
  // Nobody waits for the answer any more.
  virtual void abandon() = 0;
  // The whole answer has been given, and nothing is held for it any more.
  virtual void answered() = 0;
};

}  // namespace hf::api
