#pragma once
// How an upstream's answer is changed on its way to a client that speaks another API. Why an
// interface of net: the relay streams and knows no dialect, the dialects know no sockets. One
// object for one attempt at one answer. Loop thread.

#include <optional>
#include <string>
#include <string_view>

namespace hf::net {

class Translator {
 public:
  virtual ~Translator() = default;

  // Called once, first, with the upstream's status (below 400) and Content-Type. The Content-Type
  // of what the client gets; the head goes out with the first bytes there are for it.
  virtual std::string content_type(int status, std::string_view upstream_type) = 0;
  // A piece of the upstream's body, without its framing and cut anywhere. What the client gets for
  // it now; "": nothing yet. What is kept until then is bounded by the translator.
  virtual std::string translate(std::string_view piece) = 0;
  // The body so far cannot be what it should: the answer counts as broken, behind what translate()
  // still gave. Nothing more is asked then.
  [[nodiscard]] virtual bool failed() const = 0;
  // The body is complete: what is left for the client. nullopt: it was not what it should have
  // been, the answer counts as broken.
  virtual std::optional<std::string> finish() = 0;
};

}  // namespace hf::net
