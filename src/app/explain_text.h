#pragma once
// What `holdfast explain` prints: the answer of /api/v1/explain in words for the person at the
// terminal. Apart from the command, so that tests can read it without a server. Pure but for the
// colours, which ask whether standard output is a terminal.

#include <boost/json/value.hpp>
#include <string>

namespace hf::app {

// `story`: the whole answer. What an older server does not tell is left out.
std::string explain_text(const boost::json::value& story);

}  // namespace hf::app
