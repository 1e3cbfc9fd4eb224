#include "engine/model_file.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <regex>
#include <set>
#include <system_error>
#include <thread>

#include "base/units.h"
#include "engine/card_plan.h"
#include "gguf/architecture.h"
#include "gguf/cost.h"
#include "gguf/header.h"
#include "gguf/kind.h"

namespace hf::engine {
namespace {

namespace fs = std::filesystem;

// The naming of split files is the engine's: NAME-00002-of-00005.gguf.
struct PartName {
  std::string stem;
  int number = 0;
  int count = 0;
};

std::optional<PartName> split_part(const std::string& stem) {
  static const std::regex kPattern("^(.+)-([0-9]{5})-of-([0-9]{5})$");
  std::smatch match;
  if (!std::regex_match(stem, match, kPattern)) {
    return std::nullopt;
  }
  return PartName{match[1], std::stoi(match[2]), std::stoi(match[3])};
}

bool is_projector(const fs::path& path) {
  return path.filename().string().starts_with("mmproj");
}

bool is_model_file(const fs::path& path) {
  if (path.extension() != ".gguf" || is_projector(path)) {
    return false;
  }
  const auto part = split_part(path.stem().string());
  return !part || part->number == 1;
}

// A name that can stand in JSON, in a log line and in the engine's comma-separated alias list.
bool is_usable_name(const std::string& name) {
  for (std::size_t i = 0; i < name.size();) {
    const auto lead = static_cast<unsigned char>(name[i]);
    if (lead < 0x20 || lead == 0x7f || lead == ',') {
      return false;
    }
    const std::size_t length = lead < 0x80                    ? 1
                               : lead >= 0xc2 && lead < 0xe0  ? 2
                               : lead >= 0xe0 && lead < 0xf0  ? 3
                               : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                              : 0;
    if (length == 0 || i + length > name.size()) {
      return false;
    }
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(name[i + k]) & 0xc0U) != 0x80U) {
        return false;
      }
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

void mark_broken(ModelFile& file, const Error& error) {
  file.problem = public_problem(error);
  file.detail = file.source.path.string() + ": " + error.message;
}

// Adds the sizes of the later parts; false (and marked) if one is missing or damaged.
bool add_parts(ModelFile& file, gguf::Header& header) {
  const auto part = split_part(file.source.path.stem().string());
  if (header.split_count < 2 || !part) {
    return true;
  }
  for (std::uint32_t number = 2; number <= header.split_count; ++number) {
    std::array<char, 32> suffix{};
    std::snprintf(suffix.data(), suffix.size(), "-%05u-of-%05u.gguf", number, header.split_count);
    const fs::path path = file.source.path.parent_path() / (part->stem + suffix.data());
    file.companions.emplace_back(path, gguf::identify(path).value_or(gguf::FileIdentity{}));
    auto next = gguf::read_header(path);
    if (!next) {
      file.problem = "part " + std::to_string(number) + " of " +
                     std::to_string(header.split_count) + " of the model is missing or damaged";
      file.detail = path.string() + ": " + next.error().message;
      return false;
    }
    header.tensors.total += next->tensors.total;
    header.file_size += next->file_size;
    for (std::size_t type = 0; type < header.tensors.matrices.size(); ++type) {
      header.tensors.matrices[type] += next->tensors.matrices[type];
    }
    for (std::size_t layer = 0;
         layer < std::min(header.tensors.layers.size(), next->tensors.layers.size()); ++layer) {
      header.tensors.layers[layer] += next->tensors.layers[layer];
    }
    header.tensors.output += next->tensors.output;
    header.tensors.token_embedding += next->tensors.token_embedding;
  }
  return true;
}

ModelKind plan_kind(const gguf::Header& header) {
  switch (gguf::kind_of(header)) {
    case gguf::Kind::Embedding:
      return ModelKind::Embedding;
    case gguf::Kind::Reranker:
      return ModelKind::Reranker;
    case gguf::Kind::Chat:
    case gguf::Kind::Completion:
      break;
  }
  return ModelKind::Chat;
}

gguf::RunOptions cost_options(const RunPlan& plan) {
  gguf::RunOptions options;
  options.context = static_cast<std::uint32_t>(plan.context);
  options.parallel = static_cast<std::uint32_t>(plan.parallel);
  options.cache_ram = plan.cache_ram;
  options.ctx_checkpoints = static_cast<std::uint32_t>(plan.context_checkpoints);
  options.swa_full = plan.swa_full;
  options.load_mode =
      plan.load_mode == config::LoadMode::None || plan.load_mode == config::LoadMode::Dio
          ? gguf::LoadMode::Read
          : gguf::LoadMode::Mapped;
  // Children run with --no-repack (command_line.cc), unless the administrator said otherwise.
  const bool repacks =
      std::find(plan.extra.begin(), plan.extra.end(), "--repack") != plan.extra.end();
  options.repack = repacks ? gguf::host_repack() : gguf::Repack::Off;
  options.embeddings = plan.kind == ModelKind::Chat;
  if (plan.cards_counted) {
    options.gpu_layers = static_cast<std::uint32_t>(plan.gpu_layers.value_or(0));
  }
  return options;
}

// Half the cores, so that two models can compute at the same time: the engine's threads spin while
// they wait for each other, and more of them than cores slow everybody down a hundredfold (ADR 6).
int default_threads() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
}

// The checkpoints of a model without sliding windows or recurrent layers cost nothing, because the
// engine makes none; with a full-size window cache they are not needed.
constexpr int kCheckpoints = 4;

// Of the model's projector; 0: none, or it cannot be looked at.
Bytes projector_size(const config::ModelConfig& settings) {
  std::error_code error;
  const auto size = settings.mmproj ? fs::file_size(*settings.mmproj, error) : 0;
  return Bytes(error ? 0 : static_cast<std::int64_t>(size));
}

void make_plan(ModelFile& file, const gguf::Header& header, Bytes budget, const CardRoom& cards,
               const ModelFile* before) {
  const config::ModelConfig& settings = file.source.settings;
  RunPlan& plan = file.plan;
  plan.model_path = file.source.path.string();
  plan.name = settings.name;
  plan.kind = plan_kind(header);
  plan.parallel = settings.parallel;
  plan.swa_full = gguf::needs_swa_full(header);
  plan.context_checkpoints = header.has_recurrent_state() ? kCheckpoints : 0;
  plan.cache_ram = settings.cache_ram.value_or(gguf::default_cache_ram(header.tensors.total));
  plan.load_mode = settings.load_mode;
  plan.threads = default_threads();
  plan.extra = settings.args;
  if (settings.gpu_layers) {
    plan.gpu_layers = settings.gpu_layers->count;
  }
  plan.context = settings.context.value_or(static_cast<int>(gguf::default_context(header)));
  const auto settle = [&] {
    if (cards.counted) {
      const DeviceNeed need = device_need(header, cost_options(plan), projector_size(settings));
      place_on_cards(file, need, cards, before);
    }
    file.cost = gguf::predict_cost(header, cost_options(plan)).total();
  };
  settle();
  while (!settings.context && (file.cost > budget || !file.fits_cards) &&
         plan.context / 2 >= kLeastContext) {
    plan.context /= 2;
    settle();
  }
  if (cost_options(plan).load_mode == gguf::LoadMode::Mapped) {
    file.mapped = std::min(file.cost, header.tensors.total);
  }
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
  return as_b == b.settings && a.path == b.path;
}

Found find_models(const config::Config& config) {
  std::map<std::string, ModelSource> found;
  for (const config::ModelConfig& table : config.models) {
    const fs::path path = table.path.value_or(config.models_dir / (table.name + ".gguf"));
    found[table.name] = ModelSource{table, path};
  }
  Found result;
  walk(config, found, result);
  for (auto& [name, source] : found) {
    if (!source.settings.mmproj) {
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
  // Files of older converters do not say what they are.
  file.is_model = header->type.empty() || header->type == "model";
  if (!add_parts(file, *header)) {
    return file;
  }
  file.file_size = header->file_size;
  file.architecture = header->architecture;
  file.trained_context = static_cast<int>(header->context_length);
  make_plan(file, *header, budget, cards, before);
  if (source.settings.mmproj) {
    const fs::path& path = *source.settings.mmproj;
    file.companions.emplace_back(path, gguf::identify(path).value_or(gguf::FileIdentity{}));
    const auto projector = gguf::read_header(path);
    if (!projector) {
      file.problem = "the model's image projector is missing or damaged";
      file.detail = source.settings.mmproj->string() + ": " + projector.error().message;
      return file;
    }
    file.plan.mmproj_path = source.settings.mmproj->string();
    // Its weights, and as much again for its activations.
    if (file.plan.cards.empty()) {
      file.cost += projector->tensors.total + projector->tensors.total;
    }
  }
  return file;
}

bool has_changed(const ModelFile& file) {
  const auto differs = [](const fs::path& path, const gguf::FileIdentity& before) {
    return gguf::identify(path).value_or(gguf::FileIdentity{}) != before;
  };
  return differs(file.source.path, file.identity) ||
         std::any_of(file.companions.begin(), file.companions.end(),
                     [&](const auto& c) { return differs(c.first, c.second); });
}

}  // namespace hf::engine
