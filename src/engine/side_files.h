#pragma once
// Files that an administrator's flags make a child load beside its model: adapters, control vectors
// and the draft model of speculative decoding. Exists because they take memory that the ledger must
// count. Pure, any thread. Source: common/arg.cpp of llama.cpp v0.5.0.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace hf::engine {

struct SideFiles {
  std::vector<std::filesystem::path> adapters;  // read into memory, all of them
  std::optional<std::filesystem::path> draft;   // a second model, with caches of its own
};
SideFiles side_files(const std::vector<std::string>& args);

}  // namespace hf::engine
