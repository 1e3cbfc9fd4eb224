#pragma once
// Who uses a model, as a person reads it. Pure, any thread.

#include <boost/json/value.hpp>
#include <string>

namespace hf::app {

// "ann 2, bob 1 + 3 waiting", of a model's `users`; at most three, then "+4 more". "" if the server
// does not tell, or there is nobody.
std::string users_text(const boost::json::value& model);

}  // namespace hf::app
