#include "api/fitness.h"

#include <string>
#include <utility>

namespace hf::api {
namespace {

constexpr std::uint64_t kMega = 1'000'000;

struct Purpose {
  std::string_view does;
  std::string_view path;
};

Purpose purpose_of(const engine::Abilities& abilities) {
  if (abilities.ranks) {
    return {"ranks documents", "POST /v1/rerank"};
  }
  if (abilities.generates) {
    return {"writes text", "POST /v1/chat/completions or /v1/completions"};
  }
  return {"makes embeddings", "POST /v1/embeddings"};
}

bool can(const engine::Abilities& abilities, Use use) {
  switch (use) {
    case Use::Generate:
      return abilities.generates;
    case Use::Embed:
      return abilities.embeds;
    case Use::Rank:
      return abilities.ranks;
    case Use::Any:
      break;
  }
  return true;
}

std::string_view wish(Use use) {
  switch (use) {
    case Use::Generate:
      return "write text";
    case Use::Embed:
      return "make embeddings";
    case Use::Rank:
      return "rank documents";
    case Use::Any:
      break;
  }
  return "do this";
}

ApiError unsupported(std::string message, std::string hint) {
  ApiError error = bad_request("unsupported_by_model", std::move(message));
  error.hint = std::move(hint);
  return error;
}

}  // namespace

std::optional<ApiError> unsuited(const engine::Abilities& abilities, Use use,
                                 const net::MediaFacts& media, std::string_view model) {
  if (!abilities.known) {
    return std::nullopt;
  }
  const std::string name = "model \"" + std::string(model) + "\"";
  if (!can(abilities, use)) {
    const Purpose purpose = purpose_of(abilities);
    ApiError error = unsupported(
        name + " " + std::string(purpose.does) + "; it does not " + std::string(wish(use)),
        "call it with " + std::string(purpose.path) +
            "; `capabilities` in GET /v1/models tells what each model is for");
    error.param = "model";
    return error;
  }
  const bool blind = media.pictures > 0 && !abilities.sees;
  const bool deaf = media.sounds > 0 && !abilities.hears;
  if (blind || deaf) {
    return unsupported(name + " takes no " + (blind ? "pictures" : "sounds"),
                       std::string("a model that does has \"") + (blind ? "vision" : "audio") +
                           "\" among its `capabilities` in GET /v1/models");
  }
  return std::nullopt;
}

std::optional<ApiError> unacceptable(const net::MediaFacts& media, const config::Config& config) {
  if (media.remote && !config.fetch_media) {
    ApiError error =
        bad_request("media_by_address", "this server fetches no pictures or sounds from addresses");
    error.hint = "send the picture itself, as data:image/png;base64,…";
    return error;
  }
  if (media.unreadable) {
    ApiError error = bad_request(
        "media_unreadable", "a picture or sound in the request is damaged, or of an unknown kind");
    error.hint = "pictures: PNG, JPEG, GIF, BMP or WebP; sounds: WAV, MP3 or FLAC; in base64";
    return error;
  }
  const auto most = static_cast<std::uint64_t>(config.picture_megapixels) * kMega;
  if (media.pixels > most) {
    const std::uint64_t asked = (media.pixels + kMega - 1) / kMega;
    ApiError error = bad_request("pictures_too_large",
                                 "the pictures have " + std::to_string(asked) +
                                     " million pixels together; the limit for a request is " +
                                     std::to_string(config.picture_megapixels) + " million");
    error.hint = "scale them down, or send fewer: models see a million pixels or two";
    return error;
  }
  return std::nullopt;
}

}  // namespace hf::api
