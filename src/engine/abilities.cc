#include "engine/abilities.h"

#include "engine/model_file.h"

namespace hf::engine {

Abilities abilities_of(const ModelFile& file) {
  Abilities abilities;
  // What a command's server can do, only it knows.
  abilities.known = file.problem.empty() && file.plan.kind != ModelKind::Command;
  if (!abilities.known) {
    return abilities;
  }
  abilities.generates = file.plan.kind == ModelKind::Chat;
  abilities.ranks = file.plan.kind == ModelKind::Reranker;
  abilities.embeds = file.plan.kind == ModelKind::Embedding ||
                     (file.plan.kind == ModelKind::Chat && file.plan.embeddings);
  const bool projects = !file.plan.mmproj_path.empty();
  abilities.sees = projects && file.projector.sees;
  abilities.hears = projects && file.projector.hears;
  return abilities;
}

std::vector<std::string> names_of(const Abilities& abilities) {
  std::vector<std::string> names;
  const auto add = [&names](bool has, const char* name) {
    if (has) {
      names.emplace_back(name);
    }
  };
  add(abilities.generates, "chat");
  add(abilities.generates, "completion");
  add(abilities.embeds, "embedding");
  add(abilities.ranks, "rerank");
  add(abilities.sees, "vision");
  add(abilities.hears, "audio");
  return names;
}

}  // namespace hf::engine
