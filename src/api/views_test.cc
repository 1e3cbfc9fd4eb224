#include "api/views.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace hf::api {
namespace {

namespace json = boost::json;
using core::State;

engine::ModelStatus model(std::uint32_t id, std::string name, State state, int leases = 0,
                          int waiting = 0) {
  engine::ModelStatus m;
  m.id = ModelId(id);
  m.view.id = m.id;
  m.view.name = std::move(name);
  m.view.state = state;
  m.view.leases = leases;
  m.view.waiting = waiting;
  m.view.use_count = 7;
  m.view.generation = Generation(3);
  m.view.reserved = core::Footprint::host(Bytes(1000));
  m.view.measured = core::Footprint::host(Bytes(900));
  m.view.idle = std::chrono::milliseconds(1500);
  m.pid = 4711;
  m.kind = "chat";
  m.abilities = {"chat", "vision"};
  m.context = 4096;
  return m;
}

engine::Status two_models() {
  engine::Status status;
  status.models = {model(0, "a", State::Ready, 2, 1), model(1, "b", State::Loading, 0, 1),
                   model(2, "c", State::Absent),      model(3, "d", State::Stopping),
                   model(4, "e", State::Gated, 1),    model(5, "f", State::Failed)};
  status.memory.budget = core::Footprint::host(Bytes(5000));
  status.memory.reserved = core::Footprint::host(Bytes(4000));
  status.memory.used_percent = 96.24;
  status.memory.level = core::PressureLevel::Critical;
  return status;
}

json::value health(const engine::Status& status, Detail detail = Detail::Admin) {
  return json::parse(health_json(status, detail));
}

TEST(Health, CachedModelsAreLoadingToStopping) {
  const json::value body = health(two_models());
  std::vector<std::string> names;
  for (const json::value& entry : body.at("cached_models").as_array()) {
    names.emplace_back(entry.at("name").as_string());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "d", "e"}));
}

TEST(Health, FieldsOfACachedModelToTheLetter) {
  const json::value body = health(two_models());
  const json::object& a = body.at("cached_models").at(0).as_object();
  EXPECT_EQ(a.at("use_count").to_number<int>(), 7);
  EXPECT_EQ(a.at("active_requests").as_int64(), 3);
  EXPECT_FALSE(a.at("is_loading").as_bool());
  EXPECT_EQ(a.at("state").as_string(), "ready");
  EXPECT_FALSE(a.at("pinned").as_bool());
  EXPECT_EQ(a.at("generation").to_number<int>(), 3);
  EXPECT_EQ(a.at("pid").as_int64(), 4711);
  EXPECT_EQ(a.at("bytes_reserved").as_int64(), 1000);
  EXPECT_EQ(a.at("bytes_measured").as_int64(), 900);
  EXPECT_DOUBLE_EQ(a.at("idle_s").as_double(), 1.5);
  EXPECT_TRUE(body.at("cached_models").at(1).at("is_loading").as_bool());
}

TEST(Health, WhatTheMachinesMemoryTells) {
  engine::Status status = two_models();
  readers::MemorySignals signals;
  signals.snapshot.machine.total = Bytes(16000);
  signals.snapshot.machine.available = Bytes(9000);
  signals.snapshot.pressure.emplace();
  signals.snapshot.pressure->some.avg10 = 12.34;
  signals.stalled = true;
  signals.refaults_per_s = 1234.56;
  signals.oom_kills = 2;
  status.machine = signals;
  status.stall_source = engine::StallSource::PsiTrigger;
  const json::value body = health(status);
  const json::value& memory = body.at("memory");
  EXPECT_EQ(memory.at("total_bytes").as_int64(), 16000);
  EXPECT_EQ(memory.at("available_bytes").as_int64(), 9000);
  EXPECT_EQ(memory.at("limit").as_string(), "ram");
  EXPECT_EQ(memory.at("limit_bytes").as_int64(), 16000);
  EXPECT_DOUBLE_EQ(memory.at("refaults_per_s").as_double(), 1234.6);
  EXPECT_EQ(memory.at("oom_kills").as_int64(), 2);
  EXPECT_DOUBLE_EQ(memory.at("stall").at("some_avg10").as_double(), 12.34);
  EXPECT_TRUE(memory.at("stall").at("stalled").as_bool());
  EXPECT_EQ(memory.at("stall").at("source").as_string(), "psi_trigger");
}

