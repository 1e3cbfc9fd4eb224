#pragma once
// Which of a repository's files make up the model that somebody asked for. A repository usually
// holds one model in a dozen quantisations, each in one file or in numbered parts, and for models
// that see or hear a projector beside them. Pure; any thread.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gguf/file_name.h"
#include "pull/hub.h"

namespace hf::pull {

// Of "NAME.gguf", which is the only part of itself, or of a part of several.
gguf::SplitName part_name(std::string_view path);

// "Q4_K_M" of "org/model-Q4_K_M-00001-of-00002.gguf", as written; "" if the name tells none.
std::string quantisation_of(std::string_view path);

struct Wanted {
  std::string file;  // exactly this one (with its other parts), or
  std::string tag;   // the quantisation, whatever its case, or "": Q4_K_M, Q4_0, Q8_0, the only one
  bool projector = true;  // if the repository has one
};

struct Chosen {
  std::vector<HubFile> parts;  // in order; one if it is not split
  std::optional<HubFile> projector;
};

// Errors: NotFound (none like that, with a list of what there is), InvalidArgument (several, with
// the list), Corrupt (parts are missing).
Result<Chosen> choose(const std::vector<HubFile>& files, const Wanted& wanted);

}  // namespace hf::pull
