#pragma once
// The models this server knows, by id, name and alias. Why ids: the core and every ticket speak of
// a model by a small number that never changes meaning, while files come, go and are replaced under
// the same name. Loop thread only; the blocking work (find, inspect) is in model_file.h.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "engine/model_file.h"

namespace hf::engine {

class Catalog {
 public:
  struct Entry {
    ModelFile file;
    bool listed = true;
  };

  // Adds the model or replaces what is known of it (same name = same id).
  ModelId put(ModelFile file);
  void unlist(ModelId model);

  // Exact name, alias, or either with ":latest" taken off; listed models only.
  [[nodiscard]] std::optional<ModelId> find(std::string_view name) const;
  // Up to three listed names that resemble it, best first.
  [[nodiscard]] std::vector<std::string> near(std::string_view name) const;

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] const Entry& at(ModelId model) const { return entries_.at(model.value); }
  [[nodiscard]] Entry& at(ModelId model) { return entries_.at(model.value); }
  [[nodiscard]] const std::string& name(ModelId model) const {
    return at(model).file.source.settings.name;
  }
  [[nodiscard]] std::optional<ModelId> by_name(const std::string& name) const;

 private:
  std::vector<Entry> entries_;
  std::map<std::string, ModelId, std::less<>> names_;
};

}  // namespace hf::engine
