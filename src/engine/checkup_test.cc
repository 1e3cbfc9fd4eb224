#include "engine/checkup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "base/units.h"

namespace hf::engine {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CheckupFindings : public testing::Test {
 protected:
  CheckupFindings() {
    std::string pattern = (fs::temp_directory_path() / "hf-checkup-XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
    config_.models_dir = dir_;
    config_.memory.high = 90;
    config_.store.path = dir_ / "state" / "history.db";
    checkup_.traits.emplace();
    checkup_.traits->flags = {"--ctx-size",   "--parallel",  "--alias",
                              "--embeddings", "--load-mode", "--no-repack"};
    checkup_.budget = 10 * kGiB;
    checkup_.budget_source = BudgetSource::Computed;
    checkup_.descriptors = 65536;
    checkup_.terms = readers::BudgetTerms{16 * kGiB, false, 4 * kGiB, 2 * kGiB, 10 * kGiB};
    checkup_.snapshot.emplace();
    checkup_.models.push_back(model("a"));
  }
  ~CheckupFindings() override { fs::remove_all(dir_); }

  static ModelCheck model(const std::string& name) {
    ModelCheck check;
    check.file.source.settings.name = name;
    check.file.cost = kGiB;
    check.file.plan.context = check.file.wanted_context = 4096;
    check.fits = true;
    return check;
  }
  // "warning: TEXT", for all of them.
  std::vector<std::string> lines() {
    std::vector<std::string> result;
    for (const Finding& finding : findings_of(checkup_, config_)) {
      const char* severity = finding.severity == Severity::Problem   ? "problem: "
                             : finding.severity == Severity::Warning ? "warning: "
                                                                     : "note: ";
      result.push_back(severity + finding.text);
    }
    return result;
  }

  fs::path dir_;
  config::Config config_;
  Checkup checkup_;
};

TEST_F(CheckupFindings, AGoodMachineHasNone) {
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(CheckupFindings, AnEngineThatLacksContextsDoesNotServe) {
  checkup_.traits->flags.erase("--ctx-size");
  checkup_.traits->flags.erase("--alias");
  EXPECT_THAT(lines(), Contains(HasSubstr("problem: the engine does not know --ctx-size")));
  EXPECT_THAT(lines(), Contains(HasSubstr("warning: the engine does not know --alias")));
}

TEST_F(CheckupFindings, AnOlderNameOfAFlagDoesAsWell) {
  checkup_.traits->flags.erase("--load-mode");
  EXPECT_THAT(lines(), Contains(HasSubstr("load_mode has no effect")));
  checkup_.traits->flags.insert("--no-mmap");
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(CheckupFindings, WithoutAModelNothingIsServed) {
  checkup_.models.clear();
  EXPECT_THAT(lines(), Contains(HasSubstr("problem: there is no model in")));
}

TEST_F(CheckupFindings, OneBrokenModelOfTwoIsAWarningAllOfThemAProblem) {
  ModelCheck broken = model("b");
  broken.file.problem = "the model's file is damaged or incomplete";
  broken.file.detail = "/models/b.gguf: truncated";
  checkup_.models.push_back(broken);
  EXPECT_THAT(lines(),
              testing::ElementsAre("warning: b cannot be served: /models/b.gguf: truncated"));
  checkup_.models.erase(checkup_.models.begin());
  EXPECT_THAT(lines(), Contains("problem: none of the models can be served"));
}

TEST_F(CheckupFindings, AModelThatDoesNotFitSaysBothFigures) {
  ModelCheck large = model("large");
  large.file.cost = 12 * kGiB;
  large.fits = false;
  checkup_.models.push_back(large);
  EXPECT_THAT(lines(),
              testing::ElementsAre("warning: large needs 12.0 GiB, the budget is 10.0 GiB"));
}

TEST_F(CheckupFindings, AShrunkContextIsNoted) {
  checkup_.models[0].file.wanted_context = 32768;
  EXPECT_THAT(lines(),
              testing::ElementsAre("note: a: context shrunk from 32768 to 4096 so that it fits"));
}

TEST_F(CheckupFindings, ADefaultModelMustBeThere) {
  config_.default_model = "z";
  EXPECT_THAT(lines(), Contains(HasSubstr("there is no model \"z\"")));
  checkup_.models[0].file.source.settings.aliases = {"z"};
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(CheckupFindings, ABudgetBeyondTheMachine) {
  checkup_.budget_source = BudgetSource::Configured;
  checkup_.budget = 20 * kGiB;
  EXPECT_THAT(lines(), Contains(HasSubstr("warning: the budget of 20.0 GiB is more than there")));
  checkup_.budget = 12 * kGiB;
  EXPECT_THAT(lines(), Contains(HasSubstr("note: models that fill the budget")));
  checkup_.budget = Bytes(0);
  EXPECT_THAT(lines(), Contains(HasSubstr("problem: no memory is left for models")));
}

TEST_F(CheckupFindings, AServerHereCountsAmongTheOthers) {
  checkup_.budget_source = BudgetSource::Configured;
  checkup_.server = RunningServer{"127.0.0.1:1", true, 5 * kGiB, kGiB, 1};
  EXPECT_THAT(lines(), Contains(HasSubstr("server that runs here (1.00 GiB reserved)")));
  checkup_.server->here = false;
  EXPECT_THAT(lines(), Not(Contains(HasSubstr("server that runs here"))));
}

TEST_F(CheckupFindings, WhatTheKernelTells) {
  readers::Snapshot& now = *checkup_.snapshot;
  now.info.swap_total = 4 * kGiB;
  now.info.swap_free = 3 * kGiB;
  now.machine.used_percent = 93;
  now.pressure.emplace();
  now.pressure->some.avg10 = 20;
  now.vmstat = readers::VmStat{0, 0, 2};
  checkup_.overcommit = 2;
  const auto found = lines();
  EXPECT_THAT(found, Contains(HasSubstr("there is swap (1.00 GiB of 4.00 GiB in use)")));
  EXPECT_THAT(found, Contains(HasSubstr("above the high mark")));
  EXPECT_THAT(found, Contains(HasSubstr("tasks stand still")));
  EXPECT_THAT(found, Contains(HasSubstr("has killed 2 processes")));
  EXPECT_THAT(found, Contains(HasSubstr("vm.overcommit_memory is 2")));
}

TEST_F(CheckupFindings, OnlyTheFloorOfALadderIsAWarning) {
  checkup_.ladder = {{"alarm", {{"best", "", "broken", "mend it"}, {"second"}, {"floor"}}}};
  EXPECT_THAT(lines(), IsEmpty());
  checkup_.ladder[0].rungs[1].why_not = "broken too";
  EXPECT_THAT(lines(), testing::ElementsAre("warning: alarm: floor (best: broken)"));
}

TEST_F(CheckupFindings, TheOnlyRungOfALadderIsNoWarning) {
  checkup_.ladder = {{"card memory", {{"not needed", "no card answers"}}}};
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(CheckupFindings, FilesThatCannotBeWritten) {
  std::ofstream(dir_ / "file") << "x";
  config_.store.path = dir_ / "file" / "history.db";
  config_.store.journal = dir_;
  const auto found = lines();
  EXPECT_THAT(found, Contains(HasSubstr("warning: history is off")));
  EXPECT_THAT(found, Contains(HasSubstr("problem: journal: ")));
  EXPECT_FALSE(fs::exists(dir_ / "state")) << "a check-up makes nothing";
}

TEST_F(CheckupFindings, FewDescriptorsAndAFullDisk) {
  checkup_.descriptors = 1024;
  checkup_.models_space = 10 * kMiB;
  EXPECT_THAT(lines(), Contains(HasSubstr("only 1024 files may be open")));
  EXPECT_THAT(lines(), Contains(HasSubstr("only 10.0 MiB are free")));
}

// An engine that does not exist, a machine whose files are literals.
TEST_F(CheckupFindings, CheckUpReadsTheMachineItIsGiven) {
  fs::create_directories(dir_ / "proc/sys/vm");
  std::ofstream(dir_ / "proc/meminfo") << "MemTotal: 8388608 kB\nMemAvailable: 8388608 kB\n";
  std::ofstream(dir_ / "proc/sys/vm/overcommit_memory") << "2\n";
  config_.memory.proc_root = dir_;
  config_.engine.llama_server = dir_ / "no-engine";
  const Checkup checkup = check_up(config_, std::nullopt);
  EXPECT_FALSE(checkup.can_serve());
  EXPECT_EQ(checkup.findings.front().severity, Severity::Problem);
  EXPECT_EQ(checkup.overcommit, 2);
  EXPECT_EQ(checkup.terms->limit, 8 * kGiB);
  EXPECT_EQ(checkup.budget_source, BudgetSource::Computed);
  EXPECT_EQ(checkup.budget, checkup.terms->budget);
  const RunningServer server{"127.0.0.1:1", true, 3 * kGiB, kGiB, 1};
  EXPECT_EQ(check_up(config_, server).budget, 3 * kGiB);
  config_.memory.budget = kGiB;
  EXPECT_EQ(check_up(config_, server).budget, kGiB);
}

}  // namespace
}  // namespace hf::engine
