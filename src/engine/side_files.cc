#include "engine/side_files.h"

#include <sstream>

#include "config/engine_flags.h"

namespace hf::engine {
namespace {

// "FILE,FILE", or "FILE:SCALE,FILE:SCALE".
void add_list(const std::string& list, bool scaled, std::vector<std::filesystem::path>& files) {
  std::istringstream items(list);
  for (std::string item; std::getline(items, item, ',');) {
    files.emplace_back(scaled ? item.substr(0, item.find(':')) : item);
  }
}

}  // namespace

SideFiles side_files(const std::vector<std::string>& args) {
  SideFiles files;
  for (std::size_t i = 0; i + 1 < args.size(); ++i) {
    const std::string flag = config::canonical_flag(args[i]);
    const bool scaled = flag == "--lora-scaled" || flag == "--control-vector-scaled";
    if (scaled || flag == "--lora" || flag == "--control-vector") {
      add_list(args[i + 1], scaled, files.adapters);
    } else if (flag == "-md" || flag == "--model-draft" || flag == "--spec-draft-model") {
      files.draft = args[i + 1];
    }
  }
  return files;
}

}  // namespace hf::engine
