#include "store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <array>
#include <fstream>

#include "store/file_size_limit.h"
#include "store/schema.h"
#include "store/temporary_folder.h"

namespace hf::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const ModelStats kModelA{"a", 7, 2.5, 1000, 2000};
const ModelStats kModelB{"qwen3/8b", 1, 1.0, 3000, 3000};
const MeasurementRow kRow{{"/m/a.gguf:1:2", "ctx=4096", "v0.5.0"},
                          {1.5,
                           std::nullopt,
                           Bytes(5'000'000'000),
                           true,
                           8.25,
                           std::nullopt,
                           {{"cuda0", Bytes(7)}},
                           true}};

// A second program that uses the same file.
class OtherProgram {
 public:
  explicit OtherProgram(const std::filesystem::path& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &connection_), SQLITE_OK);
  }
  ~OtherProgram() { sqlite3_close(connection_); }
  OtherProgram(const OtherProgram&) = delete;
  OtherProgram& operator=(const OtherProgram&) = delete;
  void run(const std::string& sql) {
    EXPECT_EQ(sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(connection_);
  }

 private:
  sqlite3* connection_ = nullptr;
};

void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(Store, RemembersAcrossOpenings) {
  const TemporaryFolder folder;
  {
    Store store = *Store::open(folder / "new/folder/history.db");
    EXPECT_EQ(store.warning(), std::nullopt);
    EXPECT_THAT(store.load_all()->models, IsEmpty());
    ASSERT_TRUE(store.save_model_stats(std::array{kModelB, kModelA}).has_value());
    ASSERT_TRUE(store.save_measurement(kRow, 10).has_value());
  }
  Store store = *Store::open(folder / "new/folder/history.db");
  const History history = *store.load_all();
  EXPECT_THAT(history.models, ElementsAre(kModelA, kModelB));
  EXPECT_THAT(history.measurements, ElementsAre(kRow));
}

TEST(Store, ReplacesWhatItKnew) {
  const TemporaryFolder folder;
  Store store = *Store::open(folder / "h.db");
  ASSERT_TRUE(store.save_model_stats(std::array{kModelA}).has_value());
  ASSERT_TRUE(store.save_measurement(kRow, 10).has_value());
  ModelStats newer = kModelA;
  newer.use_count = 8;
  MeasurementRow slower = kRow;
  slower.value.slowest_prefill = 99.5;
  ASSERT_TRUE(store.save_model_stats(std::array{newer}).has_value());
  ASSERT_TRUE(store.save_measurement(slower, 11).has_value());
  EXPECT_THAT(store.load_all()->models, ElementsAre(newer));
  EXPECT_THAT(store.load_all()->measurements, ElementsAre(slower));
}

