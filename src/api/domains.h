#pragma once
// The memory domains in JSON: host RAM and each card, with what is promised and what is used, and a
// model's part of each. Pure, loop thread.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "engine/engine.h"

namespace hf::api {

// [{name, budget_bytes, reserved_bytes, used_bytes, total_bytes}]: host first. `used_bytes` is by
// everybody, as last read.
boost::json::array domains_array(const engine::Status& status);

// {"host": {reserved, measured}, "cuda0": …}: domains in which the model has anything.
boost::json::object bytes_by_domain(const engine::Status& status, const core::ModelView& view);

}  // namespace hf::api
