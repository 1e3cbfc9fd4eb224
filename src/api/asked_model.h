#pragma once
// Which model a relayed request asks for: by the `model` of its JSON body or form, else by
// `?model=` in the query, else the configured default. Apart from the life of the request, because
// it is all there is to read of it. Pure but for the catalogue; loop thread.

#include <optional>
#include <tl/expected.hpp>

#include "api/body_look.h"
#include "api/context.h"

namespace hf::api {

struct Asked {
  ModelId model;
  bool stream = false;  // as the body says it
};

// How the call's body is to be read.
ReadBody body_reader(const Context& context, const Call& call);

// `body`: as it was read. Errors: 400 for a bad body, or one that names another model
// than the query, or does not suit the model; 404 for a model that is not there.
tl::expected<Asked, ApiError> asked_of(const Context& context, const Call& call,
                                       const net::BodyResult& body);

// A form goes on as it came, with its own Content-Type, which knows its boundary. nullopt: the body
// is no form.
std::optional<net::UpstreamRequest> form_as_sent(const Call& call);

}  // namespace hf::api