TEST(Store, FilesAreForTheirOwnerOnly) {
  const TemporaryFolder folder;
  const Store store = *Store::open(folder / "d/h.db");
  struct stat info {};
  ASSERT_EQ(::stat((folder / "d/h.db").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat((folder / "d").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST(Store, ForgetsTheOldestMeasurementsBeyondTheLimit) {
  const TemporaryFolder folder;
  Store store = *Store::open(folder / "h.db");
  {
    OtherProgram other(folder / "h.db");
    other.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
        "INSERT INTO measurements (file, options, engine, high_water_bytes, fully_exercised, "
        "saved_ms) SELECT 'f' || i, '', '', 0, 0, i FROM n");
  }
  ASSERT_TRUE(store.save_measurement(kRow, 5000).has_value());
  const History history = *store.load_all();
  EXPECT_THAT(history.measurements, SizeIs(Store::kMostMeasurements));
  EXPECT_THAT(history.measurements, ::testing::Contains(kRow));
  EXPECT_FALSE(std::any_of(history.measurements.begin(), history.measurements.end(),
                           [](const MeasurementRow& row) { return row.key.file == "f1"; }));
}

TEST(Store, SetsADamagedFileAsideAndBeginsAnew) {
  const TemporaryFolder folder;
  for (const char* wreck : {"h.db.damaged-1", "h.db.damaged-2"}) {
    write_file(folder / "h.db", "this is no database at all, but long enough to be looked at");
    Store store = *Store::open(folder / "h.db");
    ASSERT_TRUE(store.warning().has_value());
    EXPECT_THAT(*store.warning(), HasSubstr(wreck));
    EXPECT_TRUE(std::filesystem::exists(folder / wreck));
    EXPECT_TRUE(store.save_model_stats(std::array{kModelA}).has_value());
  }
}

TEST(Store, FindsDamageInsideADatabase) {
  const TemporaryFolder folder;
  {
    Store store = *Store::open(folder / "h.db");
    std::vector<ModelStats> many;
    for (int i = 0; i < 2000; ++i) {
      many.push_back({"model-" + std::to_string(i), i, 1.0, 0, 0});
    }
    ASSERT_TRUE(store.save_model_stats(many).has_value());
  }
  {
    std::fstream file(folder / "h.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);  // the header page stays whole
    file << std::string(30000, '\xa5');
  }
  Store store = *Store::open(folder / "h.db");
  EXPECT_TRUE(store.warning().has_value());
  EXPECT_THAT(store.load_all()->models, IsEmpty());
}

TEST(Store, LeavesAFileOfANewerProgramAlone) {
  const TemporaryFolder folder;
  { OtherProgram(folder / "h.db").run("PRAGMA user_version = 999"); }
  EXPECT_EQ(Store::open(folder / "h.db").error().code, Errc::Unsupported);
  EXPECT_FALSE(std::filesystem::exists(folder / "h.db.damaged-1"));
}

TEST(Store, BringsAFileOfTheFirstVersionUpToDate) {
  const TemporaryFolder folder;
  {
    OtherProgram other(folder / "h.db");
    other.run(kMigrations[0]);
    other.run("PRAGMA user_version = 1; INSERT INTO model_stats VALUES ('a', 7, 2.5, 1000, 2000)");
  }
  Store store = *Store::open(folder / "h.db");
  EXPECT_EQ(store.warning(), std::nullopt);
  EXPECT_THAT(store.load_all()->models, ElementsAre(kModelA));
  EXPECT_TRUE(store.save_measurement(kRow, 1).has_value());
}

// What each version could hold is there afterwards, and what came later can be written.
TEST(Store, BringsAFileOfAnyVersionUpToDate) {
  for (std::size_t version = 1; version < kMigrations.size(); ++version) {
    const TemporaryFolder folder;
    {
      OtherProgram other(folder / "h.db");
      for (std::size_t step = 0; step < version; ++step) {
        other.run(kMigrations.at(step));
      }
      other.run("PRAGMA user_version = " + std::to_string(version));
      other.run("INSERT INTO model_stats VALUES ('a', 7, 2.5, 1000, 2000)");
      other.run(
          "INSERT INTO measurements (file, options, engine, load_seconds_cached, "
          "load_seconds_cold, high_water_bytes, fully_exercised, slowest_decode, slowest_prefill, "
          "saved_ms) VALUES ('/m/a.gguf:1:2', 'ctx=4096', 'v0.5.0', 1.5, NULL, "
          "5000000000, 1, 8.25, NULL, 10)");
      if (version >= 3) {
        other.run(
            "INSERT INTO request_models VALUES (1, 'a', '7', 5, 4.5, 900, NULL, 2, 0, NULL, 0);"
            "INSERT INTO requests VALUES (1, 1000, 1, 0, 20, 30, 0, 1)");
      }
    }
    EXPECT_EQ(Store::open_to_read(folder / "h.db").error().code, Errc::Unsupported);
    Store store = *Store::open(folder / "h.db");
    EXPECT_EQ(store.warning(), std::nullopt) << version;
    const History history = *store.load_all();
    EXPECT_THAT(history.models, ElementsAre(kModelA));
    MeasurementRow known = kRow;
    known.value.card_high_water.clear();
    EXPECT_TRUE(known.value.load_cached_estimated) << "nobody knows of an old one";
    EXPECT_THAT(history.measurements, ElementsAre(known)) << version;
    EXPECT_THAT(store.load_requests({})->requests, SizeIs(version >= 3 ? 1 : 0)) << version;
    EXPECT_TRUE(store.save_measurement(kRow, 11).has_value());
    EXPECT_THAT(store.load_all()->measurements, ElementsAre(kRow));
    RequestLog log;
    log.models.emplace_back().name = "b";
    log.requests.push_back({.at_ms = 2000});
    ASSERT_TRUE(store.save_requests(log, {}).has_value());
    EXPECT_THAT(store.load_requests({})->requests, SizeIs(version >= 3 ? 2 : 1));
  }
}

TEST(Store, AFullDiskIsAnErrorAndSavesNothingOfTheCall) {
  const TemporaryFolder folder;
  Store store = *Store::open(folder / "h.db");
  ASSERT_TRUE(store.save_model_stats(std::array{kModelA}).has_value());
  std::vector<ModelStats> many;
  for (int i = 0; i < 20000; ++i) {
    many.push_back({"model-with-a-long-name-" + std::to_string(i), i, 1.0, 0, 0});
  }
  {
    const FileSizeLimit full(64 * 1024);
    const Status saved = store.save_model_stats(many);
    ASSERT_FALSE(saved.has_value());
    EXPECT_THAT(saved.error().message, HasSubstr("history"));
  }
  EXPECT_THAT(store.load_all()->models, ElementsAre(kModelA));
  EXPECT_TRUE(store.save_model_stats(many).has_value());
}

TEST(Store, AnotherProgramsLockIsTemporary) {
  const TemporaryFolder folder;
  Store store = *Store::open(folder / "h.db");
  {
    OtherProgram other(folder / "h.db");
    other.run("BEGIN IMMEDIATE");
    EXPECT_EQ(store.save_model_stats(std::array{kModelA}).error().code, Errc::Unavailable);
    EXPECT_TRUE(store.load_all().has_value());  // readers are not blocked
  }
  EXPECT_TRUE(store.save_model_stats(std::array{kModelA}).has_value());
}

TEST(Store, SaysWhyItCannotBeOpened) {
  const TemporaryFolder folder;
  write_file(folder / "file", "");
  EXPECT_FALSE(Store::open(folder / "file/h.db").has_value());
  EXPECT_FALSE(Store::open("/proc/self/none/h.db").has_value());
  std::filesystem::create_directory(folder / "d");
  EXPECT_FALSE(Store::open(folder / "d").has_value());
}

}  // namespace
}  // namespace hf::store