TEST(Health, TheCgroupIsTheLimitWhereItLeavesLessRoom) {
  engine::Status status = two_models();
  status.machine.emplace();
  status.machine->snapshot.machine.total = Bytes(16000);
  status.machine->snapshot.machine.available = Bytes(9000);
  status.machine->snapshot.machine.cgroup =
      readers::CgroupMemory{"/sys/fs/cgroup/x", Bytes(6000), Bytes(1000), Bytes(0)};
  const json::value body = health(status);
  EXPECT_EQ(body.at("memory").at("limit").as_string(), "cgroup");
  EXPECT_EQ(body.at("memory").at("limit_bytes").as_int64(), 6000);
}

TEST(Health, LoadingAndActive) {
  const json::value body = health(two_models());
  EXPECT_EQ(body.at("loading_models").as_array(), json::array{"b"});
  const json::object& active = body.at("active_model_requests").as_object();
  EXPECT_EQ(active.size(), 3U);  // an entry disappears at 0
  EXPECT_EQ(active.at("a").as_int64(), 3);
  EXPECT_EQ(active.at("b").as_int64(), 1);
  EXPECT_EQ(active.at("e").as_int64(), 1);
}

TEST(Health, Memory) {
  const json::value body = health(two_models());
  const json::object& memory = body.at("memory").as_object();
  EXPECT_EQ(memory.at("budget_bytes").as_int64(), 5000);
  EXPECT_EQ(memory.at("reserved_bytes").as_int64(), 4000);
  EXPECT_DOUBLE_EQ(memory.at("used_percent").as_double(), 96.2);
  EXPECT_EQ(memory.at("level").as_string(), "critical");
  for (const char* unknown :
       {"total_bytes", "available_bytes", "limit", "limit_bytes", "refaults_per_s", "oom_kills"}) {
    EXPECT_TRUE(memory.at(unknown).is_null()) << unknown;
  }
  EXPECT_EQ(memory.at("stall").at("source").as_string(), "none");
  EXPECT_TRUE(memory.at("stall").at("some_avg10").is_null());
}

TEST(Health, WaitingWithUnknownBound) {
  engine::Status status = two_models();
  engine::WaitStatus wait;
  wait.model = "b";
  wait.view.requests = 2;
  wait.view.position = 1;
  wait.view.oldest = std::chrono::seconds(4);
  wait.view.eta = std::chrono::milliseconds(2500);
  wait.view.waiting_for = core::WaitingFor::Turn;
  wait.blockers = {"a"};
  status.waiting = {wait};
  const json::value body = health(status);
  const json::object& shown = body.at("waiting").at(0).as_object();
  EXPECT_EQ(shown.at("model").as_string(), "b");
  EXPECT_EQ(shown.at("requests").as_int64(), 2);
  EXPECT_EQ(shown.at("position").as_int64(), 1);
  EXPECT_DOUBLE_EQ(shown.at("oldest_s").as_double(), 4);
  EXPECT_DOUBLE_EQ(shown.at("eta_s").as_double(), 2.5);
  EXPECT_TRUE(shown.at("bound_s").is_null());
  EXPECT_EQ(shown.at("waiting_for").as_string(), "turn");
  EXPECT_EQ(shown.at("blockers").as_array(), json::array{"a"});
}

