#include "engine/model_file.h"

#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include "base/utf8.h"
#include "config/engine_flags.h"
#include "engine/command_model.h"
#include "engine/make_plan.h"
#include "engine/side_files.h"
#include "gguf/file_name.h"
#include "gguf/file_type.h"
#include "gguf/header.h"
#include "gguf/tensor_type.h"

namespace hf::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kNoFileType = 1024;  // llama.h: not stated

bool is_projector(const fs::path& path) {
  return gguf::is_projector_name(path.filename().string());
}

bool is_model_file(const fs::path& path) {
  if (path.extension() != ".gguf" || is_projector(path)) {
    return false;
  }
  const auto part = gguf::split_name(path.stem().string());
  return !part || part->number == 1;
}

// A name that can stand in JSON, in a log line and in the engine's comma-separated alias list.
bool is_usable_name(const std::string& name) {
  for (std::size_t i = 0; i < name.size();) {
    const std::size_t length = utf8_length(std::string_view(name).substr(i));
    if (length == 0 || static_cast<unsigned char>(name[i]) < 0x20 || name[i] == 0x7f ||
        name[i] == ',') {
      return false;
    }
    i += length;
  }
  return !name.empty();
}

// mmproj-NAME.gguf beside NAME.gguf, or the only projector of a subfolder that holds one model.
fs::path projector_of(const fs::path& model, const fs::path& models_dir) {
  std::vector<fs::path> projectors;
  int models = 0;
  std::error_code error;
  fs::directory_iterator entry(model.parent_path(), error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.extension() == ".gguf" && is_projector(path)) {
      if (path.stem().string() == "mmproj-" + model.stem().string()) {
        return path;
      }
      projectors.push_back(path);
    } else if (is_model_file(path)) {
      ++models;
    }
  }
  const bool own_folder = model.parent_path() != models_dir;
  return own_folder && models == 1 && projectors.size() == 1 ? projectors.front() : fs::path{};
}

// For clients: what is wrong, in words that name no path.
std::string public_problem(const Error& error) {
  switch (error.code) {
    case Errc::NotFound:
      return "the model's file is missing";
    case Errc::PermissionDenied:
      return "the model's file may not be read by the server";
    case Errc::Unsupported:
      return "the model's file is of a kind that the engine does not know";
    case Errc::Corrupt:
      return "the model's file is damaged or incomplete";
    case Errc::InvalidArgument:
    case Errc::AlreadyExists:
    case Errc::ResourceExhausted:
    case Errc::Unavailable:
    case Errc::Timeout:
    case Errc::Io:
    case Errc::Internal:
      break;
  }
  return "the model's file cannot be read";
}

std::string next_step_after(Errc code) {
  if (code == Errc::NotFound) {
    return "put the file back, or take the model out of the configuration";
  }
  if (code == Errc::PermissionDenied) {
    return "let the server's user read it";
  }
  if (code == Errc::Unsupported) {
    return "take a file of this model that this version of llama.cpp can read";
  }
  return "fetch the file again; it is looked at as soon as it changes";
}

void mark_broken(ModelFile& file, const Error& error) {
  file.problem = public_problem(error);
  file.next_step = next_step_after(error.code);
  file.detail = file.source.path.string() + ": " + error.message;
}

// Adds the sizes of the later parts; false (and marked) if one is missing or damaged.
bool add_parts(ModelFile& file, gguf::Header& header) {
  const auto part = gguf::split_name(file.source.path.stem().string());
  if (header.split_count < 2 || !part) {
    return true;
  }
  for (std::uint32_t number = 2; number <= header.split_count; ++number) {
    const fs::path path =
        file.source.path.parent_path() / gguf::name_of_part({part->stem, static_cast<int>(number),
                                                             static_cast<int>(header.split_count)});
    file.companions.emplace_back(path, gguf::identify(path).value_or(gguf::FileIdentity{}));
    auto next = gguf::read_header(path);
    if (!next) {
      file.problem = "part " + std::to_string(number) + " of " +
                     std::to_string(header.split_count) + " of the model is missing or damaged";
      file.next_step = "put every part of the model into one folder";
      file.detail = path.string() + ": " + next.error().message;
      return false;
    }
    header.tensors.total += next->tensors.total;
    header.tensors.count += next->tensors.count;
    header.tensors.weights += next->tensors.weights;
    header.file_size += next->file_size;
    for (std::size_t type = 0; type < header.tensors.matrices.size(); ++type) {
      header.tensors.matrices[type] += next->tensors.matrices[type];
    }
    for (std::size_t layer = 0;
         layer < std::min(header.tensors.layers.size(), next->tensors.layers.size()); ++layer) {
      header.tensors.layers[layer] += next->tensors.layers[layer];
    }
    header.tensors.output += next->tensors.output;
    if (next->tensors.token_embedding.count > 0) {
      header.tensors.token_embedding = next->tensors.token_embedding;
      header.tensors.token_embedding_type = next->tensors.token_embedding_type;
    }
  }
  return true;
}

