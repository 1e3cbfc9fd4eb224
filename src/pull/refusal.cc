#include "pull/refusal.h"

#include "pull/hub.h"
#include "pull/url.h"

namespace hf::pull {
namespace {

std::string place_of(const std::string& url) {
  const auto parsed = parse_url(url);
  return parsed ? parsed->host : "the server";
}

Error gated(const Source& source, std::string_view endpoint, bool with_key) {
  const std::string page = page_address(endpoint, source);
  return {Errc::PermissionDenied,
          source.repository +
              " is gated: its owner wants its licence accepted first\naccept it at " + page +
              (with_key ? ", with the account that HF_TOKEN belongs to"
                        : ", then set HF_TOKEN to a token of that account (" +
                              std::string(endpoint) + "/settings/tokens)")};
}

Error refusal_of_hub(const Source& source, std::string_view endpoint, const HttpHead& head,
                     bool with_key) {
  const std::string tokens = std::string(endpoint) + "/settings/tokens";
  if (head.error_code == "GatedRepo" || (head.status == 403 && head.error_code.empty())) {
    return gated(source, endpoint, with_key);
  }
  if (head.error_code == "RevisionNotFound") {
    return {Errc::NotFound, source.repository + " has no revision " + source.revision +
                                "\nleave --revision out, or name a branch, a tag or a commit"};
  }
  if (head.error_code == "EntryNotFound") {
    return {Errc::NotFound,
            source.repository + " has no such file\nsee " + page_address(endpoint, source)};
  }
  if (head.status == 401 && with_key && head.error_code.empty()) {
    return {Errc::PermissionDenied,
            "the hub does not take the token\nmake another one at " + tokens};
  }
  if (head.status == 401 || head.status == 404) {
    // The hub does not tell strangers whether a private repository exists.
    return {
        Errc::NotFound,
        "there is no repository " + source.repository +
            (with_key ? " that the token's account may read\ncheck its spelling"
                      : " for everybody\ncheck its spelling; if it is private, set HF_TOKEN to a "
                        "token that may read it (" +
                            tokens + ")")};
  }
  return {Errc::PermissionDenied, "the hub refuses (HTTP " + std::to_string(head.status) +
                                      ")\nsee " + page_address(endpoint, source)};
}

}  // namespace

Error refusal_of(const Source& source, std::string_view endpoint, const HttpHead& head,
                 bool with_key) {
  const std::string status = "HTTP " + std::to_string(head.status);
  if (head.status == 429) {
    return {Errc::Unavailable, place_of(head.url) + " wants fewer requests (" + status +
                                   ")\ntry again later; a token (HF_TOKEN) is allowed more"};
  }
  if (head.status >= 500) {
    return {Errc::Unavailable,
            place_of(head.url) + " has a failure of its own (" + status + ")\ntry again later"};
  }
  if (source.on_hub()) {
    return refusal_of_hub(source, endpoint, head, with_key);
  }
  const std::string place = place_of(head.url);
  if (head.status == 401 || head.status == 403) {
    return {Errc::PermissionDenied,
            place + " does not give it to everybody (" + status +
                ")\nuse an address that needs no login, or the model's name "
                "on Hugging Face with HF_TOKEN"};
  }
  if (head.status == 404 || head.status == 410) {
    return {Errc::NotFound, place + " has no such file (" + status + ")\ncheck the address"};
  }
  return {Errc::Unavailable,
          place + " answers " + status + " and no file\nopen the address in a browser to see why"};
}

Words split_words(const std::string& text) {
  const std::size_t end = text.find('\n');
  // A list of choices belongs to the message: its lines are indented.
  if (end == std::string::npos || text.compare(end + 1, 1, " ") == 0) {
    return {text, ""};
  }
  return {text.substr(0, end), text.substr(end + 1)};
}

}  // namespace hf::pull
