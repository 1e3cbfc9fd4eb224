#include "pull/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::pull {
namespace {

using testing::HasSubstr;

Source hub(std::string repository, std::string file = "", std::string tag = "",
           std::string revision = "main") {
  Source source;
  source.repository = std::move(repository);
  source.file = std::move(file);
  source.tag = std::move(tag);
  source.revision = std::move(revision);
  return source;
}

TEST(PullSource, NamesOnTheHubInEveryForm) {
  const std::vector<std::pair<const char*, Source>> cases{
      {"org/repo", hub("org/repo")},
      {"org/repo:Q4_K_M", hub("org/repo", "", "Q4_K_M")},
      {"org/repo:latest", hub("org/repo")},
      {"hf.co/org/repo:q8_0", hub("org/repo", "", "q8_0")},
      {"huggingface.co/org/repo", hub("org/repo")},
      {"hf://org/repo/sub/a-Q4_0.gguf", hub("org/repo", "sub/a-Q4_0.gguf")},
      {"org/repo/a.gguf", hub("org/repo", "a.gguf")},
      {"https://huggingface.co/org/repo", hub("org/repo")},
      {"https://huggingface.co/org/repo/", hub("org/repo")},
      {"https://huggingface.co/org/repo/tree/v2", hub("org/repo", "", "", "v2")},
      {"https://hf.co/org/repo/blob/main/a%20b.gguf", hub("org/repo", "a b.gguf")},
      {"https://huggingface.co/org/repo/resolve/v2/s/a.gguf?download=true",
       hub("org/repo", "s/a.gguf", "", "v2")},
  };
  for (const auto& [text, expected] : cases) {
    const auto source = parse_source(text);
    ASSERT_TRUE(source) << text << ": " << source.error().message;
    EXPECT_EQ(*source, expected) << text;
  }
}

TEST(PullSource, OtherAddressesAreTakenAsTheyAre) {
  const auto source = parse_source("https://example.org/m/a.gguf?sig=secret");
  ASSERT_TRUE(source);
  EXPECT_FALSE(source->on_hub());
  EXPECT_EQ(source->url, "https://example.org/m/a.gguf?sig=secret");
  EXPECT_EQ(source->shown(), "https://example.org/m/a.gguf");
}

TEST(PullSource, TheMirrorsOwnAddressesAreTheHubs) {
  const auto source =
      parse_source("http://mirror:8080/org/repo/resolve/main/a.gguf", "http://mirror:8080");
  ASSERT_TRUE(source);
  EXPECT_EQ(*source, hub("org/repo", "a.gguf"));
  EXPECT_FALSE(parse_source("http://mirror:8081/org/repo/resolve/main/a.gguf", "http://mirror:8080")
                   ->on_hub());
  EXPECT_FALSE(parse_source("http://mirror:8080/mine/a.gguf", "http://mirror:8080")->on_hub());
}

TEST(PullSource, MistakesSayWhatIsExpected) {
  for (const char* text :
       {"", "repo", "org/", "/org/repo", "org/repo/file.bin", "org/repo:Q4/x", "../../a.gguf",
        "org/../a.gguf", "org/repo/../../a.gguf", "org/repo/a.gguf:Q4_0",
        "ftp://example.org/a.gguf", "https://huggingface.co/org",
        "https://huggingface.co/org/repo/discussions/1",
        "https://huggingface.co/org/repo/blob/main/README.md", "or g/repo", "org/re\npo"}) {
    const auto source = parse_source(text);
    ASSERT_FALSE(source) << text;
    EXPECT_EQ(source.error().code, Errc::InvalidArgument) << text;
  }
  EXPECT_THAT(parse_source("llama3:8b").error().message, HasSubstr("Ollama"));
  EXPECT_THAT(parse_source("./a.gguf").error().message, HasSubstr("models_dir"));
}

}  // namespace
}  // namespace hf::pull
