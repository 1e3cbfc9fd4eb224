#pragma once
// Where the fetched files go and how the model will be called: `holdfast serve` names a model by
// its path below models_dir without .gguf, and finds a projector by its name beside the model.
// Pure; any thread.

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hf::pull {

// The name as it was wished ("" : that of the file), without ".gguf" and ":latest". Errors:
// InvalidArgument that says what is wrong with it.
Result<std::string> checked_name(std::string_view wish, std::string_view file);

// Below models_dir: "NAME.gguf", of a split model "NAME-00001-of-00003.gguf".
std::filesystem::path part_path(const std::string& name, int number, int count);
// "mmproj-…" of the model's first file, beside it.
std::filesystem::path projector_path(const std::filesystem::path& model);

// What people ask the server for: the first file's path without its ending.
std::string served_name(const std::filesystem::path& first_part);

}  // namespace hf::pull
