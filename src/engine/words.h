#pragma once
// The log lines about memory that people know by heart, in English and Russian, with their emoji.
// Why a file of their own: the wording is part of the product (people and scripts read it) and is
// tested to the letter. Pure functions, any thread.

#include <string>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "core/action.h"
#include "engine/engine.h"

namespace hf::engine {

using config::Language;

// "{'a', 'b'}" and "['a', 'b']": the notation of the lines; a quote in a name is escaped.
std::string name_set(const std::vector<std::string>& names);
std::string name_list(const std::vector<std::string>& names);

// The names that belong to a notice's ids.
struct NoticeNames {
  std::vector<std::string> names{};
  std::vector<std::string> guarded{};  // protected_names
  std::vector<std::string> pinned{};
};
// The line of a notice.
std::string notice_line(Language language, const core::action::Notice& notice,
                        const NoticeNames& names);

// What a reload did, and that one was refused: the old configuration goes on.
std::string reload_line(Language language, const Reloaded& result);
std::string reload_refused_line(Language language, const std::string& why);

// What would help when all models have been in use while others wait: figures in bytes.
struct Relief {
  Duration lasted{};
  std::vector<std::string> in_use;
  std::vector<std::string> pinned;  // nobody uses them
  std::vector<std::string> waiting;
  Duration oldest_wait{};
  Bytes budget{0};             // the full one, even while it yields to other programs
  Bytes yielded{0};            // of it, to other programs
  Bytes more_needed{0};        // this much more budget would hold the waiting models as well
  std::string largest_in_use;  // its smaller variant is the other remedy
  Bytes largest_bytes{0};
};
std::string relief_line(Language language, const Relief& relief);

}  // namespace hf::engine
