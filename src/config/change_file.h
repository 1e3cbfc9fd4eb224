#pragma once
// A configuration changed in place by a command. It exists so that nobody ever finds half a file,
// a file that the server would refuse, or one that more people may read than before: the new text
// is checked as the server would check it, written beside the old one and renamed over it.
// Blocking; any thread, and several processes at once.

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/load.h"

namespace hf::config {

// From the present text ("" if there is no file) to the new one.
using Edit = std::function<Result<std::string>(std::string_view text)>;

// Returns the configuration that the file holds now. Mode and owner of the file stay, a link to it
// stays a link; a new file is for its owner only (0600). Errors: those of `edit`; InvalidArgument:
// the new text would be no good configuration; NotFound, PermissionDenied, Io. Whatever the error,
// the file is as it was.
Result<Config> change_file(const std::filesystem::path& file, const Edit& edit,
                           const Environment& environment = Environment::of_process());

// Where to make a configuration if find_config_file() knows of none: in the user's own folder for
// them, which is made (0700). Errors: Io; NotFound: no home folder is known.
Result<std::filesystem::path> place_for_new_file(
    const Environment& environment = Environment::of_process());

}  // namespace hf::config
