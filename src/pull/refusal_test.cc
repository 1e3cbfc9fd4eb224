#include "pull/refusal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::pull {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kEndpoint = "https://hub.example";

std::string said(int status, const std::string& code, bool with_key, bool on_hub = true) {
  Source source;
  source.repository = "org/repo";
  if (!on_hub) {
    source.url = "https://files.example/a.gguf?sig=secret";
  }
  HttpHead head;
  head.status = status;
  head.error_code = code;
  head.url = "https://cdn.example/x?sig=secret";
  return refusal_of(source, kEndpoint, head, with_key).message;
}

TEST(PullRefusal, AGatedModelNamesThePageOfItsLicence) {
  EXPECT_THAT(said(401, "GatedRepo", false),
              HasSubstr("accept it at https://hub.example/org/repo"));
  EXPECT_THAT(said(401, "GatedRepo", false), HasSubstr("set HF_TOKEN"));
  EXPECT_THAT(said(403, "GatedRepo", true), HasSubstr("with the account that HF_TOKEN belongs to"));
}

TEST(PullRefusal, AMissingRepositoryMayBeAPrivateOne) {
  EXPECT_THAT(said(401, "RepoNotFound", false), HasSubstr("if it is private, set HF_TOKEN"));
  EXPECT_THAT(said(404, "RepoNotFound", true), HasSubstr("that the token's account may read"));
  EXPECT_THAT(said(404, "RevisionNotFound", false), HasSubstr("no revision main"));
  EXPECT_THAT(said(404, "EntryNotFound", false), HasSubstr("no such file"));
  EXPECT_THAT(said(401, "", true), HasSubstr("does not take the token"));
}

TEST(PullRefusal, OtherServersAreNamedWithoutTheirSecrets) {
  for (const int status : {401, 403, 404, 410, 418, 429, 500, 503}) {
    const std::string text = said(status, "", false, false);
    EXPECT_THAT(text, HasSubstr("cdn.example")) << status;
    EXPECT_THAT(text, Not(HasSubstr("secret"))) << status;
    EXPECT_FALSE(split_words(text).next_step.empty()) << status;
  }
}

TEST(PullRefusal, ChoicesAreNoNextStep) {
  EXPECT_EQ(split_words("what\nnext").next_step, "next");
  EXPECT_EQ(split_words("name one:\n    :a\n    :b").next_step, "");
}

}  // namespace
}  // namespace hf::pull
