#pragma once
// A model, by address or by its name on the hub, into models_dir: which files it is, whether there
// is room for them, all of them fetched and checked, and only then given their names, the first
// part last, so that a running server never sees half a model. Blocking; one thread.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "pull/fetch.h"
#include "pull/hub.h"
#include "pull/source.h"

namespace hf::pull {

struct Order {
  Source source;
  std::string endpoint;  // of the hub, without a slash at its end
  std::string token;     // for the hub; "": none
  std::string ca_file;   // as of Http
  std::string name;      // wished; "": by the file
  std::string sha256;    // typed; "": none. Of a model in one file
  bool projector = true;
  std::filesystem::path models_dir;
};

struct PlannedFile {
  Item item;
  bool there = false;  // it is in models_dir already, and the same
  Bytes part;          // of it is there from an earlier run
};

struct Plan {
  std::string name;                // as the server will call it
  std::vector<PlannedFile> files;  // the model's in order, then the projector
  std::optional<Bytes> missing;    // that is to be fetched; nullopt: a server does not say
  Bytes room;                      // that downloads may fill
};

struct PulledFile {
  std::filesystem::path file;  // below models_dir
  Bytes size;
  std::string sha256;       // "": it was there, and nobody said what it should be
  bool checked = false;     // the sum is the one that was expected
  bool downloaded = false;  // false: it was there already
};

// Errors: what keeps it from being done, with the next step behind a line end.
class Pull {
 public:
  // Borrows what `watcher` refers to.
  Pull(Order order, Watcher watcher);

  // Asks the servers; writes nothing. Errors: also AlreadyExists (another file of that name is
  // there), ResourceExhausted (no room).
  Result<Plan> plan();
  Result<std::vector<PulledFile>> fetch_all(const Plan& plan);

 private:
  enum class Sameness { Same, Different, Unknown };

  Result<std::vector<HubFile>> list_files();
  Result<std::vector<Item>> items_on_hub();
  Result<std::vector<Item>> items_at_address();
  Result<PlannedFile> look_at(const Item& item);
  Result<Sameness> compare(const Item& item, Bytes there);
  std::optional<Bytes> size_at(const std::string& url);
  [[nodiscard]] Error refusal(const HttpHead& head) const;

  Order order_;
  Watcher watcher_;
  Http http_;
};

}  // namespace hf::pull
