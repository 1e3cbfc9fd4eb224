#include "pull/choose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::pull {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<HubFile> files(const std::vector<std::string>& paths) {
  std::vector<HubFile> result;
  for (const std::string& path : paths) {
    result.push_back(HubFile{path, Bytes(1000), ""});
  }
  return result;
}

// The paths of what is chosen, the projector last behind a "+"; of an error its words.
std::string chosen(const std::vector<std::string>& paths, const Wanted& wanted = {}) {
  const auto result = choose(files(paths), wanted);
  if (!result) {
    return "error: " + result.error().message;
  }
  std::string text;
  for (const HubFile& part : result->parts) {
    text += (text.empty() ? "" : " ") + part.path;
  }
  return result->projector ? text + " +" + result->projector->path : text;
}

Wanted tag(std::string name) {
  Wanted wanted;
  wanted.tag = std::move(name);
  return wanted;
}

Wanted file(std::string name) {
  Wanted wanted;
  wanted.file = std::move(name);
  return wanted;
}

TEST(PullChoice, ATagIsAWholeWordWhateverItsCase) {
  const std::vector<std::string> paths{"m-Q4_K.gguf",   "m-Q4_K_M.gguf", "m-IQ4_XS.gguf",
                                       "m-Q4_K_S.gguf", "m-bf16.gguf",   "m-f16.gguf"};
  EXPECT_EQ(chosen(paths, tag("q4_k_m")), "m-Q4_K_M.gguf");
  EXPECT_EQ(chosen(paths, tag("Q4_K")), "m-Q4_K.gguf");
  EXPECT_EQ(chosen(paths, tag("F16")), "m-f16.gguf");
  EXPECT_EQ(chosen(paths, tag("iq4_xs")), "m-IQ4_XS.gguf");
  EXPECT_THAT(chosen(paths, tag("Q4_XS")), HasSubstr("has no Q4_XS; it has\n"));
  EXPECT_THAT(chosen(paths, tag("Q4_")), HasSubstr("has no Q4_"));
}

TEST(PullChoice, ADynamicQuantisationIsAnotherOne) {
  const std::vector<std::string> paths{"m-Q4_K_XL.gguf", "m-UD-Q4_K_XL.gguf", "m-UD-Q2_K_XL.gguf"};
  EXPECT_EQ(chosen(paths, tag("Q4_K_XL")), "m-Q4_K_XL.gguf");
  EXPECT_EQ(chosen(paths, tag("ud-q4_k_xl")), "m-UD-Q4_K_XL.gguf");
  EXPECT_EQ(chosen(paths, tag("Q2_K_XL")), "m-UD-Q2_K_XL.gguf");
}

TEST(PullChoice, WithoutATagTheUsualOneIsTaken) {
  EXPECT_EQ(chosen({"m-f16.gguf", "m-q4_0.gguf", "m_q4_k_m.gguf", "m-q8_0.gguf"}), "m_q4_k_m.gguf");
  EXPECT_EQ(chosen({"m-f16.gguf", "m-q4_0.gguf", "m-q8_0.gguf"}), "m-q4_0.gguf");
  EXPECT_EQ(chosen({"m-f16.gguf", "m.Q8_0.gguf"}), "m.Q8_0.gguf");
  EXPECT_EQ(chosen({"only.gguf"}), "only.gguf");
  EXPECT_THAT(
      chosen({"m-f16.gguf", "m-q6_k.gguf"}),
      HasSubstr("neither Q4_K_M nor Q4_0 nor Q8_0, name one:\n    :f16  1000 B\n    :q6_k"));
  EXPECT_THAT(chosen({}), HasSubstr("no .gguf file"));
}