TEST(Health, OnlyFullIsAnError) {
  engine::Status status;
  EXPECT_EQ(health_http_status(status), 200);
  EXPECT_EQ(health(status).at("status").as_string(), "ok");
  status.overall = engine::Overall::Degraded;
  EXPECT_EQ(health_http_status(status), 200);
  EXPECT_EQ(health(status).at("status").as_string(), "degraded");
  status.overall = engine::Overall::Full;
  EXPECT_EQ(health_http_status(status), 503);
  EXPECT_EQ(health(status).at("status").as_string(), "full");
}

TEST(Health, EmptyServerHasEmptyContainers) {
  const json::value body = health(engine::Status{});
  EXPECT_TRUE(body.at("cached_models").as_array().empty());
  EXPECT_TRUE(body.at("loading_models").as_array().empty());
  EXPECT_TRUE(body.at("active_model_requests").as_object().empty());
  EXPECT_TRUE(body.at("waiting").as_array().empty());
}

TEST(Health, WithoutAKeyTheStatusOnly) {
  const json::value body = health(two_models(), Detail::StatusOnly);
  EXPECT_EQ(body.as_object().size(), 1U);
  EXPECT_EQ(body.at("status").as_string(), "ok");
}

TEST(Health, PidIsForAdministrators) {
  const json::value body = health(two_models(), Detail::User);
  EXPECT_FALSE(body.at("cached_models").at(0).as_object().contains("pid"));
}

engine::Status two_users() {
  engine::Status status = two_models();
  status.user_names = {{UserId(1), "ann"}, {UserId(2), "bob"}};
  status.models[0].users = {{UserId(1), 1, 0, std::chrono::seconds(3)},
                            {UserId(2), 1, 1, std::chrono::milliseconds(12500)}};
  return status;
}

TEST(Health, OperatorsSeeWhoUsesWhat) {
  for (const Detail detail : {Detail::Operator, Detail::Admin}) {
    const json::value body = health(two_users(), detail);
    EXPECT_EQ(body.at("cached_models").at(0).at("users"),
              json::parse(R"([{"name": "bob", "running": 1, "waiting": 1, "oldest_s": 12.5},
                        {"name": "ann", "running": 1, "waiting": 0, "oldest_s": 3.0}])"));
    EXPECT_TRUE(body.at("cached_models").at(1).at("users").as_array().empty());
  }
  EXPECT_FALSE(
      health(two_users(), Detail::Operator).at("cached_models").at(0).as_object().contains("pid"));
}

TEST(Health, UsersDoNotSeeEachOther) {
  EXPECT_EQ(health_json(two_users(), Detail::User).find("bob"), std::string::npos);
  EXPECT_EQ(admin_models_json(two_users(), Detail::User).find("bob"), std::string::npos);
  EXPECT_EQ(health_json(two_users(), Detail::StatusOnly).find("bob"), std::string::npos);
}

TEST(Health, WithoutKeysThereAreNoUsers) {
  EXPECT_FALSE(health(two_models()).at("cached_models").at(0).as_object().contains("users"));
}

TEST(Explain, OperatorsSeeWhoWaits) {
  core::TicketView ticket;
  ticket.user = UserId(2);
  const auto explain = [&ticket](Detail detail) {
    return *explain_json(two_users(), ModelId(0), detail, {}, {ticket});
  };
  const json::value body = json::parse(explain(Detail::Operator));
  EXPECT_EQ(body.at("requests").at(0).at("user").as_string(), "bob");
  EXPECT_EQ(body.at("model").at("users").at(0).at("name").as_string(), "bob");
  EXPECT_EQ(explain(Detail::User).find("bob"), std::string::npos);
}

