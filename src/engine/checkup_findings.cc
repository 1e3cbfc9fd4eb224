// What a person should know of a check-up, and what to do about it.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "base/units.h"
#include "engine/checkup.h"

namespace hf::engine {
namespace {

namespace fs = std::filesystem;

// A server with a few hundred connections and models needs some thousand.
constexpr std::int64_t kEnoughDescriptors = 4096;
// Less is used up by one more model, or by the history.
constexpr Bytes kEnoughSpace = kGiB;
// Stalls of 150 ms in 2 s are what the server acts on.
constexpr double kStallPercent = 7.5;

// Flags whose absence takes something away; a feature that is newer than the engine is no loss.
struct Wanted {
  std::string_view flag;
  std::string_view older;  // does as well
  std::string_view without;
  Severity severity;
};
constexpr std::array<Wanted, 6> kWanted{{
    {"--ctx-size", "", "contexts cannot be set, so that no model's memory is known",
     Severity::Problem},
    {"--parallel", "", "slots cannot be set, so that no model's memory is known",
     Severity::Problem},
    {"--alias", "", "answers carry the model's path instead of its name", Severity::Warning},
    {"--embeddings", "", "embeddings cannot be served", Severity::Warning},
    {"--load-mode", "--no-mmap", "load_mode has no effect", Severity::Warning},
    {"--no-repack", "", "a model may take up to twice its size (copied weights)",
     Severity::Warning},
}};

class Findings {
 public:
  void add(Severity severity, std::string text, std::string next = "") {
    list_.push_back({severity, std::move(text), std::move(next)});
  }
  std::vector<Finding> take() && { return std::move(list_); }

