#include "store/request_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

#include "store/store.h"
#include "store/temporary_folder.h"

namespace hf::store {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

LoggedModel model(const std::string& name) {
  LoggedModel m;
  m.name = name;
  m.footprint = core::Footprint::host(5 * kGiB);
  m.weights = 4 * kGiB;
  m.bits_per_weight = 8.5;
  m.reload = milliseconds(2500);
  m.slots = 4;
  return m;
}

LoggedRequest request(std::int64_t at_ms, std::uint32_t of = 0) {
  return {at_ms, of, 7, milliseconds(1500), seconds(12), Outcome::Done, true};
}

RequestLog batch(std::vector<LoggedRequest> requests) {
  RequestLog log;
  log.budget = core::Footprint::host(48 * kGiB);
  log.models = {model("a")};
  log.requests = std::move(requests);
  return log;
}

TEST(RequestLog, ModelsWithoutARowAreForgottenWhenTheFileIsOpened) {
  const TemporaryFolder folder;
  {
    Store store = *Store::open(folder / "h.db");
    ASSERT_TRUE(store.save_requests(batch({request(1000)}), {}).has_value());
    RequestLog later = batch({request(9000)});
    later.models = {model("b")};
    ASSERT_TRUE(store.save_requests(later, {.since_ms = 5000}).has_value());
    EXPECT_THAT(store.load_requests({})->models, SizeIs(2));
  }
  const RequestLog log = *Store::open(folder / "h.db")->load_requests({});
  ASSERT_THAT(log.models, SizeIs(1));
  EXPECT_EQ(log.models[0].name, "b");
}

TEST(RequestLog, RemembersAllOfABatch) {
  const TemporaryFolder folder;
  RequestLog log = batch({request(1000), request(500, 1)});
  log.models.push_back(model("qwen3/8b"));
  LoggedModel& big = log.models.back();
  big.footprint.in[2] = 7 * kGiB;
  big.ttl = hours(2);
  big.priority = -3;
  big.stop = milliseconds(310);
  big.pinned = true;
  log.requests[1].outcome = Outcome::LeftQueue;
  log.loads = {{900, 0, milliseconds(2400)}};
  log.starts_ms = {400, 800};
  {
    Store store = *Store::open(folder / "h.db");
    ASSERT_TRUE(store.save_requests(log, {}).has_value());
  }
  Store store = *Store::open_to_read(folder / "h.db");
  const RequestLog read = *store.load_requests({});
  EXPECT_EQ(read.budget, log.budget);
  EXPECT_EQ(read.models, log.models);
  EXPECT_THAT(read.requests, ElementsAre(log.requests[1], log.requests[0]));  // by arrival
  EXPECT_EQ(read.loads, log.loads);
  EXPECT_THAT(read.starts_ms, ElementsAre(800));  // what came before the first request is no matter
  EXPECT_EQ(read.older, 0U);
}

TEST(RequestLog, ABatchBringsItsModelsUpToDate) {
  const TemporaryFolder folder;
  Store store = *Store::open(folder / "h.db");
  ASSERT_TRUE(store.save_requests(batch({request(1)}), {}).has_value());
  RequestLog next = batch({request(2)});
  next.models[0].stop = seconds(1);
  ASSERT_TRUE(store.save_requests(next, {}).has_value());
  next.models[0].stop.reset();  // not stopped since the server started: the old figure stays
  next.requests = {request(3)};
  next.models[0].footprint = core::Footprint::host(6 * kGiB);
  next.budget = core::Footprint::host(96 * kGiB);
  ASSERT_TRUE(store.save_requests(next, {}).has_value());
  const RequestLog read = *store.load_requests({});
  next.models[0].stop = seconds(1);
  EXPECT_EQ(read.models, next.models);
  EXPECT_EQ(read.budget, next.budget);
  EXPECT_THAT(read.requests, ElementsAre(request(1), request(2), request(3)));
}

TEST(RequestLog, ReadsTheNewestOfAPeriod) {
  const TemporaryFolder folder;
  Store store = *Store::open(folder / "h.db");
  std::vector<LoggedRequest> rows;
  for (int i = 0; i < 100; ++i) {
    rows.push_back(request(1000 + i));
  }
  ASSERT_TRUE(store.save_requests(batch(rows), {}).has_value());
  const RequestLog read = *store.load_requests({.since_ms = 1050, .most = 10});
  ASSERT_THAT(read.requests, SizeIs(10));
  EXPECT_EQ(read.requests.front().at_ms, 1090);
  EXPECT_EQ(read.older, 90U);
  EXPECT_THAT(store.load_requests({.since_ms = 1095})->requests, SizeIs(5));
}

TEST(RequestLog, ForgetsWhatIsTooOldAndTooMuch) {
  const TemporaryFolder folder;
  Store store = *Store::open(folder / "h.db");
  std::vector<LoggedRequest> rows;
  for (int i = 0; i < 100; ++i) {
    rows.push_back(request(i));
  }
  RequestLog log = batch(rows);
  log.loads = {{5, 0, seconds(1)}, {60, 0, seconds(1)}};
  log.starts_ms = {1, 70};
  ASSERT_TRUE(store.save_requests(log, {.since_ms = 50}).has_value());
  RequestLog read = *store.load_requests({});
  EXPECT_THAT(read.requests, SizeIs(50));
  EXPECT_THAT(read.loads, SizeIs(1));
  EXPECT_THAT(read.starts_ms, ElementsAre(70));
  ASSERT_TRUE(store.save_requests(batch({request(100)}), {.most_requests = 10}).has_value());
  read = *store.load_requests({});
  EXPECT_THAT(read.requests, SizeIs(10));
  EXPECT_EQ(read.requests.back().at_ms, 100);
}

TEST(RequestLog, WhatIsDatedInTheFutureGoes) {
  const TemporaryFolder folder;
  Store store = *Store::open(folder / "h.db");
  RequestLog log = batch({request(10), request(90'000)});
  log.loads = {{5, 0, seconds(1)}, {60'000, 0, seconds(1)}};
  log.starts_ms = {10, 70'000};
  ASSERT_TRUE(store.save_requests(log, {}).has_value());
  EXPECT_THAT(store.load_requests({})->requests, SizeIs(2)) << "no clock, no judgement";
  ASSERT_TRUE(store.save_requests(batch({request(20)}), {.until_ms = 1'000}).has_value());
  const RequestLog read = *store.load_requests({});
  EXPECT_THAT(read.requests, ElementsAre(request(10), request(20)));
  EXPECT_THAT(read.loads, IsEmpty()) << "the one that is left was before the first request";
  EXPECT_THAT(read.starts_ms, ElementsAre(10));
}

TEST(RequestLog, IsForgottenAsAWholeAndNothingElseIs) {
  const TemporaryFolder folder;
  Store store = *Store::open(folder / "h.db");
  RequestLog log = batch({request(10)});
  log.loads = {{10, 0, seconds(1)}};
  log.starts_ms = {10};
  ASSERT_TRUE(store.save_requests(log, {}).has_value());
  ASSERT_TRUE(store.save_model_stats(std::vector<ModelStats>{{"a", 3, 1.5, 10, 10}}).has_value());
  ASSERT_TRUE(store.forget_requests().has_value());
  const RequestLog read = *store.load_requests({});
  EXPECT_TRUE(read.empty());
  EXPECT_THAT(read.models, IsEmpty());
  EXPECT_EQ(read.budget, core::Footprint{});
  EXPECT_THAT(store.load_all()->models, SizeIs(1));
}

TEST(RequestLog, ALookerNeedsAFileAndLeavesItAsItIs) {
  const TemporaryFolder folder;
  EXPECT_EQ(Store::open_to_read(folder / "h.db").error().code, Errc::NotFound);
  EXPECT_FALSE(std::filesystem::exists(folder / "h.db"));
  { Store store = *Store::open(folder / "h.db"); }
  Store store = *Store::open_to_read(folder / "h.db");
  EXPECT_THAT(store.load_requests({})->requests, IsEmpty());
  EXPECT_FALSE(store.save_requests(batch({request(1)}), {}).has_value());
}

TEST(RequestLog, ALookerDoesNotBringAnOlderFileUpToDate) {
  const TemporaryFolder folder;
  { Store store = *Store::open(folder / "h.db"); }
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open((folder / "h.db").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "PRAGMA user_version = 2", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  const auto looker = Store::open_to_read(folder / "h.db");
  ASSERT_FALSE(looker.has_value());
  EXPECT_EQ(looker.error().code, Errc::Unsupported);
  EXPECT_THAT(looker.error().message, HasSubstr("when it starts"));
}

TEST(RequestLog, IsReadWhileItIsWritten) {
  const TemporaryFolder folder;
  Store server = *Store::open(folder / "h.db");
  ASSERT_TRUE(server.save_requests(batch({request(1)}), {}).has_value());
  Store looker = *Store::open_to_read(folder / "h.db");
  ASSERT_TRUE(server.save_requests(batch({request(2)}), {}).has_value());
  EXPECT_THAT(looker.load_requests({})->requests, SizeIs(2));
}

}  // namespace
}  // namespace hf::store
