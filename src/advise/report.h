#pragma once
// The advice for programs: one JSON object, and a gnuplot script that draws it. Pure functions, any
// thread.

#include <string>
#include <vector>

#include "advise/advice.h"
#include "advise/words.h"

namespace hf::advise {

// Names and units: docs/advise.md. With `advice` null there was too little history.
std::string to_json(const Case& history, const Advice* advice, Language language);

// Two panels over the budget, cold loads and hours of waiting, with the present one marked. Reads
// nothing and writes the SVG to its standard output. It holds numbers and our own words only: a
// model's name could be a command.
std::string plot_script(const Case& history, const Advice& advice, Language language);

}  // namespace hf::advise
