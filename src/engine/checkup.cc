#include "engine/checkup.h"

#include <sys/resource.h>

#include <algorithm>
#include <system_error>

#include "engine/card_plan.h"
#include "engine/find_engine.h"
#include "readers/proc_file.h"

namespace hf::engine {
namespace {

namespace fs = std::filesystem;

// A snapshot of its own: nothing is compared with an earlier one.
constexpr TimePoint kNow{};

// The server raises its soft limit to the hard one.
std::int64_t descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max > INT32_MAX) {
    return INT32_MAX;
  }
  return static_cast<std::int64_t>(limit.rlim_max);
}

std::optional<Bytes> free_space(const fs::path& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  return error ? std::nullopt : std::optional(Bytes(static_cast<std::int64_t>(space.available)));
}

void choose_budget(Checkup& checkup, const config::Config& config) {
  if (checkup.snapshot) {
    checkup.terms = readers::default_budget(checkup.snapshot->machine, config.memory.high);
  }
  if (config.memory.budget) {
    checkup.budget = *config.memory.budget;
    checkup.budget_source = BudgetSource::Configured;
  } else if (checkup.server && checkup.server->here && checkup.server->budget) {
    checkup.budget = *checkup.server->budget;
    checkup.budget_source = BudgetSource::Server;
  } else if (checkup.terms) {
    checkup.budget = checkup.terms->budget;
    checkup.budget_source = BudgetSource::Computed;
  }
}

// Models of kind command are served without one.
void check_engine(Checkup& checkup, const config::Config& config) {
  const bool commands = std::any_of(config.models.begin(), config.models.end(),
                                    [](const auto& model) { return model.is_command(); });
  const Severity severity = commands ? Severity::Warning : Severity::Problem;
  const auto program = find_engine_program(config.engine);
  if (!program) {
    checkup.findings.push_back({severity, program.error().message, ""});
    return;
  }
  auto traits = process::probe_engine(*program);
  if (!traits) {
    checkup.findings.push_back({severity, "engine: " + traits.error().message,
                                "name a llama-server: [engine] llama_server = \"/path/to/it\""});
    return;
  }
  checkup.traits = std::move(*traits);
}

void check_models(Checkup& checkup, const config::Config& config, CardRoom cards) {
  const Found found = find_models(config);
  for (const std::string& warning : found.warnings) {
    const bool empty = found.sources.empty();
    checkup.findings.push_back({empty ? Severity::Problem : Severity::Warning, warning,
                                "set models_dir to the folder with your .gguf files"});
  }
  for (const ModelSource& source : found.sources) {
    ModelCheck model;
    model.file = inspect(source, checkup.budget, cards);
    count_in(cards, model.file, 1);
    if (model.file.is_model) {
      model.fits = model.file.cost <= checkup.budget && model.file.fits_cards;
      checkup.models.push_back(std::move(model));
    }
  }
  checkup.models_space = free_space(config.models_dir);
}

}  // namespace

bool Checkup::can_serve() const {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& finding) { return finding.severity == Severity::Problem; });
}

Checkup check_up(const config::Config& config, std::optional<RunningServer> server) {
  const config::MemoryConfig& memory = config.memory;
  Checkup checkup;
  checkup.server = std::move(server);
  check_engine(checkup, config);
  if (auto snapshot = readers::read_snapshot(memory.proc_root, memory.without, kNow)) {
    checkup.snapshot = std::move(*snapshot);
  } else {
    const bool blocks = !memory.budget;  // then there is no budget to load anything into
    checkup.findings.push_back({blocks ? Severity::Problem : Severity::Warning,
                                "memory cannot be read: " + snapshot.error().message,
                                "set [memory] budget; pressure is not watched then"});
  }
  checkup.overcommit =
      readers::read_number_file(memory.proc_root / "proc/sys/vm/overcommit_memory");
  checkup.descriptors = descriptor_limit();
  checkup.ladder = readers::inspect_ladder(memory.proc_root, memory.without);
  choose_budget(checkup, config);
  check_models(checkup, config, check_cards(checkup, config));
  for (Finding& finding : findings_of(checkup, config)) {
    checkup.findings.push_back(std::move(finding));
  }
  std::stable_sort(checkup.findings.begin(), checkup.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  return checkup;
}

}  // namespace hf::engine
