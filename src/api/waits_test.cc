#include "api/waits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace hf::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

core::TicketView ticket() {
  core::TicketView t;
  t.ticket = TicketId(17);
  t.waited = milliseconds(1500);
  t.position = 2;
  t.place = 3;
  t.eta = milliseconds(6500);
  t.bound = seconds(191);
  t.terms.patience = milliseconds(2500);
  t.terms.turn = seconds(60);
  t.terms.answer = milliseconds(62);
  t.terms.load = seconds(20);
  t.terms.stop = seconds(1);
  t.terms.ahead = 1;
  t.terms.place = 3;
  t.terms.slots = 4;
  t.terms.models = 5;
  return t;
}

std::vector<std::string> headers_of(const engine::Promise& promise) {
  std::vector<net::Header> headers;
  add_promise_headers(promise, headers);
  std::vector<std::string> lines;
  for (const net::Header& header : headers) {
    lines.push_back(header.name + ": " + header.value);
  }
  return lines;
}

TEST(Waits, AreToldInHeadersWithTheirTerms) {
  engine::Promise promise{ticket(), core::WaitingFor::Turn, {"a", "b"}};
  EXPECT_THAT(headers_of(promise),
              ElementsAre("x-holdfast-position: 2", "x-holdfast-eta-ms: 6500",
                          "x-holdfast-bound-ms: 191000",
                          "x-holdfast-bound-terms: in_line; P=2.5; Q=60; R=0.062; L=20; U=1; n=1; "
                          "j=3; S=4; M=5",
                          "x-holdfast-waiting-for: turn; a, b"));
}

TEST(Waits, AnUnknownBoundHasNoHeader) {
  engine::Promise promise{ticket(), core::WaitingFor::Load, {}};
  promise.ticket.bound.reset();
  EXPECT_THAT(headers_of(promise), ElementsAre("x-holdfast-position: 2", "x-holdfast-eta-ms: 6500",
                                               "x-holdfast-waiting-for: load"));
}

std::string waiting_for(std::vector<std::string> blockers) {
  return headers_of({ticket(), core::WaitingFor::Turn, std::move(blockers)}).back();
}

TEST(Waits, AtMostEightNamesStandInAHeader) {
  const std::vector<std::string> eight{"a", "b", "c", "d", "e", "f", "g", "h"};
  EXPECT_EQ(waiting_for(eight), "x-holdfast-waiting-for: turn; a, b, c, d, e, f, g, h");
  std::vector<std::string> more = eight;
  more.insert(more.end(), {"i", "j", "k"});
  EXPECT_EQ(waiting_for(more), "x-holdfast-waiting-for: turn; a, b, c, d, e, f, g, h, +3");
}

TEST(Waits, NamesInAHeaderAreEncoded) {
  EXPECT_EQ(waiting_for({"org/qwen3:8b-q4_K.v1~x"}),
            "x-holdfast-waiting-for: turn; org/qwen3:8b-q4_K.v1~x");
  EXPECT_EQ(waiting_for({"a; b, +1", "100%", "модель"}),
            "x-holdfast-waiting-for: turn; a%3B%20b%2C%20%2B1, 100%25, "
            "%D0%BC%D0%BE%D0%B4%D0%B5%D0%BB%D1%8C");
}

TEST(Waits, EachRequestIsShownWithItsOwnBound) {
  core::TicketView unknown = ticket();
  unknown.bound.reset();
  const boost::json::array shown = tickets_array({ticket(), unknown});
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_EQ(shown[0].at("request").as_string(), "17");
  EXPECT_EQ(shown[0].at("place").as_int64(), 3);
  EXPECT_DOUBLE_EQ(shown[0].at("waited_s").as_double(), 1.5);
  EXPECT_DOUBLE_EQ(shown[0].at("bound_s").as_double(), 191);
  EXPECT_EQ(shown[0].at("bound_terms").at("ahead").as_int64(), 1);
  EXPECT_THAT(std::string(shown[0].at("bound_terms").at("text").as_string()),
              HasSubstr("2 turns of (load 20.0 s"));
  EXPECT_TRUE(shown[1].at("bound_s").is_null());
  EXPECT_TRUE(shown[1].at("bound_terms").is_null());
}

}  // namespace
}  // namespace hf::api