TEST(ModelList, IsWhatClientsExpect) {
  engine::Status status = two_models();
  status.models[0].created_unix_s = 951782400;  // 29 February 2000
  status.models[2].view.listed = false;
  const json::value body = json::parse(model_list_json(status));
  EXPECT_EQ(body.at("object").as_string(), "list");
  const json::array& data = body.at("data").as_array();
  ASSERT_EQ(data.size(), 5U);
  EXPECT_EQ(data[0].at("id").as_string(), "a");
  EXPECT_EQ(data[0].at("object").as_string(), "model");
  EXPECT_EQ(data[0].at("capabilities").as_array(), (json::array{"chat", "vision"}));
  EXPECT_EQ(data[0].at("created").as_int64(), 951782400);
  EXPECT_EQ(data[0].at("created_at").as_string(), "2000-02-29T00:00:00Z");
  EXPECT_EQ(data[0].at("owned_by").as_string(), "holdfast");
  EXPECT_EQ(body.at("first_id").as_string(), "a");
  EXPECT_EQ(body.at("last_id").as_string(), "f");
}

TEST(ModelList, Empty) {
  const json::value body = json::parse(model_list_json(engine::Status{}));
  EXPECT_TRUE(body.at("data").as_array().empty());
  EXPECT_TRUE(body.at("first_id").is_null());
}

TEST(ModelInfo, OneOrNone) {
  engine::Status status = two_models();
  const auto found = model_info_json(status, ModelId(0));
  ASSERT_TRUE(found);
  EXPECT_EQ(json::parse(*found).at("id").as_string(), "a");
  EXPECT_FALSE(model_info_json(status, ModelId(99)));
  status.models[0].view.listed = false;
  EXPECT_FALSE(model_info_json(status, ModelId(0)));
}

TEST(AdminModels, ShowEveryModelAndItsProblem) {
  engine::Status status = two_models();
  status.models[5].problem = "the file is cut";
  const json::value body = json::parse(admin_models_json(status, Detail::Admin));
  const json::array& models = body.at("models").as_array();
  ASSERT_EQ(models.size(), 6U);
  EXPECT_EQ(models[5].at("problem").as_string(), "the file is cut");
  EXPECT_TRUE(models[0].at("problem").is_null());
  EXPECT_EQ(models[0].at("leases").as_int64(), 2);
  EXPECT_EQ(models[0].at("waiting").as_int64(), 1);
}

TEST(AdminModels, SayWithTheErrorOfARequestWhyAModelIsRefused) {
  engine::Status status = two_models();
  engine::ModelStatus& failed = status.models[5];
  failed.refusal.emplace();
  failed.refusal->reason.why = core::Why::ModelFailed;
  failed.refusal->retry_after = std::chrono::seconds(4);
  failed.refusal->message = "its last load failed: it ran out of memory";
  failed.refusal->hint = "set a smaller context";
  failed.last_failure = {std::chrono::seconds(9), "it ran out of memory", 2, false};
  failed.pin_problem = "is pinned but not loaded: it ran out of memory";
  const json::value body = json::parse(admin_models_json(status, Detail::User));
  const json::value& shown = body.at("models").at(5);
  const json::value& refused = shown.at("refused");
  EXPECT_EQ(refused.at("status").as_int64(), 503);
  EXPECT_EQ(refused.at("code").as_string(), "model_failed");
  EXPECT_EQ(refused.at("message").as_string(),
            "model \"f\" cannot be served now: its last load failed: it ran out of memory");
  EXPECT_EQ(refused.at("hint").as_string(), failed.refusal->hint);
  EXPECT_EQ(refused.at("retry_after_s").as_int64(), 4);
  EXPECT_EQ(shown.at("last_failure"),
            json::parse(R"({"age_s": 9.0, "cause": "it ran out of memory", "in_a_row": 2,
              "of_file": false})"));
  EXPECT_EQ(shown.at("pin_problem").as_string(), failed.pin_problem);
  EXPECT_TRUE(body.at("models").at(0).at("refused").is_null());
  EXPECT_TRUE(body.at("models").at(0).at("last_failure").is_null());
  EXPECT_TRUE(body.at("models").at(0).at("pin_problem").is_null());
}

