#pragma once
// What a model file's name says of it. Exists so that whoever fetches files and whoever looks for
// them take the same ones for parts and projectors. Pure; any thread. Source: llama_split_path of
// llama.cpp; projectors have no rule there, only the habits of those who publish them.

#include <optional>
#include <string>
#include <string_view>

namespace hf::gguf {

struct SplitName {
  std::string stem;  // without number and ending; a folder in front stays
  int number = 1;
  int count = 1;
};

// Of "NAME-00002-of-00005.gguf", also without the ending. nullopt: no part, or one that cannot be
// (number 0, or more than there are).
std::optional<SplitName> split_name(std::string_view path);
// "NAME-00002-of-00005.gguf".
std::string name_of_part(const SplitName& part);

// "mmproj" begins the name of the file or a word in it, whatever its case: "mmproj-NAME.gguf",
// "NAME-mmproj-f16.gguf".
bool is_projector_name(std::string_view path);

}  // namespace hf::gguf
