#include "engine/catalog.h"

#include <algorithm>
#include <utility>

#include "base/edit_distance.h"
#include "base/lower.h"

namespace hf::engine {
namespace {

// Asked names are cut: the comparison is quadratic, and no file has a longer name.
constexpr std::size_t kLongestCompared = 256;

}  // namespace

ModelId Catalog::put(ModelFile file) {
  const std::string name = file.source.settings.name;
  const auto known = names_.find(name);
  if (known != names_.end()) {
    entries_[known->second.value] = Entry{std::move(file), true};
    return known->second;
  }
  const ModelId id(static_cast<std::uint32_t>(entries_.size()));
  entries_.push_back(Entry{std::move(file), true});
  names_.emplace(name, id);
  return id;
}

void Catalog::unlist(ModelId model) {
  at(model).listed = false;
}

std::optional<ModelId> Catalog::by_name(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<ModelId> Catalog::find(std::string_view asked) const {
  for (const std::string_view name : {asked, config::canonical_model_name(asked)}) {
    const auto found = names_.find(name);
    if (found != names_.end() && at(found->second).listed) {
      return found->second;
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const std::vector<std::string>& aliases = entries_[i].file.source.settings.aliases;
      if (entries_[i].listed && std::find(aliases.begin(), aliases.end(), name) != aliases.end()) {
        return ModelId(static_cast<std::uint32_t>(i));
      }
    }
  }
  return std::nullopt;
}

std::vector<std::string> Catalog::near(std::string_view asked) const {
  const std::string wanted = lower(asked.substr(0, kLongestCompared));
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const Entry& entry : entries_) {
    const std::string& name = entry.file.source.settings.name;
    const std::string candidate = lower(name);
    const std::size_t far = edit_distance(wanted, candidate);
    const bool part = !wanted.empty() && (candidate.find(wanted) != std::string::npos ||
                                          wanted.find(candidate) != std::string::npos);
    if (entry.listed && (part || far <= wanted.size() / 3)) {
      ranked.emplace_back(part ? far / 4 : far, name);
    }
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < ranked.size() && i < 3; ++i) {
    names.push_back(ranked[i].second);
  }
  return names;
}

}  // namespace hf::engine
