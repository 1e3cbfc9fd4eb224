#include "pull/part_state.h"

#include <gtest/gtest.h>

namespace hf::pull {
namespace {

const std::string kSum(64, 'a');
const std::string kOther(64, 'b');

PartState state() {
  return {"https://example.org/a.gguf", "\"v1\"", "", Bytes(1000), ""};
}

Expected expected(std::string sha256 = "", std::optional<Bytes> size = Bytes(1000)) {
  return {"https://example.org/a.gguf", std::move(sha256), size};
}

TEST(PartState, SurvivesItsFile) {
  PartState whole{"https://h/a", "\"x\"", kSum, Bytes(5'000'000'000), kOther};
  EXPECT_EQ(parse_state(to_json(whole)), whole);
  whole.size.reset();
  EXPECT_EQ(parse_state(to_json(whole)), whole);
  for (const char* text : {"", "[]", "{", "7"}) {
    EXPECT_EQ(parse_state(text), std::nullopt) << text;
  }
}

TEST(PartState, GoesOnByTheServersTag) {
  const Start start = where_to_start(state(), Bytes(400), expected());
  EXPECT_EQ(start.from, Bytes(400));
  EXPECT_EQ(start.if_range, "\"v1\"");
  EXPECT_EQ(start.why_anew, "");
}

TEST(PartState, GoesOnByTheChecksumFromWhereverItComes) {
  PartState known = state();
  known.etag = "";
  known.sha256 = kSum;
  known.source = "https://mirror/a.gguf";
  const Start start = where_to_start(known, Bytes(400), expected(kSum));
  EXPECT_EQ(start.from, Bytes(400));
  EXPECT_EQ(start.if_range, "");
}

TEST(PartState, BeginsAnewWhereAChangeWouldNotShow) {
  PartState known = state();
  EXPECT_EQ(where_to_start(std::nullopt, Bytes(400), expected()).from, Bytes(0));
  known.etag = "";
  EXPECT_EQ(where_to_start(known, Bytes(400), expected()).from, Bytes(0));
  known = state();
  known.source = "https://example.org/b.gguf";
  EXPECT_EQ(where_to_start(known, Bytes(400), expected()).from, Bytes(0));
  known = state();
  known.sha256 = kOther;
  EXPECT_EQ(where_to_start(known, Bytes(400), expected(kSum)).from, Bytes(0));
  EXPECT_EQ(where_to_start(state(), Bytes(1400), expected()).from, Bytes(0));
  EXPECT_EQ(where_to_start(state(), Bytes(400), expected("", Bytes(2000))).from, Bytes(0));
  EXPECT_FALSE(where_to_start(state(), Bytes(1400), expected()).why_anew.empty());
  EXPECT_TRUE(where_to_start(std::nullopt, Bytes(0), expected()).why_anew.empty());
}

TEST(PartState, AWrongWholeFileCountsOnlyForItsRealChecksum) {
  PartState known = state();
  known.sha256 = kSum;
  known.found_sha256 = kOther;
  EXPECT_EQ(where_to_start(known, Bytes(1000), expected(kOther)).from, Bytes(1000));
  EXPECT_EQ(where_to_start(known, Bytes(1000), expected(kSum)).from, Bytes(0));
  EXPECT_EQ(where_to_start(known, Bytes(1000), expected()).from, Bytes(0));
}

Asked asked(Bytes from) {
  return {from, "\"v1\"", false, Bytes(1000)};
}

Use use_of(int status, std::string range, Bytes from) {
  return judge(Offer{status, "\"v1\"", std::move(range), Bytes(600)}, asked(from)).use;
}

Use use_of_tag(int status, std::string etag, Asked asked) {
  const std::string range = status == 206 ? "bytes 400-999/1000" : "bytes */400";
  return judge(Offer{status, std::move(etag), range, Bytes(600)}, asked).use;
}

TEST(PartState, AnAnswerContinuesOnlyWhereItWasAsked) {
  EXPECT_EQ(use_of(206, "bytes 400-999/1000", Bytes(400)), Use::Continue);
  const auto total = [](std::string range) {
    return judge(Offer{206, "\"v1\"", std::move(range), Bytes(600)}, asked(Bytes(400))).total;
  };
  EXPECT_EQ(total("bytes 400-999/1000"), Bytes(1000));
  EXPECT_EQ(total("bytes 400-999/*"), std::nullopt);
  EXPECT_EQ(use_of(206, "bytes 0-999/1000", Bytes(400)), Use::Restart);
  EXPECT_EQ(use_of(206, "", Bytes(400)), Use::Restart);
  EXPECT_EQ(use_of(206, "bytes 400-x", Bytes(400)), Use::Restart);
  EXPECT_EQ(use_of(206, "bytes 0-999/1000", Bytes(0)), Use::Continue);
  EXPECT_EQ(use_of(206, "bytes 5-999/1000", Bytes(0)), Use::Refused);
  EXPECT_EQ(use_of(200, "", Bytes(400)), Use::Anew);
  EXPECT_EQ(judge(Offer{200, "", "", Bytes(600)}, asked(Bytes(0))).total, Bytes(600));
}

TEST(PartState, AnAnswerOfAnotherFileContinuesNothing) {
  EXPECT_EQ(use_of_tag(206, "\"v1\"", asked(Bytes(400))), Use::Continue);
  EXPECT_EQ(use_of_tag(206, "\"v2\"", asked(Bytes(400))), Use::Restart);
  EXPECT_EQ(use_of_tag(206, "W/\"v1\"", asked(Bytes(400))), Use::Restart);
  EXPECT_EQ(use_of_tag(206, "", asked(Bytes(400))), Use::Restart);
  EXPECT_EQ(use_of_tag(206, "", Asked{Bytes(400), "", false, std::nullopt}), Use::Restart);
  EXPECT_EQ(use_of_tag(206, "\"v2\"", Asked{Bytes(400), "\"v1\"", true, Bytes(1000)}),
            Use::Continue);
  EXPECT_EQ(use_of_tag(206, "\"v1\"", Asked{Bytes(400), "\"v1\"", true, Bytes(999)}), Use::Restart);
}

TEST(PartState, ARefusedRangeIsTheEndOrANewBeginning) {
  const Asked of_unknown_length{Bytes(400), "\"v1\"", false, std::nullopt};
  EXPECT_EQ(use_of_tag(416, "", of_unknown_length), Use::Complete);
  EXPECT_EQ(use_of_tag(416, "\"v1\"", of_unknown_length), Use::Complete);
  EXPECT_EQ(use_of_tag(416, "\"v2\"", of_unknown_length), Use::Restart);
  EXPECT_EQ(use_of(416, "bytes */400", Bytes(400)), Use::Restart);  // 1,000 were announced
  EXPECT_EQ(use_of(416, "bytes */300", Bytes(400)), Use::Restart);
  EXPECT_EQ(use_of(416, "", Bytes(400)), Use::Restart);
  EXPECT_EQ(use_of(416, "bytes */400", Bytes(0)), Use::Refused);
  EXPECT_EQ(use_of(404, "", Bytes(400)), Use::Refused);
}

TEST(PartState, WeakTagsPromiseNothing) {
  EXPECT_EQ(strong_etag("\"a\""), "\"a\"");
  EXPECT_EQ(strong_etag("W/\"a\""), "");
  EXPECT_EQ(strong_etag("a"), "");
  EXPECT_EQ(strong_etag(""), "");
}

}  // namespace
}  // namespace hf::pull
