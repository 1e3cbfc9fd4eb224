#pragma once
// A configuration's text from its file. Never blocks on a pipe, takes regular files of at most 4
// MiB only. Any thread.

#include <filesystem>
#include <string>

#include "base/result.h"

namespace hf::config {

// `name`: the file in messages. Errors: NotFound, PermissionDenied, Io; InvalidArgument: too large.
Result<std::string> read_file(const std::filesystem::path& path, const std::string& name);

}  // namespace hf::config