// What cannot be read is left to the engine, which says so when it loads.
void add_side_files(ModelFile& file, PlanFacts& facts) {
  const SideFiles side = side_files(file.source.settings.args);
  const auto add_companion = [&](const fs::path& path) {
    file.companions.emplace_back(path, gguf::identify(path).value_or(gguf::FileIdentity{}));
    return gguf::read_header(path);
  };
  for (const fs::path& path : side.adapters) {
    if (const auto adapter = add_companion(path)) {
      facts.adapters += adapter->tensors.total;
    }
  }
  if (side.draft) {
    if (auto draft = add_companion(*side.draft)) {
      facts.draft = std::move(*draft);
    }
  }
}

// Over the matrices, which are nearly all of a model.
double bits_per_weight(const gguf::Header& header) {
  double bits = 0;
  double weights = 0;
  for (std::uint32_t number = 0; number < gguf::kTensorTypeCount; ++number) {
    const auto type = gguf::find_tensor_type(number);
    const auto bytes = static_cast<double>(header.tensors.matrices.at(number).count);
    if (type && bytes > 0) {
      bits += 8 * bytes;
      weights += bytes / type->block_bytes * type->block_weights;
    }
  }
  return weights > 0 ? bits / weights : 0;
}

// The administrator has given the model a template that its file lacks.
bool brings_template(const std::vector<std::string>& args) {
  return std::any_of(args.begin(), args.end(), [](const std::string& each) {
    const std::string flag = config::canonical_flag(each);
    return flag == "--chat-template" || flag == "--chat-template-file";
  });
}

// Walks models_dir into `found`, which holds the configured models already.
void walk(const config::Config& config, std::map<std::string, ModelSource>& found, Found& result) {
  std::error_code error;
  std::set<std::pair<std::uint64_t, std::uint64_t>> visited;  // folders, so that links cannot loop
  fs::recursive_directory_iterator entry(config.models_dir,
                                         fs::directory_options::follow_directory_symlink |
                                             fs::directory_options::skip_permission_denied,
                                         error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    const fs::path& path = entry->path();
    if (entry->is_directory(ignored)) {
      const auto folder = gguf::identify(path);
      if (!folder || !visited.emplace(folder->dev, folder->ino).second) {
        entry.disable_recursion_pending();
      }
      continue;
    }
    if (!is_model_file(path) || !entry->is_regular_file(ignored)) {
      continue;
    }
    const std::string relative =
        path.lexically_relative(config.models_dir).replace_extension().generic_string();
    const std::string name(config::canonical_model_name(relative));
    const bool configured = std::any_of(
        found.begin(), found.end(), [&](const auto& known) { return known.second.path == path; });
    if (configured || found.contains(name)) {
      continue;
    }
    if (!is_usable_name(name)) {
      result.warnings.push_back(
          "a file in models_dir was passed over: its name is not UTF-8, or has a control character "
          "or a comma in it");
      continue;
    }
    ModelSource source{config.defaults, path};
    source.settings.name = name;
    found.emplace(name, std::move(source));
  }
  if (error) {
    result.complete = false;
    result.warnings.push_back("models_dir " + config.models_dir.string() + ": " + error.message());
  }
}

}  // namespace

bool runs_alike(const ModelSource& a, const ModelSource& b) {
  config::ModelConfig as_b = a.settings;
  as_b.aliases = b.settings.aliases;
  as_b.pin = b.settings.pin;
  as_b.preload = b.settings.preload;
  as_b.priority = b.settings.priority;
  as_b.ttl = b.settings.ttl;
  as_b.load_within = b.settings.load_within;
  as_b.longest_answer = b.settings.longest_answer;
  return as_b == b.settings && a.path == b.path;
}

