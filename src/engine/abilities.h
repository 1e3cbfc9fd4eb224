#pragma once
// What a model can be asked for, by its file, its projector and its settings. Exists so that a
// request that it cannot answer is refused before anybody gives way for it, and so that clients can
// choose. Plain values; any thread.

#include <string>
#include <vector>

namespace hf::engine {

struct ModelFile;

struct Abilities {
  bool known = false;  // false: its file cannot be used, which is said in other words, or it is
                       // served by a command
  bool generates = false;
  bool embeds = false;
  bool ranks = false;
  bool sees = false;
  bool hears = false;
};

Abilities abilities_of(const ModelFile& file);

// "chat", "completion", "embedding", "rerank", "vision", "audio": those that it has.
std::vector<std::string> names_of(const Abilities& abilities);

}  // namespace hf::engine
