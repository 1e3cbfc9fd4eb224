#include "api/views.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "api/domains.h"
#include "api/errors.h"
#include "api/json_values.h"
#include "api/waits.h"

namespace hf::api {
namespace {

namespace json = boost::json;
using core::State;
using engine::ModelStatus;
using engine::WaitStatus;

double one_decimal(double number) {
  return std::round(number * 10) / 10;
}

bool is_cached(State state) {
  return state == State::Loading || state == State::Ready || state == State::Gated ||
         state == State::Stopping;
}

std::string_view level_name(core::PressureLevel level) {
  switch (level) {
    case core::PressureLevel::Normal:
      return "normal";
    case core::PressureLevel::High:
      return "high";
    case core::PressureLevel::Critical:
      return "critical";
  }
  return "normal";
}

// Names and counts, the busiest first; never what was asked.
json::array users_array(std::vector<engine::UserUse> uses,
                        const std::map<UserId, std::string>& names) {
  std::stable_sort(uses.begin(), uses.end(),
                   [](const engine::UserUse& a, const engine::UserUse& b) {
                     return a.running + a.waiting > b.running + b.waiting;
                   });
  json::array array;
  for (const engine::UserUse& use : uses) {
    array.push_back(json::object{{"name", names.at(use.user)},
                                 {"running", use.running},
                                 {"waiting", use.waiting},
                                 {"oldest_s", rounded_seconds(use.oldest)}});
  }
  return array;
}

json::object cached_model(const engine::Status& status, const ModelStatus& model, Detail detail) {
  const core::ModelView& view = model.view;
  json::object object{{"name", view.name},
                      {"use_count", view.use_count},
                      {"active_requests", active_requests(model)},
                      {"is_loading", view.state == State::Loading},
                      {"state", core::name_of(view.state)},
                      {"pinned", view.pinned},
                      {"generation", view.generation.value},
                      {"bytes_reserved", view.reserved.total().count},
                      {"bytes_measured", view.measured.total().count},
                      {"idle_s", rounded_seconds(view.idle)}};
  if (detail >= Detail::Operator && !status.user_names.empty()) {
    object["users"] = users_array(model.users, status.user_names);
  }
  if (detail >= Detail::Admin) {
    object["pid"] = model.pid;
  }
  if (view.state == State::Loading) {
    object["load_progress"] = model.load_progress;
  }
  return object;
}

std::string_view source_name(engine::StallSource source) {
  switch (source) {
    case engine::StallSource::PsiTrigger:
      return "psi_trigger";
    case engine::StallSource::Psi:
      return "psi";
    case engine::StallSource::None:
      return "none";
  }
  return "none";
}

json::value optional_decimal(const std::optional<double>& number) {
  return number ? json::value(one_decimal(*number)) : json::value(nullptr);
}

// The same members whether they can be read or not: null where not.
void add_machine(json::object& object, const engine::Status& status) {
  object["total_bytes"] = nullptr;
  object["available_bytes"] = nullptr;
  object["limit"] = nullptr;
  object["limit_bytes"] = nullptr;
  json::object stall{{"some_avg10", nullptr}, {"stalled", false}};
  object["refaults_per_s"] = nullptr;
  object["oom_kills"] = nullptr;
  if (status.machine) {
    const readers::MachineMemory& machine = status.machine->snapshot.machine;
    const bool by_cgroup = readers::cgroup_is_tightest(machine);
    object["total_bytes"] = machine.total.count;
    object["available_bytes"] = machine.available.count;
    object["limit"] = by_cgroup ? "cgroup" : "ram";
    object["limit_bytes"] = (by_cgroup ? machine.cgroup->limit : machine.total).count;
    if (const auto& pressure = status.machine->snapshot.pressure) {
      stall["some_avg10"] = pressure->some.avg10;
    }
    stall["stalled"] = status.machine->stalled;
    object["refaults_per_s"] = optional_decimal(status.machine->refaults_per_s);
    if (status.machine->oom_kills) {
      object["oom_kills"] = *status.machine->oom_kills;
    }
  }
  stall["source"] = source_name(status.stall_source);
  object["stall"] = std::move(stall);
}

json::object memory_object(const engine::Status& status) {
  const core::MemoryView& memory = status.memory;
  // Of host RAM; the cards stand under `domains`.
  json::object object{{"budget_bytes", memory.budget.in[core::kHostRam].count},
                      {"reserved_bytes", memory.reserved.in[core::kHostRam].count},
                      {"debt_bytes", memory.debt.in[core::kHostRam].count},
                      {"used_percent", one_decimal(memory.used_percent)},
                      {"level", level_name(memory.level)}};
  object["domains"] = domains_array(status);
  add_machine(object, status);
  return object;
}

// Days to a civil date and back are the library's; only the text is ours.
std::string utc_text(std::int64_t unix_s) {
  using namespace std::chrono;
  const sys_seconds at{seconds(unix_s)};
  const sys_days day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss clock{at - day};
  const auto two = [](auto number) {
    const std::string text = std::to_string(number);
    return text.size() < 2 ? "0" + text : text;
  };
  return std::to_string(static_cast<int>(date.year())) + "-" +
         two(static_cast<unsigned>(date.month())) + "-" + two(static_cast<unsigned>(date.day())) +
         "T" + two(clock.hours().count()) + ":" + two(clock.minutes().count()) + ":" +
         two(clock.seconds().count()) + "Z";
}

// 0 stands for what is not known.
json::value number_or_null(std::int64_t number) {
  return number == 0 ? json::value(nullptr) : json::value(number);
}

json::object client_model(const ModelStatus& model) {
  json::object object{{"id", model.view.name},
                      {"object", "model"},
                      {"created", model.created_unix_s},
                      {"owned_by", "holdfast"},
                      {"type", "model"},
                      {"display_name", model.view.name},
                      {"created_at", utc_text(model.created_unix_s)},
                      {"state", core::name_of(model.view.state)},
                      {"aliases", names_array(model.aliases)}};
  if (!model.kind.empty()) {
    object["kind"] = model.kind;
    object["capabilities"] = names_array(model.abilities);
    object["context_length"] = number_or_null(model.context);
  }
  return object;
}

json::value optional_text(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

// The error that a request would get now.
json::object refused_object(const engine::Refusal& refusal, const std::string& name) {
  const ApiError error = from_refusal(refusal, name);
  json::object object{{"status", error.status}, {"code", error.code}, {"message", error.message}};
  object["hint"] = optional_text(error.hint);
  object["retry_after_s"] = error.retry_after > Duration::zero()
                                ? json::value(retry_after_s(error.retry_after))
                                : json::value(nullptr);
  return object;
}

json::object admin_model(const engine::Status& status, const ModelStatus& model, Detail detail) {
  const core::ModelView& view = model.view;
  json::object object = cached_model(status, model, detail);
  object["aliases"] = names_array(model.aliases);
  object["kind"] = model.kind;
  object["capabilities"] = names_array(model.abilities);
  object["architecture"] = model.architecture;
  // Of a file that cannot be read they are 0.
  const bool command = model.kind == "command";
  object["context"] = command ? json::value(nullptr) : json::value(model.context);
  object["trained_context"] = command ? json::value(nullptr) : json::value(model.trained_context);
  object["parallel"] = model.parallel;
  object["file_bytes"] = model.file_size.count;
  object["bytes_estimated"] = view.estimate.total().count;
  object["leases"] = view.leases;
  object["waiting"] = view.waiting;
  object["slots"] = view.slots;
  object["in_state_s"] = rounded_seconds(view.in_state);
  object["episodes"] = view.episodes;
  object["value"] = view.value;
  object["retry_in_s"] = optional_seconds(view.failed_for);
  object["problem"] = optional_text(model.problem);
  object["pin_problem"] = optional_text(model.pin_problem);
  object["refused"] =
      model.refusal ? json::value(refused_object(*model.refusal, view.name)) : json::value(nullptr);
  object["last_failure"] = nullptr;
  if (const auto& failure = model.last_failure) {
    object["last_failure"] = json::object{{"age_s", rounded_seconds(failure->age)},
                                          {"cause", failure->cause},
                                          {"in_a_row", failure->in_a_row},
                                          {"of_file", failure->of_file}};
  }
  return object;
}

json::value optional_number(const std::optional<double>& number) {
  return number ? json::value(std::round(*number * 1e3) / 1e3) : json::value(nullptr);
}

json::object costs_object(const engine::ModelCosts& costs) {
  return {{"reload_s", rounded_seconds(costs.reload)},
          {"page_cache_share", optional_number(costs.page_cache_share)},
          {"load_cached_s", optional_seconds(costs.load_cached)},
          {"load_cold_s", optional_seconds(costs.load_cold)},
          {"load_cached_estimated", costs.load_cached_estimated},
          {"load_cold_estimated", costs.load_cold_estimated},
          {"slowest_decode_tokens_per_s", optional_number(costs.slowest_decode)},
          {"slowest_prefill_tokens_per_s", optional_number(costs.slowest_prefill)},
          {"longest_answer_s", optional_seconds(costs.longest_answer)},
          {"longest_answer_measured", costs.longest_answer_measured}};
}

const ModelStatus* find(const engine::Status& status, ModelId id) {
  const auto at = std::find_if(status.models.begin(), status.models.end(),
                               [id](const ModelStatus& model) { return model.id == id; });
  return at == status.models.end() ? nullptr : &*at;
}

}  // namespace

int active_requests(const ModelStatus& model) {
  return model.view.leases + model.view.waiting;
}

std::string_view name_of(engine::Overall overall) {
  switch (overall) {
    case engine::Overall::Ok:
      return "ok";
    case engine::Overall::Degraded:
      return "degraded";
    case engine::Overall::Full:
      return "full";
  }
  return "ok";
}

int health_http_status(const engine::Status& status) {
  return status.overall == engine::Overall::Full ? 503 : 200;
}

std::string health_json(const engine::Status& status, Detail detail) {
  json::object object{{"status", name_of(status.overall)}};
  if (detail == Detail::StatusOnly) {
    return json::serialize(object);
  }
  json::array cached;
  json::array loading;
  json::object active;
  for (const ModelStatus& model : status.models) {
    if (is_cached(model.view.state)) {
      cached.push_back(cached_model(status, model, detail));
      cached.back().as_object()["bytes_by_domain"] = bytes_by_domain(status, model.view);
    }
    if (model.view.state == State::Loading) {
      loading.emplace_back(model.view.name);
    }
    if (active_requests(model) > 0) {
      active[model.view.name] = active_requests(model);
    }
  }
  json::array waiting;
  for (const WaitStatus& wait : status.waiting) {
    waiting.push_back(wait_object(wait));
  }
  object["cached_models"] = std::move(cached);
  object["loading_models"] = std::move(loading);
  object["active_model_requests"] = std::move(active);
  object["memory"] = memory_object(status);
  object["waiting"] = std::move(waiting);
  object["warnings"] = names_array(status.warnings);
  object["draining"] = status.draining;
  object["memory"].as_object()["full_budget_bytes"] = status.full_budget.count;
  object["uptime_s"] = rounded_seconds(status.uptime);
  object["engine_version"] = status.engine_version;
  return json::serialize(object);
}

std::string model_list_json(const engine::Status& status) {
  json::array data;
  for (const ModelStatus& model : status.models) {
    if (model.view.listed) {
      data.push_back(client_model(model));
    }
  }
  // Anthropic's clients page through a list and read these three.
  const json::value first = data.empty() ? json::value(nullptr) : data.front().at("id");
  const json::value last = data.empty() ? json::value(nullptr) : data.back().at("id");
  json::object object{{"object", "list"}, {"has_more", false}};
  object["first_id"] = first;
  object["last_id"] = last;
  object["data"] = std::move(data);
  return json::serialize(object);
}

std::optional<std::string> model_info_json(const engine::Status& status, ModelId model) {
  const ModelStatus* found = find(status, model);
  if (found == nullptr || !found->view.listed) {
    return std::nullopt;
  }
  return json::serialize(client_model(*found));
}

std::string admin_models_json(const engine::Status& status, Detail detail) {
  json::array models;
  for (const ModelStatus& model : status.models) {
    models.push_back(admin_model(status, model, detail));
    models.back().as_object()["bytes_by_domain"] = bytes_by_domain(status, model.view);
  }
  json::object object;
  object["models"] = std::move(models);
  return json::serialize(object);
}

std::optional<std::string> explain_json(const engine::Status& status, ModelId model, Detail detail,
                                        const std::vector<engine::Decision>& decisions,
                                        const std::vector<core::TicketView>& tickets) {
  const ModelStatus* found = find(status, model);
  if (found == nullptr) {
    return std::nullopt;
  }
  json::object object;
  object["model"] = admin_model(status, *found, detail);
  object["costs"] = costs_object(found->costs);
  object["waiting"] = nullptr;
  for (const WaitStatus& wait : status.waiting) {
    if (wait.view.model == model) {
      object["waiting"] = wait_object(wait);
    }
  }
  object["requests"] = tickets_array(tickets);
  if (detail >= Detail::Operator) {
    name_users(object["requests"].as_array(), tickets, status.user_names);
  }
  object["memory"] = memory_object(status);
  json::array lines;
  for (const engine::Decision& decision : decisions) {
    lines.push_back(json::object{{"age_s", static_cast<double>(decision.age_ms) / 1e3},
                                 {"event", decision.event},
                                 {"reason", decision.reason_code},
                                 {"text", decision.text}});
  }
  object["decisions"] = std::move(lines);
  return json::serialize(object);
}

}  // namespace hf::api
