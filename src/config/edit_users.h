#pragma once
// [[users]] tables put into and cut out of the text of a configuration. It exists because the file
// belongs to its administrator: everything else in it, comments and order included, stays byte for
// byte. Whether the result is a good configuration is for load.h to say. Pure, any thread.

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

namespace hf::config {

// The text with a table for `user` at its end. Requires: is_user_name(user.name).
std::string with_user(std::string_view text, const UserConfig& user);

// The text without the table of the user of that name: from its heading to the last of its keys.
// Comments above and below it stay, because they may be about something else. Errors: NotFound: it
// has none; InvalidArgument: it is not TOML, or its users are written in another way.
Result<std::string> without_user(std::string_view text, std::string_view name);

}  // namespace hf::config
