#include "engine/card_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "engine/make_plan.h"
#include "engine/scan.h"
#include "gguf/testing/gguf_builder.h"

namespace hf::engine {
namespace {

namespace fs = std::filesystem;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

CardRoom two_cards(Bytes budget) {
  CardRoom room;
  room.counted = true;
  for (const char* device : {"CUDA0", "CUDA1"}) {
    CardRoom::Place place;
    place.card.device = device;
    place.budget = budget;
    room.places.push_back(place);
  }
  return room;
}

class CardPlan : public testing::Test {
 protected:
  CardPlan() {
    std::string pattern = (fs::temp_directory_path() / "hf-cards-XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
    config_.models_dir = dir_;
    config_.defaults.parallel = 2;
  }
  ~CardPlan() override { fs::remove_all(dir_); }

  void write(const std::string& name) {
    const auto bytes = gguf::testing::small_llama().build(gguf::testing::kSmallLlamaData);
    std::ofstream out(dir_ / (name + ".gguf"), std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  }
  Scan scan(const CardRoom& cards, bool again = false) {
    Scan result = scan_models(config_, known_, kGiB, again, cards);
    for (const ModelFile& file : result.changed) {
      known_[file.source.settings.name] = file;
    }
    return result;
  }
  std::vector<std::string> devices() {
    std::vector<std::string> result;
    for (const auto& [name, file] : known_) {
      result.push_back(file.plan.cards.empty() ? "-" : file.plan.cards.front().device);
    }
    return result;
  }

  fs::path dir_;
  config::Config config_;
  std::map<std::string, ModelFile> known_;
};

TEST_F(CardPlan, ModelsAreDealtOutOverCardsAlike) {
  for (const char* name : {"a", "b", "c"}) {
    write(name);
  }
  scan(two_cards(4 * kGiB));
  EXPECT_THAT(devices(), ElementsAre("CUDA0", "CUDA1", "CUDA0"));
  const ModelFile& file = known_["a"];
  EXPECT_TRUE(file.plan.cards_counted);
  EXPECT_EQ(file.plan.gpu_layers, 3);  // two layers and the output
  EXPECT_GT(file.on_cards.in[1], kDriverContext);
  EXPECT_EQ(file.on_cards.in[0], Bytes(0));
}

TEST_F(CardPlan, AnotherModelOrLookMovesNobody) {
  write("b");
  scan(two_cards(4 * kGiB));
  EXPECT_THAT(devices(), ElementsAre("CUDA0"));
  write("a");
  scan(two_cards(4 * kGiB));
  EXPECT_THAT(devices(), ElementsAre("CUDA1", "CUDA0"));
  EXPECT_THAT(scan(two_cards(4 * kGiB)).changed, IsEmpty());
  scan(two_cards(3 * kGiB), true);
  EXPECT_THAT(devices(), ElementsAre("CUDA1", "CUDA0"));
}

TEST_F(CardPlan, WithoutCountedCardsThePlanIsAsItWas) {
  write("a");
  config_.defaults.gpu_layers = config::GpuLayers{5};
  scan({});
  EXPECT_FALSE(known_["a"].plan.cards_counted);
  EXPECT_EQ(known_["a"].plan.gpu_layers, 5);
  EXPECT_EQ(known_["a"].on_cards, core::Footprint{});
}

TEST_F(CardPlan, ACardTooSmallForTheDriverIsLeftAlone) {
  write("a");
  scan(two_cards(kDriverContext));
  EXPECT_EQ(known_["a"].plan.gpu_layers, 0);
  EXPECT_THAT(known_["a"].plan.cards, IsEmpty());
  EXPECT_TRUE(known_["a"].fits_cards);
}

TEST_F(CardPlan, LayersThatNoCardHoldsShrinkTheContextAndThenNeverFit) {
  write("a");
  config_.defaults.gpu_layers = config::GpuLayers{};
  scan(two_cards(kDriverContext));
  EXPECT_FALSE(known_["a"].fits_cards);
  EXPECT_LT(known_["a"].plan.context, 2 * kLeastContext);
  EXPECT_GT(known_["a"].on_cards.total(), kDriverContext);
}

TEST_F(CardPlan, MoreLayersNeedMore) {
  write("a");
  const auto header = gguf::read_header(dir_ / "a.gguf");
  ASSERT_TRUE(header.has_value());
  gguf::RunOptions options;
  const DeviceNeed need = device_need(*header, options, kMiB);
  EXPECT_EQ(need.all(), 3);
  EXPECT_EQ(need.layers[0], Bytes(0));
  EXPECT_TRUE(std::is_sorted(need.layers.begin(), need.layers.end()));
  EXPECT_GT(need.layers[3], need.layers[1]);
  EXPECT_GT(need.each, kDriverContext);
  EXPECT_EQ(need.first, kMiB);
  EXPECT_GT(need.partial, Bytes(0));
}

}  // namespace
}  // namespace hf::engine
