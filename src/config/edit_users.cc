#include "config/edit_users.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cstdint>

#include "base/assert.h"

namespace hf::config {
namespace {

std::string in_quotes(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
    }
    quoted += c;
  }
  return quoted + '"';
}

// Lines, counted from 1, both included.
struct Lines {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

Lines lines_of(const toml::table& table) {
  Lines lines{table.source().begin.line, table.source().end.line};
  for (auto&& [key, value] : table) {
    lines.last = std::max(lines.last, value.source().end.line);
  }
  return lines;
}

// Where a line begins; the end of the text for one that is not there.
std::size_t start_of_line(std::string_view text, std::uint32_t line) {
  std::size_t at = 0;
  for (std::uint32_t number = 1; number < line && at < text.size(); ++number) {
    at = std::min(text.find('\n', at), text.size() - 1) + 1;
  }
  return at;
}

bool is_heading(std::string_view text, std::uint32_t line) {
  std::string_view rest = text.substr(start_of_line(text, line));
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  return rest.starts_with("[[");
}

// The empty line that with_user() puts before a table goes with it.
std::size_t without_blank_line(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  for (const std::string_view blank : {"\r\n\r\n", "\n\n"}) {
    if (before.ends_with(blank)) {
      return at - blank.size() / 2;
    }
  }
  return at;
}

Error not_there(std::string_view name) {
  return Error(Errc::NotFound, "there is no user " + in_quotes(name));
}

Result<std::string> cut_out(std::string_view text, std::string_view name) {
  const toml::table root = toml::parse(text);
  const toml::array* users = root["users"].as_array();
  if (users == nullptr) {
    return fail(not_there(name));
  }
  for (const toml::node& entry : *users) {
    const toml::table* table = entry.as_table();
    if (table == nullptr || (*table)["name"].value<std::string_view>() != name) {
      continue;
    }
    const Lines lines = lines_of(*table);
    if (table->is_inline() || !is_heading(text, lines.first)) {
      return fail(Errc::InvalidArgument,
                  "the user is not a [[users]] table of its own, so the file must be changed by "
                  "hand");
    }
    const std::size_t begin = start_of_line(text, lines.first);
    const std::size_t end = start_of_line(text, lines.last + 1);
    std::string result(text.substr(0, without_blank_line(text, begin)));
    return result.append(text.substr(end));
  }
  return fail(not_there(name));
}

}  // namespace

std::string with_user(std::string_view text, const UserConfig& user) {
  HF_ASSERT(is_user_name(user.name), "a name without control characters needs no other escapes");
  const std::string_view line_end = text.find("\r\n") == std::string_view::npos ? "\n" : "\r\n";
  std::string result(text);
  const auto add_line = [&result, line_end](std::string_view line) {
    result.append(line).append(line_end);
  };
  if (!result.empty() && !result.ends_with('\n')) {
    add_line("");
  }
  if (!result.empty()) {
    add_line("");
  }
  add_line("[[users]]");
  add_line("name = " + in_quotes(user.name));
  add_line("key_sha256 = " + in_quotes(user.key_sha256));
  add_line("role = " + in_quotes(to_text(user.role)));
  if (user.max_active) {
    add_line("max_active = " + std::to_string(*user.max_active));
  }
  return result;
}

Result<std::string> without_user(std::string_view text, std::string_view name) {
  try {
    return cut_out(text, name);
  } catch (const toml::parse_error& error) {
    return fail(Errc::InvalidArgument, "the file is not TOML: " + std::string(error.description()));
  }
}

}  // namespace hf::config