TEST(Explain, ShowsWaitAndDecisions) {
  engine::Status status = two_models();
  engine::WaitStatus wait;
  wait.model = "b";
  wait.view.model = ModelId(1);
  status.waiting = {wait};
  engine::Decision decision;
  decision.age_ms = 2500;
  decision.event = "spawn";
  decision.reason_code = "head_fits";
  decision.text = "first in line";
  const auto text = explain_json(status, ModelId(1), Detail::Admin, {decision}, {});
  ASSERT_TRUE(text);
  const json::value body = json::parse(*text);
  EXPECT_EQ(body.at("model").at("name").as_string(), "b");
  EXPECT_EQ(body.at("waiting").at("model").as_string(), "b");
  const json::value& line = body.at("decisions").at(0);
  EXPECT_DOUBLE_EQ(line.at("age_s").as_double(), 2.5);
  EXPECT_EQ(line.at("event").as_string(), "spawn");
  EXPECT_EQ(line.at("reason").as_string(), "head_fits");
  EXPECT_EQ(line.at("text").as_string(), "first in line");
  EXPECT_TRUE(json::parse(*explain_json(status, ModelId(0), Detail::Admin, {}, {}))
                  .at("waiting")
                  .is_null());
  EXPECT_FALSE(explain_json(status, ModelId(99), Detail::Admin, {}, {}));
}

TEST(Explain, ShowsWhatLoadsAndAnswersCost) {
  engine::Status status = two_models();
  using namespace std::chrono_literals;
  engine::ModelCosts& costs = status.models[0].costs;
  costs.reload = 2500ms;
  costs.page_cache_share = 0.75;
  costs.load_cached = 500ms;
  costs.load_cached_estimated = true;
  costs.slowest_decode = 12.5;
  costs.longest_answer = 640s;
  const json::value body = json::parse(*explain_json(status, ModelId(0), Detail::Admin, {}, {}));
  const json::value& shown = body.at("costs");
  EXPECT_DOUBLE_EQ(shown.at("reload_s").as_double(), 2.5);
  EXPECT_DOUBLE_EQ(shown.at("page_cache_share").as_double(), 0.75);
  EXPECT_DOUBLE_EQ(shown.at("load_cached_s").as_double(), 0.5);
  EXPECT_TRUE(shown.at("load_cold_s").is_null());
  EXPECT_TRUE(shown.at("load_cached_estimated").as_bool());
  EXPECT_FALSE(shown.at("load_cold_estimated").as_bool());
  EXPECT_DOUBLE_EQ(shown.at("slowest_decode_tokens_per_s").as_double(), 12.5);
  EXPECT_TRUE(shown.at("slowest_prefill_tokens_per_s").is_null());
  EXPECT_DOUBLE_EQ(shown.at("longest_answer_s").as_double(), 640);
  EXPECT_FALSE(shown.at("longest_answer_measured").as_bool());
}

TEST(Health, EachMemoryDomainStandsApart) {
  engine::Status status = two_models();
  status.memory.budget.in[1] = Bytes(80);
  status.memory.reserved.in[1] = Bytes(30);
  status.models[0].view.reserved.in[1] = Bytes(30);
  status.models[0].view.measured.in[1] = Bytes(20);
  status.domains = {{"host", Bytes(9000), Bytes(6000)}, {"cuda0", Bytes(90), Bytes(35)}};
  const json::value body = health(status);
  EXPECT_EQ(body.at("memory").at("budget_bytes").as_int64(), 5000);
  EXPECT_EQ(body.at("memory").at("domains"),
            json::parse(R"([{"name":"host","budget_bytes":5000,"reserved_bytes":4000,
              "used_bytes":6000,"total_bytes":9000},{"name":"cuda0","budget_bytes":80,
              "reserved_bytes":30,"used_bytes":35,"total_bytes":90}])"));
  const json::value& cached = body.at("cached_models");
  EXPECT_EQ(cached.at(0).at("bytes_by_domain"),
            json::parse(R"({"host":{"reserved":1000,"measured":900},
              "cuda0":{"reserved":30,"measured":20}})"));
  EXPECT_EQ(cached.at(1).at("bytes_by_domain").as_object().size(), 1U);
}

}  // namespace
}  // namespace hf::api
