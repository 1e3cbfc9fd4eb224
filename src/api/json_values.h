#pragma once
// Values as our JSON shows them. Pure, any thread.

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <optional>
#include <string>

#include "base/time.h"

namespace hf::api {

// Milliseconds are precise enough, and a number of nanoseconds is not readable.
inline double rounded_seconds(Duration duration) {
  return std::round(seconds_of(duration) * 1e3) / 1e3;
}

inline boost::json::value optional_seconds(const std::optional<Duration>& duration) {
  return duration ? boost::json::value(rounded_seconds(*duration)) : boost::json::value(nullptr);
}

template <class Names>
boost::json::array names_array(const Names& names) {
  boost::json::array array;
  for (const std::string& name : names) {
    array.emplace_back(name);
  }
  return array;
}

}  // namespace hf::api
