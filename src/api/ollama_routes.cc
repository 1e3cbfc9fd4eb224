#include "api/ollama_routes.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hf::api {
namespace {

struct Offered {
  std::string_view path;
  Endpoint endpoint;
  ollama::Endpoint request = ollama::Endpoint::Chat;
};
constexpr std::array<Offered, 8> kOffered{{
    {"/api/chat", Endpoint::OllamaRequest, ollama::Endpoint::Chat},
    {"/api/generate", Endpoint::OllamaRequest, ollama::Endpoint::Generate},
    {"/api/embed", Endpoint::OllamaRequest, ollama::Endpoint::Embed},
    {"/api/embeddings", Endpoint::OllamaRequest, ollama::Endpoint::Embeddings},
    {"/api/show", Endpoint::OllamaShow},
    {"/api/tags", Endpoint::OllamaTags},
    {"/api/ps", Endpoint::OllamaProcesses},
    {"/api/version", Endpoint::OllamaVersion},
}};

struct Missing {
  std::string_view path;
  std::string_view what;
  std::string_view instead;
};
constexpr std::string_view kPut =
    "put the .gguf file into the server's models folder, where it appears without a restart";
constexpr std::array<Missing, 5> kMissing{{
    {"/api/pull", "Holdfast pulls no models over HTTP",
     "the administrator runs holdfast pull on the server, or puts the .gguf file into its models "
     "folder"},
    {"/api/push", "Holdfast pushes no models",
     "copy the .gguf file from the server's models folder"},
    {"/api/create", "Holdfast creates no models over HTTP", kPut},
    {"/api/copy", "Holdfast copies no models over HTTP",
     "the administrator adds an alias to the model's table in the configuration"},
    {"/api/delete", "Holdfast deletes no models over HTTP",
     "the administrator takes the .gguf file out of the server's models folder"},
}};
constexpr std::string_view kBlobs = "/api/blobs/";

bool is_read(Endpoint endpoint) {
  return endpoint == Endpoint::OllamaTags || endpoint == Endpoint::OllamaProcesses ||
         endpoint == Endpoint::OllamaVersion;
}

ApiError not_offered(std::string_view what, std::string_view instead) {
  ApiError error;
  error.status = 501;
  error.code = "not_offered";
  error.message = what;
  error.hint = instead;
  return error;
}

}  // namespace

bool is_ollama_path(std::string_view path) {
  const auto same = [path](const auto& entry) { return entry.path == path; };
  return path.starts_with(kBlobs) || std::any_of(kOffered.begin(), kOffered.end(), same) ||
         std::any_of(kMissing.begin(), kMissing.end(), same);
}

tl::expected<Route, ApiError> find_ollama_route(std::string_view method, std::string_view path) {
  for (const Missing& missing : kMissing) {
    if (missing.path == path) {
      return tl::unexpected(not_offered(missing.what, missing.instead));
    }
  }
  for (const Offered& offered : kOffered) {
    if (offered.path == path) {
      Route route{offered.endpoint};
      route.ollama = offered.request;
      return allow_only(!is_read(offered.endpoint), method, std::move(route));
    }
  }
  return tl::unexpected(not_offered("Holdfast takes no files of models over HTTP", kPut));
}

}  // namespace hf::api
