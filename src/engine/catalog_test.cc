#include "engine/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ModelFile named(const std::string& name, std::vector<std::string> aliases = {}) {
  ModelFile file;
  file.source.settings.name = name;
  file.source.settings.aliases = std::move(aliases);
  return file;
}

TEST(Catalog, FindsByNameAliasAndLatest) {
  Catalog catalog;
  const ModelId a = catalog.put(named("llama", {"l3"}));
  const ModelId b = catalog.put(named("team/qwen:7b"));
  EXPECT_EQ(catalog.find("llama"), a);
  EXPECT_EQ(catalog.find("llama:latest"), a);
  EXPECT_EQ(catalog.find("l3"), a);
  EXPECT_EQ(catalog.find("l3:latest"), a);
  EXPECT_EQ(catalog.find("team/qwen:7b"), b);
  EXPECT_EQ(catalog.find("LLAMA"), std::nullopt);
}

TEST(Catalog, KeepsTheIdOfAReplacedModel) {
  Catalog catalog;
  const ModelId a = catalog.put(named("a"));
  catalog.put(named("b"));
  EXPECT_EQ(catalog.put(named("a", {"x"})), a);
  EXPECT_EQ(catalog.find("x"), a);
}

TEST(Catalog, HidesUnlistedModelsUntilTheyComeBack) {
  Catalog catalog;
  const ModelId a = catalog.put(named("a"));
  catalog.unlist(a);
  EXPECT_EQ(catalog.find("a"), std::nullopt);
  EXPECT_THAT(catalog.near("a"), IsEmpty());
  EXPECT_EQ(catalog.put(named("a")), a);
  EXPECT_EQ(catalog.find("a"), a);
}

TEST(Catalog, NamesNearMatchesBestFirst) {
  Catalog catalog;
  catalog.put(named("gemma-3-270m"));
  catalog.put(named("gemma-3-27b"));
  catalog.put(named("qwen"));
  EXPECT_THAT(catalog.near("gema-3-270m"), ElementsAre("gemma-3-270m", "gemma-3-27b"));
  EXPECT_THAT(catalog.near("Qwen"), ElementsAre("qwen"));
  EXPECT_THAT(catalog.near("something else"), IsEmpty());
}

}  // namespace
}  // namespace hf::engine
