#include "engine/command_model.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "engine/find_engine.h"

namespace hf::engine {
namespace {

namespace fs = std::filesystem;

// Whole sentences: g++ 12 warns of its own `+` when it also looks for races.
constexpr const char* kInstallIt =
    "install it, or correct `command`; it is looked for again every second";
constexpr const char* kLetItRun =
    "let the server's user execute it (chmod +x); it is looked for again every second";

// All zero if it is not there or may not be used so: rights change without changing the file.
gguf::FileIdentity identity_of(const fs::path& path, int right) {
  if (::access(path.c_str(), right) != 0) {
    return {};
  }
  gguf::FileIdentity identity = gguf::identify(path).value_or(gguf::FileIdentity{});
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    identity.size = 0;
    identity.mtime_ns = 0;
  }
  return identity;
}

// As configured if it is not found.
std::string program_of(const std::string& word) {
  const bool bare = word.find('/') == std::string::npos;
  const std::string found = bare ? search_path(word) : word;
  return found.empty() ? word : found;
}

void mark(ModelFile& file, std::string problem, std::string next_step, std::string detail) {
  file.problem = std::move(problem);
  file.next_step = std::move(next_step);
  file.detail = std::move(detail);
}

void look_at_program(ModelFile& file, const std::string& word) {
  const std::string& program = file.plan.command->program;
  std::error_code ignored;
  if (program.find('/') == std::string::npos) {
    mark(file, "its program is not installed here", kInstallIt, word + " is not on PATH");
  } else if (!fs::is_regular_file(program, ignored)) {
    mark(file, "its program is missing", kInstallIt, program + " is not a file");
  } else if (::access(program.c_str(), X_OK) != 0) {
    mark(file, "its program cannot be executed by the server", kLetItRun,
         program + " is not executable");
  }
  file.companions.emplace_back(program, identity_of(program, X_OK));
}

void look_at_path(ModelFile& file) {
  const fs::path& path = file.source.path;
  if (path.empty()) {
    return;
  }
  file.plan.model_path = path.string();
  file.identity = identity_of(path, R_OK);
  file.modified_unix_s = file.identity.mtime_ns / 1'000'000'000;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    mark(file, "the model's file is missing", "put it back, or correct `path`",
         path.string() + " is not there");
  } else if (file.identity == gguf::FileIdentity{}) {
    mark(file, "the model's file may not be read by the server", "let the server's user read it",
         path.string() + " cannot be read");
  } else if (fs::is_regular_file(path, ignored)) {
    file.file_size = Bytes(static_cast<std::int64_t>(file.identity.size));
  }
}

// Which cards it declares bytes on, by their number; one size alone is for each that `gpus` names.
std::vector<std::pair<int, Bytes>> declared_cards(const config::ModelConfig& settings) {
  std::vector<std::pair<int, Bytes>> declared;
  const std::vector<Bytes>& sizes = settings.gpu_bytes;
  if (settings.gpus && sizes.size() == 1) {
    for (const int card : *settings.gpus) {
      declared.emplace_back(card, sizes.front());
    }
    return declared;
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const bool named = settings.gpus && i < settings.gpus->size();
    declared.emplace_back(named ? (*settings.gpus)[i] : static_cast<int>(i), sizes[i]);
  }
  return declared;
}

void reserve_cards(ModelFile& file, const CardRoom& room) {
  std::vector<bool> wanted(room.places.size(), false);
  for (const auto& [number, bytes] : declared_cards(file.source.settings)) {
    if (bytes.count == 0) {
      continue;
    }
    const auto card = static_cast<std::size_t>(number);
    if (card >= room.places.size()) {
      mark(file,
           "it needs card " + std::to_string(number) + ", and " +
               std::to_string(room.places.size()) + " are counted here",
           "correct gpus and gpu_bytes; holdfast doctor shows the cards, which are counted from "
           "the server's start on",
           "gpu_bytes: there is no card " + std::to_string(number));
      return;
    }
    wanted[card] = true;
    Bytes& declared = file.on_cards.in[domain_of(card)];
    declared += bytes;
    file.fits_cards = file.fits_cards && bytes <= room.places[card].budget;
  }
  std::vector<Card> cards;
  for (const CardRoom::Place& place : room.places) {
    cards.push_back(place.card);
  }
  file.plan.command->cards = only_cards(cards, wanted, visible_cards_of_environment());
}

}  // namespace

ModelFile inspect_command(const ModelSource& source, const CardRoom& cards) {
  const config::ModelConfig& settings = source.settings;
  ModelFile file;
  file.source = source;
  file.plan.name = settings.name;
  file.plan.kind = ModelKind::Command;
  file.plan.parallel = settings.parallel;
  file.plan.context = 0;
  CommandPlan& command = file.plan.command.emplace();
  command.program = program_of(settings.command.front());
  command.arguments.assign(settings.command.begin() + 1, settings.command.end());
  command.environment = settings.env;
  command.ready = settings.ready;
  file.cost = settings.bytes.value_or(Bytes(0));
  reserve_cards(file, cards);
  command.declared = core::Footprint::host(file.cost) + file.on_cards;
  look_at_path(file);
  look_at_program(file, settings.command.front());
  return file;
}

bool command_has_changed(const ModelFile& file) {
  const config::ModelConfig& settings = file.source.settings;
  if (program_of(settings.command.front()) != file.plan.command->program ||
      (!file.source.path.empty() && identity_of(file.source.path, R_OK) != file.identity)) {
    return true;
  }
  return std::any_of(file.companions.begin(), file.companions.end(), [](const auto& program) {
    return identity_of(program.first, X_OK) != program.second;
  });
}

}  // namespace hf::engine
