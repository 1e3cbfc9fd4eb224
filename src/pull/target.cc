#include "pull/target.h"

#include "base/utf8.h"
#include "gguf/file_name.h"
#include "pull/choose.h"

namespace hf::pull {
namespace {

namespace fs = std::filesystem;

// As of names in the configuration: longer ones are mistakes.
constexpr std::size_t kLongestName = 200;

// What a configuration and the engine's lists of aliases can say of a name.
bool has_bad_character(std::string_view name) {
  return !is_printable(name) || name.find_first_of(" \"\\,") != std::string_view::npos;
}

bool has_bad_part(std::string_view name) {
  for (;;) {
    const std::size_t slash = name.find('/');
    const std::string_view part = name.substr(0, slash);
    if (part.empty() || part == "." || part == "..") {
      return true;
    }
    if (slash == std::string_view::npos) {
      return false;
    }
    name.remove_prefix(slash + 1);
  }
}

}  // namespace

Result<std::string> checked_name(std::string_view wish, std::string_view file) {
  const std::string stem = part_name(file.substr(file.rfind('/') + 1)).stem;
  std::string_view name = wish.empty() ? std::string_view(stem) : wish;
  for (const std::string_view ending : {":latest", ".gguf"}) {
    if (name.size() > ending.size() && name.ends_with(ending)) {
      name.remove_suffix(ending.size());
    }
  }
  const std::string shown = "the name \"" + std::string(name.substr(0, kLongestName)) + "\" ";
  if (name.empty() || name.size() > kLongestName) {
    return fail(Errc::InvalidArgument,
                "the name is empty or longer than " + std::to_string(kLongestName) + " bytes");
  }
  if (has_bad_character(name)) {
    return fail(Errc::InvalidArgument,
                "the name holds a blank, a comma, a quote, a backslash or a control character");
  }
  if (has_bad_part(name)) {
    return fail(Errc::InvalidArgument, shown + "has an empty, \".\" or \"..\" part");
  }
  if (gguf::is_projector_name(name)) {
    return fail(Errc::InvalidArgument,
                shown + "has mmproj in it: a file of that name is a projector and no model");
  }
  if (part_name(name).count > 1) {
    return fail(Errc::InvalidArgument, shown + "ends as that of one part of a split model");
  }
  return std::string(name);
}

fs::path part_path(const std::string& name, int number, int count) {
  if (count == 1) {
    return name + ".gguf";
  }
  return gguf::name_of_part({name, number, count});
}

fs::path projector_path(const fs::path& model) {
  return model.parent_path() / ("mmproj-" + model.stem().string() + ".gguf");
}

std::string served_name(const fs::path& first_part) {
  return (first_part.parent_path() / first_part.stem()).generic_string();
}

}  // namespace hf::pull
