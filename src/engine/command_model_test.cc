#include "engine/command_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "engine/scan.h"

namespace hf::engine {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class CommandModels : public testing::Test {
 protected:
  CommandModels() {
    std::string pattern = (fs::temp_directory_path() / "hf-commands-XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
    config_.models_dir = dir_;
    config::ModelConfig& model = config_.models.emplace_back();
    model.name = "w";
    model.command = {program().string(), "--port", "{port}"};
    model.ready = "/ready";
    model.bytes = kGiB;
    model.parallel = 2;
    install();
  }
  ~CommandModels() override { fs::remove_all(dir_); }

  [[nodiscard]] fs::path program() const { return dir_ / "engine"; }
  void install(mode_t mode = 0755) const {
    std::ofstream(program()) << "#!/bin/sh\n";
    ::chmod(program().c_str(), mode);
  }
  config::ModelConfig& settings() { return config_.models.front(); }
  ModelFile inspected(const CardRoom& cards = {}) {
    return inspect(find_models(config_).sources.front(), kGiB, cards);
  }
  static CardRoom room(std::size_t count) {
    CardRoom made;
    for (std::size_t i = 0; i < count; ++i) {
      Card card;
      card.name = "cuda" + std::to_string(i);
      made.add(card, 10 * kGiB);
    }
    return made;
  }

  fs::path dir_;
  config::Config config_;
};

TEST_F(CommandModels, CostWhatTheyDeclare) {
  const ModelFile file = inspected();
  EXPECT_EQ(file.problem, "");
  EXPECT_EQ(file.cost, kGiB);
  EXPECT_EQ(file.plan.kind, ModelKind::Command);
  EXPECT_EQ(file.plan.parallel, 2);
  EXPECT_EQ(file.plan.context, 0);
  ASSERT_TRUE(file.plan.command);
  EXPECT_EQ(file.plan.command->program, program());
  EXPECT_THAT(file.plan.command->arguments, ElementsAre("--port", "{port}"));
  EXPECT_TRUE(file.on_cards.empty());
  EXPECT_FALSE(has_changed(file));
}

TEST_F(CommandModels, AMissingProgramIsAProblemUntilItIsInstalled) {
  fs::remove(program());
  ModelFile file = inspected();
  EXPECT_EQ(file.problem, "its program is missing");
  EXPECT_THAT(file.next_step, HasSubstr("install it"));
  EXPECT_THAT(file.problem + file.next_step, Not(HasSubstr(dir_.string()))) << "clients see these";
  EXPECT_THAT(file.detail, HasSubstr(program().string()));
  EXPECT_FALSE(has_changed(file));
  install();
  EXPECT_TRUE(has_changed(file));
  EXPECT_EQ(inspected().problem, "");
}

TEST_F(CommandModels, AProgramWithoutTheRightIsAProblemUntilItHasIt) {
  install(0644);
  const ModelFile file = inspected();
  EXPECT_EQ(file.problem, "its program cannot be executed by the server");
  EXPECT_FALSE(has_changed(file));
  install(0755);
  EXPECT_TRUE(has_changed(file));
}

TEST_F(CommandModels, ABareNameIsLookedUpOnThePath) {
  settings().command.front() = "sh";
  EXPECT_THAT(inspected().plan.command->program, HasSubstr("/sh"));
  settings().command.front() = "no-such-engine-anywhere";
  const ModelFile file = inspected();
  EXPECT_EQ(file.problem, "its program is not installed here");
  EXPECT_FALSE(has_changed(file));
}

TEST_F(CommandModels, NeedTheFileThatTheyName) {
  settings().path = dir_ / "m.bin";
  EXPECT_EQ(inspected().problem, "the model's file is missing");
  std::ofstream(*settings().path) << "weights";
  ModelFile file = inspected();
  EXPECT_EQ(file.problem, "");
  EXPECT_EQ(file.file_size, Bytes(7));
  EXPECT_EQ(file.plan.model_path, settings().path);
  std::ofstream(*settings().path) << "other weights";
  EXPECT_TRUE(has_changed(file));
}

TEST_F(CommandModels, AFolderIsTheSameWhateverIsWrittenIntoIt) {
  settings().path = dir_ / "snapshot";
  fs::create_directory(*settings().path);
  const ModelFile file = inspected();
  EXPECT_EQ(file.problem, "");
  std::ofstream(*settings().path / "lock") << "x";
  EXPECT_FALSE(has_changed(file));
  fs::remove_all(*settings().path);
  EXPECT_TRUE(has_changed(file));
}

TEST_F(CommandModels, TheirFilesAreNoModelsOfTheFolder) {
  settings().path = dir_ / "sd.gguf";
  std::ofstream(*settings().path) << "not for llama-server";
  std::ofstream(dir_ / "w.gguf") << "its name is taken";
  const Found found = find_models(config_);
  ASSERT_EQ(found.sources.size(), 1U);
  EXPECT_EQ(found.sources[0].settings.name, "w");
}

TEST_F(CommandModels, ReserveTheCardsThatTheyDeclare) {
  const auto on_cards = [this](std::size_t count) {
    const ModelFile file = inspected(room(count));
    EXPECT_EQ(file.problem, "");
    std::vector<std::int64_t> gib;
    for (std::size_t i = 1; i <= count; ++i) {
      gib.push_back(file.on_cards.in[i].count / kGiB.count);
    }
    return gib;
  };
  settings().gpu_bytes = {2 * kGiB};
  EXPECT_THAT(on_cards(2), ElementsAre(2, 0));
  settings().gpus = {1};
  EXPECT_THAT(on_cards(2), ElementsAre(0, 2));
  settings().gpus = {0, 2};
  EXPECT_THAT(on_cards(3), ElementsAre(2, 0, 2)) << "one size is for each card";
  settings().gpu_bytes = {kGiB, 3 * kGiB};
  EXPECT_THAT(on_cards(3), ElementsAre(1, 0, 3));
  settings().gpus.reset();
  EXPECT_THAT(on_cards(3), ElementsAre(1, 3, 0));
  settings().gpu_bytes = {Bytes(0), 3 * kGiB};
  EXPECT_THAT(on_cards(2), ElementsAre(0, 3));
}

TEST_F(CommandModels, SeeOnlyCardsOnWhichTheyReserveSomething) {
  EXPECT_THAT(inspected(room(2)).plan.command->cards,
              ElementsAre("CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES="));
  settings().gpu_bytes = {kGiB};
  settings().gpus = {1};
  EXPECT_THAT(inspected(room(2)).plan.command->cards,
              ElementsAre("CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES=1"));
}

TEST_F(CommandModels, ACardThatIsNotThereIsAProblem) {
  settings().gpu_bytes = {kGiB, kGiB};
  EXPECT_THAT(inspected(room(1)).problem, "it needs card 1, and 1 are counted here");
  EXPECT_FALSE(has_changed(inspected(room(1))));
  settings().gpu_bytes = {11 * kGiB};
  EXPECT_FALSE(inspected(room(1)).fits_cards);
}

TEST_F(CommandModels, RunAlikeUntilSomethingOfTheirProcessChanges) {
  const ModelSource before = find_models(config_).sources.front();
  const std::string key = options_key(inspect(before, kGiB).plan);
  const auto other_process = [&] {
    const ModelSource after = find_models(config_).sources.front();
    return !runs_alike(before, after) && options_key(inspect(after, kGiB).plan) != key;
  };
  const config::ModelConfig plain = settings();
  settings().priority = 3;
  settings().load_within = std::chrono::hours(1);
  settings().longest_answer = std::chrono::hours(1);
  EXPECT_TRUE(runs_alike(before, find_models(config_).sources.front()));
  settings() = plain;
  settings().command.emplace_back("--verbose");
  EXPECT_TRUE(other_process());
  settings() = plain;
  settings().env = {"A=1"};
  EXPECT_TRUE(other_process());
  settings() = plain;
  settings().ready = "/x";
  EXPECT_TRUE(other_process());
  settings() = plain;
  settings().bytes = 2 * kGiB;
  EXPECT_TRUE(other_process());
}

}  // namespace
}  // namespace hf::engine
