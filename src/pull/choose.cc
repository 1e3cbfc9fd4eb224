#include "pull/choose.h"

#include <algorithm>
#include <array>
#include <map>
#include <regex>

#include "base/lower.h"
#include "base/units.h"
#include "gguf/file_name.h"

namespace hf::pull {
namespace {

constexpr std::size_t kShownAtMost = 40;  // choices in a message

// A model with all its parts.
struct Group {
  std::string stem;
  std::vector<HubFile> parts;  // by number
  int count = 1;               // that there should be
  std::string quantisation;

  [[nodiscard]] std::string size() const {
    Bytes sum;
    for (const HubFile& part : parts) {
      if (!part.size) {
        return "of unknown size";
      }
      sum += *part.size;
    }
    return format_bytes(sum);
  }
};

std::string_view base_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

// Files that lie beside models and are none.
bool is_model(std::string_view path) {
  const std::string name = lower(base_of(path));
  return !gguf::is_projector_name(path) && name.find("imatrix") == std::string::npos;
}

std::vector<Group> groups_of(const std::vector<HubFile>& files) {
  std::map<std::string, Group> groups;
  std::vector<std::pair<gguf::SplitName, const HubFile*>> parts;
  for (const HubFile& file : files) {
    if (is_model(file.path)) {
      parts.emplace_back(part_name(file.path), &file);
    }
  }
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.stem, a.first.count, a.first.number) <
           std::tie(b.first.stem, b.first.count, b.first.number);
  });
  for (const auto& [name, file] : parts) {
    Group& group = groups[name.stem + (name.count > 1 ? "-of-" + std::to_string(name.count) : "")];
    group.stem = name.stem;
    group.count = name.count;
    group.quantisation = quantisation_of(file->path);
    group.parts.push_back(*file);
  }
  std::vector<Group> result;
  for (auto& [key, group] : groups) {
    result.push_back(std::move(group));
  }
  return result;
}

// "Q4_K" is no word of "model-Q4_K_M": letters, digits and "_" go on after it. Before it only a
// letter or digit would make it another word ("IQ4_XS").
bool has_word(std::string_view stem, std::string_view word) {
  const auto is_letter = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); };
  const std::string text = lower(stem);
  const std::string wanted = lower(word);
  for (std::size_t at = text.find(wanted); at != std::string::npos;
       at = text.find(wanted, at + 1)) {
    const std::size_t end = at + wanted.size();
    const bool begins = at == 0 || !is_letter(text[at - 1]);
    if (begins && (end == text.size() || (!is_letter(text[end]) && text[end] != '_'))) {
      return true;
    }
  }
  return false;
}

std::vector<Group> with_quantisation(const std::vector<Group>& groups, std::string_view tag) {
  std::vector<Group> exact;
  std::vector<Group> loose;
  for (const Group& group : groups) {
    if (lower(group.quantisation) == lower(tag)) {
      exact.push_back(group);
    } else if (has_word(group.stem, tag)) {
      loose.push_back(group);
    }
  }
  return exact.empty() ? loose : exact;
}

std::string list_of(const std::vector<Group>& groups) {
  std::map<std::string, int> same;
  for (const Group& group : groups) {
    ++same[lower(group.quantisation)];
  }
  std::string text;
  for (std::size_t i = 0; i < groups.size() && i < kShownAtMost; ++i) {
    const Group& group = groups[i];
    const bool by_tag = !group.quantisation.empty() && same[lower(group.quantisation)] == 1;
    text += "\n    " + (by_tag ? ":" + group.quantisation : "/" + group.parts.front().path) + "  " +
            group.size();
  }
  const std::size_t more = groups.size() > kShownAtMost ? groups.size() - kShownAtMost : 0;
  return more == 0 ? text : text + "\n    and " + std::to_string(more) + " more";
}

