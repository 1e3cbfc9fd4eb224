#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "app/doctor_report.h"

namespace hf::app {
namespace {

using testing::HasSubstr;
using testing::Not;

DoctorReport good_report() {
  DoctorReport report;
  report.kernel = "Linux 6.1.0";
  report.cores = 2;
  report.config.models_dir = "/srv/models";
  report.config.store.path = "/tmp/history.db";
  engine::Checkup& checkup = report.checkup;
  checkup.traits.emplace();
  checkup.traits->path = "/opt/llama-server";
  checkup.traits->version = "0.5.0";
  checkup.snapshot.emplace();
  checkup.snapshot->machine.total = 16 * kGiB;
  checkup.snapshot->machine.available = 12 * kGiB;
  checkup.snapshot->machine.used_percent = 25;
  checkup.terms = readers::BudgetTerms{16 * kGiB, false, 4 * kGiB, 2 * kGiB, 10 * kGiB};
  checkup.budget = 10 * kGiB;
  checkup.budget_source = engine::BudgetSource::Computed;
  checkup.descriptors = 4096;
  checkup.ladder = {{"alarm", {{"best", "", "broken", "mend it"}, {"second", "works too"}}}};
  engine::ModelCheck model;
  model.file.source.settings.name = "qwen";
  model.file.architecture = "qwen3";
  model.file.trained_context = 40960;
  model.file.wanted_context = 32768;
  model.file.plan.context = 8192;
  model.file.plan.parallel = 4;
  model.file.parts.weights = 2 * kGiB;
  model.file.parts.kv_cache = kGiB;
  model.file.cost = 3 * kGiB;
  model.fits = true;
  checkup.models.push_back(model);
  return report;
}

TEST(DoctorText, ShowsTheArithmeticOfTheBudget) {
  EXPECT_THAT(doctor_text(good_report()),
              HasSubstr("  budget            10.0 GiB\n"
                        "                    = RAM 16.0 GiB - 4.00 GiB used by others - 2.00 GiB "
                        "in reserve\n"));
}

TEST(DoctorText, ShowsWhatEachModelConsistsOf) {
  const std::string text = doctor_text(good_report());
  EXPECT_THAT(text, HasSubstr("Models in /srv/models\n  NAME  ARCHITECTURE  "));
  EXPECT_THAT(text, HasSubstr("\n  qwen  qwen3         8192 of 40960      4  2.00 GiB  1.00 GiB"));
  EXPECT_THAT(text, HasSubstr("3.00 GiB  fits (shrunk from 32768)\n"));
  EXPECT_THAT(text, HasSubstr("Holdfast can serve 1 of 1 model here.\n"));
}

TEST(DoctorText, ShowsEachRungWithReasonAndRemedy) {
  EXPECT_THAT(doctor_text(good_report()),
              HasSubstr("  alarm             second: works too\n"
                        "                    better: best, not used: broken\n"
                        "                            -> mend it\n"));
}

TEST(DoctorText, MarksTheTightestLimit) {
  DoctorReport report = good_report();
  EXPECT_THAT(doctor_text(report), HasSubstr("12.0 GiB available <- the tightest limit\n"));
  report.checkup.snapshot->machine.cgroup =
      readers::CgroupMemory{"/sys/fs/cgroup/box", 6 * kGiB, kGiB, Bytes(0)};
  const std::string text = doctor_text(report);
  EXPECT_THAT(text, HasSubstr("12.0 GiB available\n"));
  EXPECT_THAT(text, HasSubstr("6.00 GiB, 1.00 GiB in use <- the tightest limit\n"));
}

TEST(DoctorText, SaysWhereTheServersOwnFiguresAreUsed) {
  DoctorReport report = good_report();
  report.checkup.server = engine::RunningServer{"127.0.0.1:11435", true, 9 * kGiB, 3 * kGiB, 1};
  report.checkup.budget_source = engine::BudgetSource::Server;
  const std::string text = doctor_text(report);
  EXPECT_THAT(text, HasSubstr("one answers at 127.0.0.1:11435: 3.00 GiB of 9.00 GiB reserved, 1 "
                              "model loaded\n"));
  EXPECT_THAT(text, HasSubstr("as the running server computed it"));
}

TEST(DoctorText, AProblemEndsIt) {
  DoctorReport report = good_report();
  report.checkup.findings = {{engine::Severity::Problem, "no engine", "make build"}};
  const std::string text = doctor_text(report);
  EXPECT_THAT(text, HasSubstr("Findings\n  problem: no engine\n    -> make build\n"));
  EXPECT_THAT(text, HasSubstr("Holdfast cannot serve here"));
}

TEST(DoctorText, HasNoColourWhereNobodyLooks) {
  EXPECT_THAT(doctor_text(good_report()), Not(HasSubstr("\x1b")));
}

TEST(DoctorJson, HoldsTheSame) {
  namespace json = boost::json;
  const json::value value = json::parse(doctor_json(good_report()));
  EXPECT_TRUE(value.at("good").as_bool());
  EXPECT_EQ(value.at("budget").at("source").as_string(), "computed");
  EXPECT_EQ(value.at("budget").at("computed").at("others_bytes").as_int64(), (4 * kGiB).count);
  const json::value& model = value.at("models").at(0);
  EXPECT_EQ(model.at("context").as_int64(), 8192);
  EXPECT_EQ(model.at("wanted_context").as_int64(), 32768);
  EXPECT_EQ(model.at("kv_cache_bytes").as_int64(), kGiB.count);
  EXPECT_TRUE(model.at("can_be_served").as_bool());
  EXPECT_EQ(value.at("ladder").at(0).at("standing").as_string(), "second");
  EXPECT_TRUE(value.at("server").is_null());
}

}  // namespace
}  // namespace hf::app
