#pragma once
// One file from a server into its part file, whatever happens on the way: broken lines are tried
// again where they broke, a file that changed begins anew, and what is not the expected file is
// noticed at its first bytes if it can be. Blocking; one thread.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "pull/http.h"
#include "pull/part_file.h"
#include "pull/progress.h"

namespace hf::pull {

struct Item {
  std::string url;
  std::string source;            // the address as it may be shown and kept
  std::filesystem::path file;    // below models_dir, for people
  std::filesystem::path target;  // the whole path
  std::string sha256;            // "": not known
  bool sum_was_typed = false;    // by a person, who may have mistyped it
  std::optional<Bytes> size;
  int number = 1;  // of so many files
  int count = 1;
};

// Who is told, and who says stop.
struct Watcher {
  std::function<void(const Progress&)> progress;  // often
  std::function<void(const std::string&)> note;   // something worth a line
  std::function<bool()> stopped;
  std::function<TimePoint()> now;
};

// What a refusal of the server means, and what to do about it; the words depend on where it was.
using RefusalWords = std::function<Error(const HttpHead&)>;

struct Fetched {
  std::string sha256;
  Bytes downloaded;  // in this run
};

// Fills the part until it is the whole file: its length, its checksum and its GGUF header are right
// then. Errors: those of Http and PartFile; Corrupt (it is not the expected file; the message says
// what became of the part); Unavailable ("stopped").
Result<Fetched> fetch(Http& http, PartFile& part, const Item& item, const Watcher& watcher,
                      const RefusalWords& refused);

}  // namespace hf::pull