// The one in the model's own folder or at the top; of several the most exact of the small ones,
// because a projector costs little beside its model.
std::optional<HubFile> projector_for(const std::vector<HubFile>& files, const Group& group) {
  constexpr std::array<std::string_view, 4> kPreferred{"F16", "BF16", "Q8_0", "F32"};
  std::vector<HubFile> found;
  for (const std::string_view folder : {folder_of(group.stem), std::string_view()}) {
    for (const HubFile& file : files) {
      if (gguf::is_projector_name(file.path) && folder_of(file.path) == folder) {
        found.push_back(file);
      }
    }
    if (!found.empty()) {
      break;
    }
  }
  for (const std::string_view tag : kPreferred) {
    for (const HubFile& file : found) {
      if (has_word(part_name(file.path).stem, tag)) {
        return file;
      }
    }
  }
  return found.empty() ? std::nullopt : std::optional(found.front());
}

Result<Group> by_file(const std::vector<Group>& groups, const std::string& path) {
  if (gguf::is_projector_name(path)) {
    return fail(Errc::InvalidArgument,
                "that is a projector and no model; pull the model, and it comes along");
  }
  for (const Group& group : groups) {
    for (const HubFile& part : group.parts) {
      if (part.path == path) {
        return group;
      }
    }
  }
  return fail(Errc::NotFound, "the repository has no " + path +
                                  (groups.empty() ? "" : "; it has" + list_of(groups)));
}

Result<Group> by_tag(const std::vector<Group>& groups, const std::string& tag) {
  const std::vector<Group> found = with_quantisation(groups, tag);
  if (found.size() == 1) {
    return found.front();
  }
  if (found.empty()) {
    return fail(Errc::NotFound, "the repository has no " + tag + "; it has" + list_of(groups));
  }
  return fail(Errc::InvalidArgument, "several files are " + tag + ", name one:" + list_of(found));
}

// What llama.cpp and Ollama take without being told, and what comes closest to it.
Result<Group> by_preference(const std::vector<Group>& groups) {
  for (const char* tag : {"Q4_K_M", "Q4_0", "Q8_0"}) {
    const std::vector<Group> found = with_quantisation(groups, tag);
    if (found.size() == 1) {
      return found.front();
    }
    if (found.size() > 1) {
      return fail(Errc::InvalidArgument,
                  "the repository holds several models, name one:" + list_of(groups));
    }
  }
  if (groups.size() == 1) {
    return groups.front();
  }
  return fail(Errc::InvalidArgument,
              "the repository has neither Q4_K_M nor Q4_0 nor Q8_0, name one:" + list_of(groups));
}

}  // namespace

gguf::SplitName part_name(std::string_view path) {
  const std::string_view stem = path.ends_with(".gguf") ? path.substr(0, path.size() - 5) : path;
  return gguf::split_name(path).value_or(gguf::SplitName{std::string(stem), 1, 1});
}

std::string quantisation_of(std::string_view path) {
  static const std::regex kPattern(
      "(?:^|[-._/])((?:UD-)?(?:I?Q[0-9][A-Z0-9_]*|TQ[0-9]_[0-9]|MXFP4(?:_MOE)?|NVFP4|BF16|FP?16"
      "|FP?32))(?=$|[-./])",
      std::regex::icase);
  const std::string stem = part_name(path).stem;
  const std::string name(base_of(stem));
  std::string last;
  for (std::sregex_iterator found(name.begin(), name.end(), kPattern);
       found != std::sregex_iterator(); ++found) {
    last = (*found)[1];
  }
  return last;
}

Result<Chosen> choose(const std::vector<HubFile>& files, const Wanted& wanted) {
  const std::vector<Group> groups = groups_of(files);
  if (groups.empty()) {
    return fail(Errc::NotFound,
                "the repository has no .gguf file; look for one whose name ends in -GGUF");
  }
  Result<Group> group = !wanted.file.empty()  ? by_file(groups, wanted.file)
                        : !wanted.tag.empty() ? by_tag(groups, wanted.tag)
                                              : by_preference(groups);
  if (!group) {
    return fail(group.error());
  }
  if (static_cast<int>(group->parts.size()) != group->count) {
    return fail(Errc::Corrupt, "the repository has only " + std::to_string(group->parts.size()) +
                                   " of the " + std::to_string(group->count) +
                                   " parts of that model");
  }
  Chosen chosen;
  if (wanted.projector) {
    chosen.projector = projector_for(files, *group);
  }
  chosen.parts = std::move(group->parts);
  return chosen;
}

}  // namespace hf::pull
