#include "engine/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "engine/scan.h"
#include "gguf/testing/gguf_builder.h"

namespace hf::engine {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ModelFiles : public testing::Test {
 protected:
  ModelFiles() {
    std::string pattern = (fs::temp_directory_path() / "hf-models-XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
    config_.models_dir = dir_;
    config_.defaults.parallel = 2;
  }
  ~ModelFiles() override { fs::remove_all(dir_); }

  void write(const std::string& name, std::size_t cut = 0) {
    const auto bytes = gguf::testing::small_llama().build(gguf::testing::kSmallLlamaData);
    fs::create_directories((dir_ / name).parent_path());
    std::ofstream out(dir_ / name, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size() - cut));
  }
  std::vector<std::string> names() {
    std::vector<std::string> found;
    for (const ModelSource& source : find_models(config_).sources) {
      found.push_back(source.settings.name);
    }
    return found;
  }
  ModelFile inspected(const std::string& name) {
    for (const ModelSource& source : find_models(config_).sources) {
      if (source.settings.name == name) {
        return inspect(source, kGiB);
      }
    }
    return {};
  }

  fs::path dir_;
  config::Config config_;
};

TEST_F(ModelFiles, AreNamedByTheirPathWithoutTheEnding) {
  write("a.gguf");
  write("team/b:7b.gguf");
  write("notes.txt");
  EXPECT_THAT(names(), ElementsAre("a", "team/b:7b"));
}

TEST_F(ModelFiles, ProjectorsAndLaterPartsAreNoModels) {
  write("a.gguf");
  write("mmproj-a.gguf");
  write("b-mmproj-f16.gguf");
  write("big-00001-of-00002.gguf");
  write("big-00002-of-00002.gguf");
  EXPECT_THAT(names(), ElementsAre("a", "big-00001-of-00002"));
}

TEST_F(ModelFiles, WithNamesThatNoRequestCanGiveArePassedOverWithAWarning) {
  write("bad\xff.gguf");
  write("x,y.gguf");
  write("good\xd0\xb0.gguf");
  EXPECT_THAT(names(), ElementsAre("good\xd0\xb0"));
  EXPECT_THAT(find_models(config_).warnings, SizeIs(2));
}

TEST_F(ModelFiles, ALinkThatPointsUpwardsServesNobodyTwice) {
  write("a.gguf");
  fs::create_directory_symlink(dir_, dir_ / "self");
  EXPECT_THAT(names(), SizeIs(testing::Le(2)));  // the top folder may be seen once more by its link
}

TEST_F(ModelFiles, AMissingFolderIsAnIncompleteWalk) {
  config_.models_dir = dir_ / "nowhere";
  const Found found = find_models(config_);
  EXPECT_FALSE(found.complete);
  EXPECT_THAT(found.sources, IsEmpty());
  EXPECT_THAT(found.warnings, SizeIs(1));
}

TEST_F(ModelFiles, AreCostedWithTheContextTimesSlots) {
  write("a.gguf");
  const ModelFile file = inspected("a");
  EXPECT_EQ(file.problem, "");
  EXPECT_GT(file.cost, file.file_size);
  EXPECT_EQ(file.plan.parallel, 2);
}

TEST_F(ModelFiles, TellTheirBitsPerWeight) {
  write("a.gguf");
  // 1,024 weights of 16 bits in 2,048 bytes, 512 of 8.5 bits in 544.
  EXPECT_DOUBLE_EQ(inspected("a").bits_per_weight, 13.5);
}

TEST_F(ModelFiles, ADamagedFileSaysSoWithoutItsPath) {
  write("a.gguf", 2048);
  const ModelFile file = inspected("a");
  EXPECT_THAT(file.problem, HasSubstr("damaged or incomplete"));
  EXPECT_THAT(file.problem, testing::Not(HasSubstr(dir_.string())));
  EXPECT_THAT(file.detail, HasSubstr(dir_.string()));
  EXPECT_FALSE(has_changed(file));
  write("a.gguf");
  EXPECT_TRUE(has_changed(file));
}

TEST_F(ModelFiles, AProjectorThatIsStillBeingCopiedIsLookedAtAgain) {
  write("a.gguf");
  write("mmproj-a.gguf", 2048);
  const ModelFile file = inspected("a");
  EXPECT_THAT(file.problem, HasSubstr("projector"));
  EXPECT_FALSE(has_changed(file));
  write("mmproj-a.gguf");
  EXPECT_TRUE(has_changed(file));
  EXPECT_EQ(inspected("a").problem, "");
}

TEST_F(ModelFiles, AnAdapterIsNoModel) {
  auto bytes = gguf::testing::small_llama()
                   .text("general.type", "adapter")
                   .build(gguf::testing::kSmallLlamaData);
  std::ofstream(dir_ / "lora.gguf", std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  write("a.gguf");
  EXPECT_FALSE(inspected("lora").is_model);
  EXPECT_TRUE(inspected("a").is_model);
}

TEST_F(ModelFiles, LaterPartsHoldTensorsAndNoKeysOfTheModel) {
  const auto save = [&](const char* name, const gguf::testing::GgufBuilder& part) {
    const auto bytes = part.build(gguf::testing::kSmallLlamaData);
    std::ofstream(dir_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  };
  write("whole.gguf");
  save("big-00001-of-00002.gguf",
       gguf::testing::small_llama().u32("split.no", 0).u32("split.count", 2));
  gguf::testing::GgufBuilder later;
  later.u32("split.no", 1).u32("split.count", 2).tensor("blk.1.ffn_gate.weight", {64, 8}, 1, 0);
  save("big-00002-of-00002.gguf", later);
  const ModelFile split = inspected("big-00001-of-00002");
  EXPECT_EQ(split.problem, "") << split.detail;
  EXPECT_EQ(split.parts.weights, inspected("whole").parts.weights + Bytes(1'024));
  config::ModelConfig table;
  table.name = "wrong";
  table.parallel = 1;
  table.path = dir_ / "big-00002-of-00002.gguf";
  config_.models.push_back(table);
  EXPECT_THAT(inspected("wrong").detail, HasSubstr("must name the first"));
}

TEST_F(ModelFiles, AdaptersAndDraftsOfFlagsAreCountedAndWatched) {
  write("a.gguf");
  const ModelFile alone = inspected("a");
  write("other/draft.gguf");
  config_.defaults.args = {"--lora", dir_ / "other/draft.gguf", "-md", dir_ / "other/draft.gguf"};
  const ModelFile with = inspected("a");
  EXPECT_EQ(with.parts.weights.count, 3 * alone.parts.weights.count);
  EXPECT_GT(with.parts.kv_cache, alone.parts.kv_cache);
  EXPECT_FALSE(has_changed(with));
  write("other/draft.gguf", 1);
  EXPECT_TRUE(has_changed(with));
  EXPECT_NE(file_key(with), file_key(alone));
  EXPECT_NE(file_key(inspected("a")), file_key(with)) << "measured with another draft";
}

TEST_F(ModelFiles, AMissingFileIsAProblemUntilItComes) {
  config::ModelConfig table;
  table.name = "later";
  table.parallel = 1;
  config_.models.push_back(table);
  const ModelFile file = inspected("later");
  EXPECT_THAT(file.problem, HasSubstr("missing"));
  write("later.gguf");
  EXPECT_TRUE(has_changed(file));
}

TEST(RunsAlike, WhateverHoldfastAloneDecidesBy) {
  const ModelSource before;
  ModelSource after;
  after.settings.aliases = {"x"};
  after.settings.pin = true;
  after.settings.preload = true;
  after.settings.priority = 3;
  after.settings.ttl = std::chrono::hours(1);
  EXPECT_TRUE(runs_alike(before, after));
  for (const auto change :
       {+[](ModelSource& s) { s.path = "/x"; }, +[](ModelSource& s) { s.settings.mmproj = "/x"; },
        +[](ModelSource& s) { s.settings.context = 1; },
        +[](ModelSource& s) { s.settings.parallel = 9; },
        +[](ModelSource& s) { s.settings.gpu_layers = config::GpuLayers{}; },
        +[](ModelSource& s) { s.settings.cache_ram = Bytes(1); },
        +[](ModelSource& s) { s.settings.load_mode = config::LoadMode::Dio; },
        +[](ModelSource& s) { s.settings.args = {"--x"}; }}) {
    ModelSource other;
    change(other);
    EXPECT_FALSE(runs_alike(before, other));
  }
}

TEST_F(ModelFiles, AreScannedOnceUnlessSomethingChanged) {
  write("a.gguf");
  write("b.gguf");
  const Scan first = scan_models(config_, {}, kGiB, false);
  ASSERT_THAT(first.changed, SizeIs(2));
  std::map<std::string, ModelFile> known;
  for (const ModelFile& file : first.changed) {
    known.emplace(file.source.settings.name, file);
  }
  EXPECT_THAT(scan_models(config_, known, kGiB, false).changed, IsEmpty());
  EXPECT_THAT(scan_models(config_, known, kGiB, true).changed, SizeIs(2));
  write("b.gguf", 100);
  const Scan later = scan_models(config_, known, kGiB, false);
  ASSERT_THAT(later.changed, SizeIs(1));
  EXPECT_EQ(later.changed[0].source.settings.name, "b");
  config_.defaults.parallel = 3;
  EXPECT_THAT(scan_models(config_, known, kGiB, false).changed, SizeIs(2));
}

}  // namespace
}  // namespace hf::engine
