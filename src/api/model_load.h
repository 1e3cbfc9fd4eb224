#pragma once
// A load that somebody asked for by command: counted and noted like a request, answered when the
// model is ready, given up when the client leaves (a load that has begun goes on). One that streams
// hears heartbeats meanwhile. Loop thread.

#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "api/context.h"

namespace hf::api {

// The answer, once the model is ready. If there were heartbeats, a stream has begun.
using OnLoaded = std::function<void(const Call& call, const engine::Granted& granted)>;

struct LoadWish {
  ModelId model{};
  bool is_told = false;  // the journal has the command already, in other words
  // A sign of life in a stream of that type; null: the client takes no stream.
  std::function<std::string(const boost::json::object& progress)> heartbeat{};
  std::string_view stream_type{};
};

// Takes the request over; it will be answered.
void load_model(Context& context, Call call, LoadWish wish, OnLoaded on_loaded);

}  // namespace hf::api
