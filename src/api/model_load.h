#pragma once
// A load that somebody asked for by command: counted and noted like a request, answered when the
// model is ready, given up when the client leaves (a load that has begun goes on). Loop thread.

#include <functional>

#include "api/context.h"

namespace hf::api {

// The answer, once the model is ready.
using OnLoaded = std::function<void(const Call& call, const engine::Granted& granted)>;

struct LoadWish {
  ModelId model{};
  bool is_told = false;  // the journal has the command already, in other words
};

// Takes the request over; it will be answered.
void load_model(Context& context, Call call, LoadWish wish, OnLoaded on_loaded);

}  // namespace hf::api
