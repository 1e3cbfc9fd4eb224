#include <fmt/format.h>

#include <algorithm>

#include "app/doctor_report.h"
#include "app/terminal.h"
#include "base/units.h"

namespace hf::app {
namespace {

using engine::BudgetSource;
using engine::Checkup;
using engine::Finding;
using engine::ModelCheck;
using engine::Severity;

// The labels' column is as wide as the longest of them.
constexpr std::size_t kLabel = 18;

std::string heading(std::string_view text) {
  return '\n' + coloured(Colour::Bold, text) + '\n';
}

std::string row(std::string_view label, std::string_view value) {
  return fmt::format("  {:<{}}{}\n", label, kLabel, value);
}

std::string indented(const std::string& text) {
  std::string result = "  ";
  for (std::size_t i = 0; i < text.size(); ++i) {
    result += text[i];
    result += text[i] == '\n' && i + 1 < text.size() ? "  " : "";
  }
  return result;
}

std::string machine_text(const DoctorReport& report) {
  std::string text = coloured(Colour::Bold, "Machine") + '\n';
  text += row("kernel", report.kernel);
  text += row("cores", std::to_string(report.cores));
  text += row("configuration", report.config_file.empty() ? "none: defaults" : report.config_file);
  if (const auto& server = report.checkup.server) {
    std::string says = "one answers at " + server->place;
    if (server->budget && server->reserved) {
      says += ": " + format_bytes(*server->reserved) + " of " + format_bytes(*server->budget) +
              " reserved";
    }
    if (server->loaded) {
      says += fmt::format(", {} model{} loaded", *server->loaded, *server->loaded == 1 ? "" : "s");
    }
    text += row("server", says + (server->here ? "" : " (not on this machine)"));
  } else {
    text += row("server", "none answers");
  }
  return text;
}

std::string engine_text(const Checkup& checkup) {
  std::string text = heading("Engine");
  if (!checkup.traits) {
    return text + row("program", coloured(Colour::Red, "none that can be used"));
  }
  text += row("program", checkup.traits->path);
  return text +
         row("version", checkup.traits->version.empty()
                            ? fmt::format("not told ({} options)", checkup.traits->flags.size())
                            : fmt::format("{}, {} options", checkup.traits->version,
                                          checkup.traits->flags.size()));
}

std::string budget_row(const Checkup& checkup) {
  const std::string bytes = coloured(Colour::Bold, format_bytes(checkup.budget));
  switch (checkup.budget_source) {
    case BudgetSource::Configured:
      return row("budget", bytes + ", as configured");
    case BudgetSource::Server:
      return row("budget", bytes + ", as the running server computed it");
    case BudgetSource::Computed:
      return row("budget", bytes);
    case BudgetSource::Unknown:
      return row("budget", coloured(Colour::Red, "unknown"));
  }
  return {};
}

// Whichever is configured, the arithmetic of the default shows what there is.
std::string terms_rows(const Checkup& checkup) {
  if (!checkup.terms) {
    return {};
  }
  const readers::BudgetTerms& terms = *checkup.terms;
  const bool used = checkup.budget_source == BudgetSource::Computed;
  const std::string sum = readers::arithmetic(terms);
  return used ? row("", "= " + sum)
              : row("", "computed now it would be " + format_bytes(terms.budget) + " = " + sum);
}

std::string memory_text(const Checkup& checkup) {
  std::string text = heading("Memory");
  if (checkup.snapshot) {
    const readers::Snapshot& now = *checkup.snapshot;
    const readers::MachineMemory& machine = now.machine;
    const bool by_cgroup = readers::cgroup_is_tightest(machine);
    const std::string_view tightest = " <- the tightest limit";
    text += row("RAM", fmt::format("{}, {} available{}", format_bytes(machine.total),
                                   format_bytes(machine.available), by_cgroup ? "" : tightest));
    if (machine.cgroup) {
      text +=
          row("cgroup limit",
              fmt::format("{}, {} in use{}", format_bytes(machine.cgroup->limit),
                          format_bytes(machine.cgroup->working_set()), by_cgroup ? tightest : ""));
      text += row("", machine.cgroup->path);
    } else {
      text += row("cgroup limit", "none");
    }
    if (now.cgroup_events && now.cgroup_events->peak) {
      text += row("cgroup peak", format_bytes(*now.cgroup_events->peak));
    }
    text += row("in use", fmt::format("{:.1f}%", machine.used_percent));
    text += row("swap", now.info.swap_total.count == 0
                            ? "none"
                            : format_bytes(now.info.swap_total - now.info.swap_free) + " of " +
                                  format_bytes(now.info.swap_total) + " in use");
    text += row("stalls (PSI)",
                now.pressure ? fmt::format("{:.1f}% of the last 10 s", now.pressure->some.avg10)
                             : "not known");
    if (checkup.overcommit) {
      text += row("overcommit", fmt::format("{}{}", *checkup.overcommit,
                                            *checkup.overcommit == 2 ? " (strict)" : ""));
    }
  }
  text += budget_row(checkup) + terms_rows(checkup);
  for (const engine::CheckedCard& card : checkup.cards) {
    text += row(card.card.name, card.card.title + ", budget " + engine::arithmetic(card.terms));
  }
  return text;
}

std::string context_cell(const engine::ModelFile& file) {
  std::string cell = std::to_string(file.plan.context);
  if (file.plan.context < file.trained_context) {
    cell += fmt::format(" of {}", file.trained_context);
  }
  return cell;
}

std::string verdict_of(const ModelCheck& model, BudgetSource source) {
  if (!model.file.problem.empty()) {
    return coloured(Colour::Red, model.file.problem);
  }
  if (source == BudgetSource::Unknown) {
    return "no budget is known";
  }
  if (!model.fits) {
    return coloured(Colour::Red, "does not fit");
  }
  std::string verdict = "fits";
  if (model.file.on_cards.total().count > 0) {
    verdict += " with " + format_bytes(model.file.on_cards.total()) + " on cards";
  }
  if (model.file.plan.context < model.file.wanted_context) {
    verdict += fmt::format(" (shrunk from {})", model.file.wanted_context);
  }
  return coloured(Colour::Green, verdict);
}

std::string models_text(const DoctorReport& report) {
  const Checkup& checkup = report.checkup;
  std::string text = heading("Models in " + report.config.models_dir.string());
  if (checkup.models.empty()) {
    return text + "  none\n";
  }
  Table table({{"NAME"},
               {"ARCHITECTURE"},
               {"CONTEXT", true},
               {"SLOTS", true},
               {"WEIGHTS", true},
               {"KV CACHE", true},
               {"COMPUTE", true},
               {"PROMPTS", true},
               {"CHECKPOINTS", true},
               {"REST", true},
               {"TOTAL", true},
               {""}});
  for (const ModelCheck& model : checkup.models) {
    const engine::ModelFile& file = model.file;
    const gguf::Cost& parts = file.parts;
    const bool command = file.plan.command.has_value();
    const bool known = file.cost.count > 0 || command;
    const auto bytes = [&](Bytes part) { return known && !command ? format_bytes(part) : "-"; };
    const std::string architecture = command ? "command" : file.architecture;
    table.add({file.source.settings.name, architecture.empty() ? "-" : architecture,
               known && !command ? context_cell(file) : "-",
               known ? std::to_string(file.plan.parallel) : "-", bytes(parts.weights),
               bytes(parts.kv_cache), bytes(parts.compute), bytes(parts.cache_ram),
               bytes(parts.checkpoints), bytes(parts.process_overhead),
               known ? format_bytes(file.cost) : "-", verdict_of(model, checkup.budget_source)});
  }
  text += indented(table.text());
  return text +
         "  Predicted peaks in use, before anything was measured; of commands what they "
         "declare.\n";
}

std::string ladder_text(const Checkup& checkup) {
  std::string text = heading("How memory is watched");
  for (const readers::Need& need : checkup.ladder) {
    const readers::Rung& rung = need.rung();
    text += row(need.name, coloured(need.on_best() ? Colour::Green : Colour::Yellow, rung.name) +
                               (rung.gives.empty() ? "" : ": " + rung.gives));
    for (std::size_t i = 0; i < need.standing(); ++i) {
      const readers::Rung& better = need.rungs[i];
      text += row("", "better: " + better.name + ", not used: " + better.why_not);
      if (!better.remedy.empty()) {
        text += row("", "        -> " + better.remedy);
      }
    }
  }
  return text;
}

std::string files_text(const DoctorReport& report) {
  const config::StoreConfig& store = report.config.store;
  const auto state = [](const std::filesystem::path& path) {
    return path.string() + (engine::why_not_writable(path).empty()
                                ? ""
                                : coloured(Colour::Red, "  (cannot be written)"));
  };
  std::string text = heading("Files");
  text += row("history", state(store.path));
  text += row("journal", store.journal ? state(*store.journal) : "off");
  text += row("disk of models", report.checkup.models_space
                                    ? format_bytes(*report.checkup.models_space) + " free"
                                    : "not known");
  return text + row("open files", report.checkup.descriptors == INT32_MAX
                                      ? "no limit"
                                      : fmt::format("at most {}", report.checkup.descriptors));
}

std::string finding_text(const Finding& finding) {
  std::string label;
  switch (finding.severity) {
    case Severity::Note:
      label = coloured(Colour::Dim, "note");
      break;
    case Severity::Warning:
      label = coloured(Colour::Yellow, "warning");
      break;
    case Severity::Problem:
      label = coloured(Colour::Red, "problem");
      break;
  }
  std::string text = "  " + label + ": " + finding.text + '\n';
  return finding.next_step.empty() ? text : text + "    -> " + finding.next_step + '\n';
}

std::string verdict_text(const DoctorReport& report) {
  const Checkup& checkup = report.checkup;
  if (!checkup.can_serve()) {
    return '\n' + coloured(Colour::Red, "Holdfast cannot serve here; see the problems above.") +
           '\n';
  }
  const auto good = std::count_if(checkup.models.begin(), checkup.models.end(),
                                  [](const ModelCheck& model) { return model.can_be_served(); });
  return '\n' +
         coloured(Colour::Green,
                  fmt::format("Holdfast can serve {} of {} model{} here.", good,
                              checkup.models.size(), checkup.models.size() == 1 ? "" : "s")) +
         '\n';
}

}  // namespace

std::string doctor_text(const DoctorReport& report) {
  std::string text = machine_text(report) + engine_text(report.checkup) +
                     memory_text(report.checkup) + models_text(report) +
                     ladder_text(report.checkup) + files_text(report);
  if (!report.checkup.findings.empty()) {
    text += heading("Findings");
    for (const Finding& finding : report.checkup.findings) {
      text += finding_text(finding);
    }
  }
  return text + verdict_text(report);
}

}  // namespace hf::app
