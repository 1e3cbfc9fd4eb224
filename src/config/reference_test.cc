#include "config/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "config/load.h"
#include "config/settings.h"

namespace hf::config {
namespace {

TEST(Reference, PageIsWhatTheDeclarationsSay) {
  const std::string path = std::string(HF_SOURCE_DIR) + "/docs/config.md";
  const std::string rendered = render_reference_markdown();
  if (std::getenv("HF_UPDATE") != nullptr) {
    std::ofstream(path) << rendered;
  }
  std::ifstream file(path);
  std::stringstream written;
  written << file.rdbuf();
  EXPECT_EQ(written.str(), rendered) << "run this test with HF_UPDATE=1 to rewrite " << path;
}

TEST(Reference, EverySettingHasATypeADefaultAndAReason) {
  for (const SectionInfo& section : all_sections()) {
    EXPECT_FALSE(section.settings.empty()) << section.heading;
    for (const SettingInfo& info : section.settings) {
      EXPECT_FALSE(info.type.empty()) << info.key;
      EXPECT_FALSE(info.initial.empty()) << info.key;
      EXPECT_GT(info.why.size(), 15U) << info.key;
    }
  }
}

// The example at the head of the page must itself be a good configuration.
TEST(Reference, ExampleInThePageIsValid) {
  const std::string page = render_reference_markdown();
  const std::size_t begin = page.find("```toml\n") + 8;
  const std::string example = page.substr(begin, page.find("```", begin) - begin);
  const auto config = parse_config(example, "example.toml");
  ASSERT_TRUE(config.has_value()) << config.error().front().text();
  EXPECT_EQ(config->models.size(), 1U);
}

}  // namespace
}  // namespace hf::config
