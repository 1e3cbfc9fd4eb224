#pragma once
// Draws a chart with the program gnuplot (Debian: gnuplot-nox): a script in, a file out. Blocks for
// as long as gnuplot takes, a tenth of a second; not for the server's loop.

#include <filesystem>
#include <string>

#include "base/result.h"

namespace hf::app {

// Runs gnuplot from PATH without a shell and without anybody's own settings, and puts what the
// script writes to its standard output into the file, which is there whole or not at all. Errors:
// NotFound: gnuplot is not installed; Unsupported: it did not like the script, with its words;
// Timeout: 30 s; PermissionDenied, Io of the file.
Status draw_with_gnuplot(const std::string& script, const std::filesystem::path& file);

}  // namespace hf::app
