#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "app/doctor_report.h"

namespace hf::app {
namespace {

namespace json = boost::json;
using engine::BudgetSource;
using engine::Checkup;

json::value bytes_or_null(const std::optional<Bytes>& bytes) {
  return bytes ? json::value(bytes->count) : json::value(nullptr);
}

template <class Number>
json::value number_or_null(const std::optional<Number>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

json::value engine_value(const Checkup& checkup) {
  if (!checkup.traits) {
    return nullptr;
  }
  return json::object{{"program", checkup.traits->path},
                      {"version", checkup.traits->version},
                      {"options", checkup.traits->flags.size()}};
}

json::value server_value(const Checkup& checkup) {
  if (!checkup.server) {
    return nullptr;
  }
  return json::object{{"place", checkup.server->place},
                      {"here", checkup.server->here},
                      {"budget_bytes", bytes_or_null(checkup.server->budget)},
                      {"reserved_bytes", bytes_or_null(checkup.server->reserved)},
                      {"loaded", number_or_null(checkup.server->loaded)}};
}

json::value memory_value(const Checkup& checkup) {
  if (!checkup.snapshot) {
    return nullptr;
  }
  const readers::Snapshot& now = *checkup.snapshot;
  const readers::MachineMemory& machine = now.machine;
  json::object object{{"total_bytes", machine.total.count},
                      {"available_bytes", machine.available.count},
                      {"used_percent", machine.used_percent},
                      {"limit", readers::cgroup_is_tightest(machine) ? "cgroup" : "ram"},
                      {"swap_total_bytes", now.info.swap_total.count},
                      {"swap_free_bytes", now.info.swap_free.count},
                      {"overcommit", number_or_null(checkup.overcommit)},
                      {"cgroup", nullptr},
                      {"stall", nullptr},
                      {"oom_kills", nullptr}};
  if (machine.cgroup) {
    json::object cgroup{{"path", machine.cgroup->path},
                        {"limit_bytes", machine.cgroup->limit.count},
                        {"used_bytes", machine.cgroup->working_set().count},
                        {"oom_kills", nullptr},
                        {"peak_bytes", nullptr},
                        {"swap_bytes", nullptr}};
    if (now.cgroup_events) {
      cgroup["oom_kills"] = number_or_null(now.cgroup_events->oom_kills);
      cgroup["peak_bytes"] = bytes_or_null(now.cgroup_events->peak);
      cgroup["swap_bytes"] = bytes_or_null(now.cgroup_events->swap);
    }
    object["cgroup"] = std::move(cgroup);
  }
  if (now.pressure) {
    object["stall"] = json::object{{"some_avg10", now.pressure->some.avg10},
                                   {"full_avg10", now.pressure->full.avg10}};
  }
  if (now.vmstat) {
    object["oom_kills"] = number_or_null(now.vmstat->oom_kills);
  }
  return object;
}

std::string_view source_name(BudgetSource source) {
  switch (source) {
    case BudgetSource::Configured:
      return "configured";
    case BudgetSource::Server:
      return "server";
    case BudgetSource::Computed:
      return "computed";
    case BudgetSource::Unknown:
      return "unknown";
  }
  return "unknown";
}

json::object budget_object(const Checkup& checkup) {
  json::object object{{"bytes", checkup.budget.count},
                      {"source", source_name(checkup.budget_source)},
                      {"computed", nullptr}};
  if (checkup.terms) {
    object["computed"] = json::object{{"bytes", checkup.terms->budget.count},
                                      {"limit", checkup.terms->from_cgroup ? "cgroup" : "ram"},
                                      {"limit_bytes", checkup.terms->limit.count},
                                      {"others_bytes", checkup.terms->others.count},
                                      {"reserve_bytes", checkup.terms->reserve.count}};
  }
  return object;
}

json::object model_object(const engine::ModelCheck& model) {
  const engine::ModelFile& file = model.file;
  const gguf::Cost& parts = file.parts;
  // Of a command there is only what it declares.
  const bool command = file.plan.command.has_value();
  const auto predicted = [command](auto number) {
    return command ? json::value(nullptr) : json::value(number);
  };
  return {{"name", file.source.settings.name},
          {"command", command ? json::value(file.plan.command->program) : json::value(nullptr)},
          {"file", file.source.path.string()},
          {"architecture", predicted(file.architecture)},
          {"trained_context", predicted(file.trained_context)},
          {"wanted_context", predicted(file.wanted_context)},
          {"context", predicted(file.plan.context)},
          {"parallel", file.plan.parallel},
          {"file_bytes", file.file_size.count},
          {"weights_bytes", predicted(parts.weights.count)},
          {"kv_cache_bytes", predicted(parts.kv_cache.count)},
          {"compute_bytes", predicted(parts.compute.count)},
          {"cache_ram_bytes", predicted(parts.cache_ram.count)},
          {"checkpoints_bytes", predicted(parts.checkpoints.count)},
          {"overhead_bytes", predicted(parts.process_overhead.count)},
          {"total_bytes", file.cost.count},
          {"card_bytes", file.on_cards.total().count},
          {"fits", file.problem.empty() && model.fits},
          {"can_be_served", model.can_be_served()},
          {"problem", file.problem.empty() ? json::value(nullptr) : json::value(file.detail)}};
}

json::object card_object(const engine::CheckedCard& card) {
  return {{"name", card.card.name},
          {"title", card.card.title},
          {"total_bytes", card.terms.total.count},
          {"others_bytes", card.terms.others.count},
          {"reserve_bytes", card.terms.reserve.count},
          {"budget_bytes", card.terms.budget.count}};
}

json::object need_object(const readers::Need& need) {
  json::array rungs;
  for (const readers::Rung& rung : need.rungs) {
    rungs.push_back(json::object{{"name", rung.name},
                                 {"can_be_used", rung.why_not.empty()},
                                 {"why_not", rung.why_not},
                                 {"remedy", rung.remedy}});
  }
  return {{"need", need.name}, {"standing", need.rung().name}, {"rungs", std::move(rungs)}};
}

std::string_view severity_name(engine::Severity severity) {
  switch (severity) {
    case engine::Severity::Note:
      return "note";
    case engine::Severity::Warning:
      return "warning";
    case engine::Severity::Problem:
      return "problem";
  }
  return "note";
}

}  // namespace

std::string doctor_json(const DoctorReport& report) {
  const Checkup& checkup = report.checkup;
  json::array models;
  for (const engine::ModelCheck& model : checkup.models) {
    models.push_back(model_object(model));
  }
  json::array cards;
  for (const engine::CheckedCard& card : checkup.cards) {
    cards.push_back(card_object(card));
  }
  json::array ladder;
  for (const readers::Need& need : checkup.ladder) {
    ladder.push_back(need_object(need));
  }
  json::array findings;
  for (const engine::Finding& finding : checkup.findings) {
    findings.push_back(json::object{{"severity", severity_name(finding.severity)},
                                    {"text", finding.text},
                                    {"next_step", finding.next_step}});
  }
  json::object object{{"good", checkup.can_serve()},
                      {"kernel", report.kernel},
                      {"cores", report.cores},
                      {"config_file", report.config_file},
                      {"models_dir", report.config.models_dir.string()},
                      {"open_files", checkup.descriptors},
                      {"models_disk_free_bytes", bytes_or_null(checkup.models_space)}};
  object["engine"] = engine_value(checkup);
  object["server"] = server_value(checkup);
  object["memory"] = memory_value(checkup);
  object["budget"] = budget_object(checkup);
  object["cards"] = std::move(cards);
  object["models"] = std::move(models);
  object["ladder"] = std::move(ladder);
  object["findings"] = std::move(findings);
  return json::serialize(object) + "\n";
}

}  // namespace hf::app