TEST(PullChoice, SeveralModelsInOneRepositoryAreNamedByTheirFiles) {
  const std::string text = chosen({"a-Q4_K_M.gguf", "sub/b-Q4_K_M.gguf"});
  EXPECT_THAT(text, HasSubstr("several models, name one:"));
  EXPECT_THAT(text, HasSubstr("\n    /a-Q4_K_M.gguf  1000 B"));
  EXPECT_THAT(text, HasSubstr("\n    /sub/b-Q4_K_M.gguf"));
  EXPECT_EQ(chosen({"a-Q4_K_M.gguf", "sub/b-Q4_K_M.gguf"}, file("sub/b-Q4_K_M.gguf")),
            "sub/b-Q4_K_M.gguf");
  EXPECT_THAT(chosen({"a-Q4_K_M.gguf"}, file("c.gguf")), HasSubstr("has no c.gguf; it has"));
}

TEST(PullChoice, AllPartsOfASplitModelInTheirOrder) {
  const std::vector<std::string> paths{"Q4_K_M/m-Q4_K_M-00002-of-00002.gguf",
                                       "Q4_K_M/m-Q4_K_M-00001-of-00002.gguf",
                                       "Q8_0/m-Q8_0-00001-of-00002.gguf"};
  const std::string both =
      "Q4_K_M/m-Q4_K_M-00001-of-00002.gguf Q4_K_M/m-Q4_K_M-00002-of-00002.gguf";
  EXPECT_EQ(chosen(paths), both);
  EXPECT_EQ(chosen(paths, file(paths[0])), both);
  EXPECT_THAT(chosen(paths, tag("Q8_0")), HasSubstr("only 1 of the 2 parts"));
}

TEST(PullChoice, AProjectorComesAlong) {
  const std::vector<std::string> paths{"m-Q4_K_M.gguf", "mmproj-m-bf16.gguf", "mmproj-m-f16.gguf",
                                       "mmproj-m-f32.gguf", "imatrix.gguf"};
  EXPECT_EQ(chosen(paths), "m-Q4_K_M.gguf +mmproj-m-f16.gguf");
  Wanted without;
  without.projector = false;
  EXPECT_EQ(chosen(paths, without), "m-Q4_K_M.gguf");
  EXPECT_EQ(chosen({"a/m-Q4_K_M.gguf", "a/mmproj-x.gguf", "b/mmproj-y.gguf"}),
            "a/m-Q4_K_M.gguf +a/mmproj-x.gguf");
  EXPECT_EQ(chosen({"a/m-Q4_K_M.gguf", "m-mmproj-f16.gguf", "b/mmproj-y.gguf"}),
            "a/m-Q4_K_M.gguf +m-mmproj-f16.gguf");
  EXPECT_THAT(chosen(paths, file("mmproj-m-f16.gguf")), HasSubstr("projector and no model"));
}

TEST(PullChoice, ALongListIsCut) {
  std::vector<std::string> paths;
  for (int i = 0; i < 60; ++i) {
    paths.push_back("m" + std::to_string(i) + ".gguf");
  }
  EXPECT_THAT(chosen(paths), HasSubstr("and 20 more"));
}

TEST(PullChoice, QuantisationsAreReadFromNames) {
  EXPECT_EQ(quantisation_of("org/Qwen2.5-0.5B-Q4_K_M-00001-of-00002.gguf"), "Q4_K_M");
  EXPECT_EQ(quantisation_of("a.UD-IQ2_XXS.gguf"), "UD-IQ2_XXS");
  EXPECT_EQ(quantisation_of("gpt-oss-20b-mxfp4.gguf"), "mxfp4");
  EXPECT_EQ(quantisation_of("Qwen3-8B.gguf"), "");
  EXPECT_EQ(quantisation_of("Q4_0/model.gguf"), "");
}

TEST(PullChoice, AFileThatIsNotSplitIsItsOnlyPart) {
  EXPECT_EQ(part_name("a-00002-of-00010.gguf").stem, "a");
  EXPECT_EQ(part_name("s/a.gguf").stem, "s/a");
  EXPECT_EQ(part_name("a").count, 1);
  EXPECT_EQ(part_name("a-00011-of-00010.gguf").stem, "a-00011-of-00010");
}

}  // namespace
}  // namespace hf::pull