Found find_models(const config::Config& config) {
  std::map<std::string, ModelSource> found;
  for (const config::ModelConfig& table : config.models) {
    // A command may do without a file, and its name says nothing of one.
    const fs::path by_name =
        table.is_command() ? fs::path() : config.models_dir / (table.name + ".gguf");
    found[table.name] = ModelSource{table, table.path.value_or(by_name)};
  }
  Found result;
  walk(config, found, result);
  for (auto& [name, source] : found) {
    if (!source.settings.mmproj && !source.settings.is_command()) {
      const fs::path projector = projector_of(source.path, config.models_dir);
      if (!projector.empty()) {
        source.settings.mmproj = projector;
      }
    }
    result.sources.push_back(std::move(source));
  }
  return result;
}

ModelFile inspect(const ModelSource& source, Bytes budget, const CardRoom& cards,
                  const ModelFile* before) {
  if (source.settings.is_command()) {
    return inspect_command(source, cards);
  }
  ModelFile file;
  file.source = source;
  file.plan.name = source.settings.name;
  const auto identity = gguf::identify(source.path);
  if (!identity) {
    mark_broken(file, identity.error());
    return file;
  }
  file.identity = *identity;
  file.modified_unix_s = identity->mtime_ns / 1'000'000'000;
  auto header = gguf::read_header(source.path);
  if (!header) {
    mark_broken(file, header.error());
    return file;
  }
  if (header->split_no > 0) {
    mark_broken(file, Error{Errc::Corrupt, "part " + std::to_string(header->split_no + 1) +
                                               " of a split model: `path` must name the first"});
    return file;
  }
  // Files of older converters do not say what they are.
  file.is_model = header->type.empty() || header->type == "model";
  if (!add_parts(file, *header)) {
    return file;
  }
  file.file_size = header->file_size;
  file.bits_per_weight = bits_per_weight(*header);
  file.weights = header->tensors.weights;
  file.quantisation = gguf::file_type_name(header->file_type.value_or(kNoFileType));
  file.has_chat_template = header->has_chat_template || brings_template(source.settings.args);
  file.architecture = valid_utf8(header->architecture);
  file.trained_context = static_cast<int>(header->context_length);
  PlanFacts facts{source.path.string(), "", Bytes(0)};
  add_side_files(file, facts);
  if (source.settings.mmproj) {
    const fs::path& path = *source.settings.mmproj;
    file.companions.emplace_back(path, gguf::identify(path).value_or(gguf::FileIdentity{}));
    const auto projector = gguf::read_header(path);
    if (projector) {
      facts.mmproj = projector->tensors.total;
      facts.mmproj_path = path.string();
      facts.projector = file.projector = projector->projector;
    } else {
      file.problem = "the model's image projector is missing or damaged";
      file.next_step = "put the projector's file (mmproj) back, or fetch it again";
      file.detail = path.string() + ": " + projector.error().message;
    }
  }
  const RunPlan* plan_before = before == nullptr ? nullptr : &before->plan;
  PlannedRun run = make_plan(source.settings, *header, facts, budget, cards, plan_before);
  file.plan = std::move(run.plan);
  file.parts = run.cost;
  file.cost = run.cost.total();
  file.wanted_context = run.wanted_context;
  file.on_cards = run.on_cards;
  file.fits_cards = run.fits_cards;
  const bool mapped = cost_options(file.plan, Bytes(0)).load_mode == gguf::LoadMode::Mapped;
  file.mapped = mapped ? run.cost.weights : Bytes(0);
  return file;
}

std::string file_key(const ModelFile& file) {
  std::string key = gguf::to_string(file.identity);
  for (const auto& [path, identity] : file.companions) {
    key.append(" ").append(gguf::to_string(identity));
  }
  return key;
}

bool has_changed(const ModelFile& file) {
  if (file.source.settings.is_command()) {
    return command_has_changed(file);
  }
  const auto differs = [](const fs::path& path, const gguf::FileIdentity& before) {
    return gguf::identify(path).value_or(gguf::FileIdentity{}) != before;
  };
  return differs(file.source.path, file.identity) ||
         std::any_of(file.companions.begin(), file.companions.end(),
                     [&](const auto& c) { return differs(c.first, c.second); });
}

}  // namespace hf::engine