 private:
  std::vector<Finding> list_;
};

void about_engine(const Checkup& checkup, Findings& found) {
  if (!checkup.traits) {
    return;
  }
  for (const Wanted& wanted : kWanted) {
    if (!checkup.traits->has(wanted.flag) &&
        (wanted.older.empty() || !checkup.traits->has(wanted.older))) {
      found.add(wanted.severity,
                "the engine does not know " + std::string(wanted.flag) + ": " +
                    std::string(wanted.without),
                "use the engine that make build makes");
    }
  }
}

void about_command(const Checkup& checkup, const ModelCheck& model, Findings& found) {
  if (model.fits || checkup.budget_source == BudgetSource::Unknown) {
    return;
  }
  const ModelFile& file = model.file;
  const std::string& name = file.source.settings.name;
  if (file.cost > checkup.budget) {
    found.add(Severity::Warning,
              name + " declares " + format_bytes(file.cost) + ", the budget is " +
                  format_bytes(checkup.budget),
              "set its bytes lower if it needs less, or allow more memory");
  } else {
    found.add(Severity::Warning, name + " declares more on a card than that card's budget",
              "set its gpu_bytes lower if it needs less, or free more of the card");
  }
}

void about_models(const Checkup& checkup, const config::Config& config, Findings& found) {
  for (const ModelCheck& model : checkup.models) {
    const ModelFile& file = model.file;
    const std::string& name = file.source.settings.name;
    if (!file.problem.empty()) {
      found.add(Severity::Warning, name + " cannot be served: " + file.detail, file.next_step);
    } else if (file.plan.command) {
      about_command(checkup, model, found);
    } else if (!model.fits && checkup.budget_source != BudgetSource::Unknown) {
      found.add(
          Severity::Warning,
          name + " needs " + format_bytes(file.cost) + ", the budget is " +
              format_bytes(checkup.budget),
          file.source.settings.context
              ? "set a smaller context, fewer slots (parallel) or a smaller cache_ram, or take a "
                "smaller quantisation"
              : "set fewer slots (parallel) or a smaller cache_ram, take a smaller "
                "quantisation, or allow more memory");
    } else if (file.plan.context < file.wanted_context) {
      found.add(Severity::Note,
                name + ": context shrunk from " + std::to_string(file.wanted_context) + " to " +
                    std::to_string(file.plan.context) + " so that it fits",
                "set context and a smaller parallel to have it longer");
    }
  }
  const bool any = std::any_of(checkup.models.begin(), checkup.models.end(),
                               [](const ModelCheck& model) { return model.can_be_served(); });
  if (checkup.models.empty()) {
    found.add(Severity::Problem, "there is no model in " + config.models_dir.string(),
              "put a .gguf file there, or name the folder: --models-dir DIR");
  } else if (!any) {
    found.add(Severity::Problem, "none of the models can be served",
              "see the warnings about each of them");
  }
  const auto& wished = config.default_model;
  const auto has_wished = [&](const ModelCheck& model) {
    const config::ModelConfig& settings = model.file.source.settings;
    return settings.name == *wished ||
           std::count(settings.aliases.begin(), settings.aliases.end(), *wished) > 0;
  };
  if (wished && std::none_of(checkup.models.begin(), checkup.models.end(), has_wished)) {
    found.add(Severity::Warning, "default_model: there is no model \"" + *wished + '"',
              "requests without a model are refused until there is one");
  }
}

void about_budget(const Checkup& checkup, Findings& found) {
  if (checkup.server && checkup.server->here && checkup.terms &&
      checkup.budget_source != BudgetSource::Server) {
    const bool known = checkup.server->reserved.has_value();
    found.add(
        Severity::Note,
        "what others use includes the models of the server that runs here" +
            (known ? " (" + format_bytes(*checkup.server->reserved) + " reserved)" : std::string()),
        known ? "" : "set HOLDFAST_API_KEY to see its own figures");
  }
  if (!checkup.terms || checkup.budget_source == BudgetSource::Unknown) {
    return;
  }
  if (checkup.budget.count == 0) {
    found.add(Severity::Problem, "no memory is left for models: others use all but the reserve",
              "end other programs, or raise the limit");
  } else if (checkup.budget_source == BudgetSource::Configured &&
             checkup.budget > checkup.terms->limit) {
    found.add(
        Severity::Warning,
        "the budget of " + format_bytes(checkup.budget) + " is more than there is (" +
            format_bytes(checkup.terms->limit) + ")",
        "take [memory] budget out: it would be computed as " + format_bytes(checkup.terms->budget));
  } else if (checkup.budget_source == BudgetSource::Configured && !checkup.server &&
             checkup.budget > checkup.terms->budget) {
    found.add(Severity::Note,
              "models that fill the budget would bring the machine to its high mark; computed, it "
              "would be " +
                  format_bytes(checkup.terms->budget),
              "");
  }
}

void about_pressure(const Checkup& checkup, const config::Config& config, Findings& found) {
  if (!checkup.snapshot) {
    return;
  }
  const readers::Snapshot& now = *checkup.snapshot;
  if (now.machine.used_percent >= config.memory.high) {
    found.add(Severity::Warning, "memory is above the high mark: nothing would be loaded now",
              "end other programs, or wait");
  }
  if (now.pressure && now.pressure->some.avg10 >= kStallPercent) {
    found.add(Severity::Warning, "tasks stand still for want of memory now",
              "see which program grows: top, sorted by memory");
  }
  if (now.info.swap_total.count > 0) {
    const Bytes used = now.info.swap_total - now.info.swap_free;
    found.add(Severity::Warning,
              "there is swap (" + format_bytes(used) + " of " + format_bytes(now.info.swap_total) +
                  " in use): a model that is swapped out answers slowly, and nothing says why",
              "swapoff -a, or at least vm.swappiness=1");
  }
  const auto kills = now.cgroup_events ? now.cgroup_events->oom_kills
                     : now.vmstat      ? now.vmstat->oom_kills
                                       : std::nullopt;
  if (kills.value_or(0) > 0) {
    found.add(Severity::Warning,
              "the kernel has killed " + std::to_string(*kills) +
                  (*kills == 1 ? " process" : " processes") + " for want of memory " +
                  (now.cgroup_events ? "in this cgroup" : "since this machine was started"),
              "dmesg says which");
  }
  if (checkup.overcommit == 2) {
    found.add(Severity::Warning,
              "vm.overcommit_memory is 2: loads may fail although there is memory",
              "sysctl vm.overcommit_memory=0");
  }
}

void about_ladder(const Checkup& checkup, Findings& found) {
  for (const readers::Need& need : checkup.ladder) {
    if (need.on_best() || need.standing() + 1 < need.rungs.size()) {
      continue;
    }
    const readers::Rung& best = need.rungs.front();
    found.add(Severity::Warning,
              need.name + ": " + need.rung().name + " (" + best.name + ": " + best.why_not + ")",
              best.remedy);
  }
}

void about_files(const Checkup& checkup, const config::Config& config, Findings& found) {
  if (const std::string why = why_not_writable(config.store.path); !why.empty()) {
    found.add(Severity::Warning, "history is off: " + why,
              "set [store] path to a file that the server may write");
  }
  if (config.store.journal) {
    if (const std::string why = why_not_writable(*config.store.journal); !why.empty()) {
      found.add(Severity::Problem, "journal: " + why,
                "set [store] journal to a file that the server may write");
    }
  }
  if (checkup.descriptors < kEnoughDescriptors) {
    found.add(Severity::Warning,
              "only " + std::to_string(checkup.descriptors) +
                  " files may be open at once: each connection, model and pipe is one",
              "raise the hard limit (ulimit -Hn, LimitNOFILE=)");
  }
  if (checkup.models_space && *checkup.models_space < kEnoughSpace) {
    found.add(Severity::Warning,
              "only " + format_bytes(*checkup.models_space) + " are free on the disk of " +
                  config.models_dir.string(),
              "");
  }
}

}  // namespace

std::string why_not_writable(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path, error)) {
    if (fs::is_directory(path, error)) {
      return path.string() + " is a folder";
    }
    return ::access(path.c_str(), W_OK) == 0 ? "" : path.string() + ": " + std::strerror(errno);
  }
  // Folders that are missing are made.
  fs::path folder = path.parent_path();
  while (!folder.empty() && folder.has_relative_path() && !fs::exists(folder, error)) {
    folder = folder.parent_path();
  }
  if (!fs::is_directory(folder, error)) {
    return folder.string() + " is no folder";
  }
  return ::access(folder.c_str(), W_OK | X_OK) == 0 ? ""
                                                    : folder.string() + ": " + std::strerror(errno);
}

std::vector<Finding> findings_of(const Checkup& checkup, const config::Config& config) {
  Findings found;
  about_engine(checkup, found);
  about_budget(checkup, found);
  about_models(checkup, config, found);
  about_pressure(checkup, config, found);
  about_files(checkup, config, found);
  about_ladder(checkup, found);
  return std::move(found).take();
}

}  // namespace hf::engine
