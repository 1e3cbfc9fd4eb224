#include "api/admin.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace hf::api {
namespace {

namespace json = boost::json;
using core::UnloadMode;
using core::action::AnswerCode;

engine::CommandResult result(AnswerCode code) {
  engine::CommandResult r;
  r.code = code;
  return r;
}

TEST(UnloadMode, FromQuery) {
  EXPECT_EQ(*unload_mode(""), UnloadMode::IfIdle);
  EXPECT_EQ(*unload_mode("drain=true"), UnloadMode::Drain);
  EXPECT_EQ(*unload_mode("force=true"), UnloadMode::Force);
  EXPECT_EQ(*unload_mode("force"), UnloadMode::Force);
  EXPECT_EQ(*unload_mode("force=false&drain=0"), UnloadMode::IfIdle);
}

TEST(UnloadMode, RefusesWhatItDoesNotUnderstand) {
  ASSERT_FALSE(unload_mode("force=yes"));
  EXPECT_EQ(unload_mode("force=yes").error().status, 400);
  EXPECT_EQ(unload_mode("drain=maybe").error().param, "drain");
  EXPECT_FALSE(unload_mode("force=true&drain=true"));
}

TEST(NeededRole, OperatorsSpareWhoIsInUseAndAdministratorsNeedNot) {
  using config::Role;
  const auto role = [](std::string_view path, std::string_view query = "") {
    return needed_role(find_route("POST", path).value(), query);
  };
  EXPECT_EQ(role("/api/v1/models/a/load"), Role::User);
  EXPECT_EQ(role("/api/v1/models/a/load", "force=true"), Role::User) << "it means nothing there";
  for (const char* path : {"/api/v1/models/a/unload", "/api/v1/models/a/pin",
                           "/api/v1/models/a/unpin", "/api/v1/cleanup"}) {
    EXPECT_EQ(role(path), Role::Operator) << path;
  }
  EXPECT_EQ(role("/api/v1/cleanup", "level=emergency"), Role::Operator);
  EXPECT_EQ(role("/api/v1/models/a/unload", "drain=true"), Role::Operator);
  EXPECT_EQ(role("/api/v1/models/a/unload", "force=false"), Role::Operator);
  for (const char* query : {"force=true", "force=1", "force", "drain=true&force=true", "f%6Frce"}) {
    EXPECT_EQ(role("/api/v1/models/a/unload", query), Role::Admin) << query;
  }
  EXPECT_EQ(role("/api/v1/reload"), Role::Admin);
}

TEST(CleanupLevel, FromQuery) {
  EXPECT_EQ(*cleanup_level(""), core::CleanupLevel::Normal);
  EXPECT_EQ(*cleanup_level("level=normal"), core::CleanupLevel::Normal);
  EXPECT_EQ(*cleanup_level("level=emergency"), core::CleanupLevel::Emergency);
  ASSERT_FALSE(cleanup_level("level=all"));
  EXPECT_EQ(cleanup_level("level=all").error().status, 400);
}

TEST(UnloadAnswer, InUseIsAConflictThatCounts) {
  const auto answer = unload_answer(result(AnswerCode::InUse), UnloadMode::IfIdle, "m", 3);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().status, 409);
  EXPECT_EQ(answer.error().code, "model_in_use");
  const json::value body = json::parse(error_body(answer.error(), Dialect::OpenAi, ""));
  EXPECT_EQ(body.at("error").at("active_requests").as_int64(), 3);
}

TEST(UnloadAnswer, SaysWhatHappens) {
  const auto word = [](AnswerCode code, UnloadMode mode) {
    const auto answer = unload_answer(result(code), mode, "m", 0);
    return std::to_string(answer->status) + " " +
           std::string(json::parse(answer->json).at("result").as_string());
  };
  EXPECT_EQ(word(AnswerCode::Started, UnloadMode::IfIdle), "200 unloading");
  EXPECT_EQ(word(AnswerCode::Started, UnloadMode::Force), "200 unloading");
  EXPECT_EQ(word(AnswerCode::Started, UnloadMode::Drain), "202 draining");
  EXPECT_EQ(word(AnswerCode::NotLoaded, UnloadMode::Drain), "200 not_loaded");
}

TEST(CleanupJson, NamesAllThreeSets) {
  engine::CommandResult r = result(AnswerCode::Started);
  r.unloading = {"c"};
  r.kept = {"a", "b"};
  r.protected_models = {"a"};
  const json::value body = json::parse(cleanup_json(r, core::CleanupLevel::Emergency));
  EXPECT_EQ(body.at("level").as_string(), "emergency");
  EXPECT_EQ(body.at("unloading").as_array(), json::array{"c"});
  EXPECT_EQ(body.at("kept").as_array(), (json::array{"a", "b"}));
  EXPECT_EQ(body.at("protected").as_array(), json::array{"a"});
}

TEST(PinRefused, NeverFitsIsAConflict) {
  EXPECT_EQ(pin_refused(result(AnswerCode::NeverFits), "m").status, 409);
  EXPECT_EQ(pin_refused(result(AnswerCode::NeverFits), "m").retry_after, Duration::zero());
  EXPECT_EQ(pin_refused(result(AnswerCode::TooLarge), "m").status, 409);
  EXPECT_NE(
      pin_refused(result(AnswerCode::TooLarge), "m").message.find("larger than the whole memory"),
      std::string::npos);
  EXPECT_EQ(pin_refused(result(AnswerCode::Refused), "m").status, 503);
  EXPECT_GT(pin_refused(result(AnswerCode::Refused), "m").retry_after, Duration::zero());
}

TEST(PinRefused, WhatOnlyNeighboursPreventMayBeTriedAgain) {
  engine::CommandResult taken = result(AnswerCode::CardTaken);
  taken.card = " on cuda0";
  const ApiError error = pin_refused(taken, "m");
  EXPECT_EQ(error.status, 503);
  EXPECT_EQ(error.code, "card_taken");
  EXPECT_GT(error.retry_after, Duration::zero());
  EXPECT_NE(error.message.find("other programs hold the memory it needs on cuda0"),
            std::string::npos);
}

TEST(ReloadJson, ListsWhatChanged) {
  engine::Reloaded result;
  result.added = {"a"};
  result.restarted = {"b", "c"};
  result.settings = {"queue.patience"};
  result.restart_needed = {"listen"};
  EXPECT_EQ(reload_json(result),
            R"({"changed":{"models":{"added":["a"],"removed":[],"restarted":["b","c"],)"
            R"("changed":[]},"settings":["queue.patience"]},"restart_needed":["listen"]})");
}

TEST(ReloadRefused, SaysWhetherTheFileIsMissingOrWrong) {
  const ApiError wrong = reload_refused(Error(Errc::InvalidArgument, "h.toml:1:1: bad"));
  EXPECT_EQ(wrong.status, 422);
  EXPECT_EQ(wrong.code, "config_invalid");
  EXPECT_EQ(wrong.message, "h.toml:1:1: bad");
  const ApiError missing = reload_refused(Error(Errc::NotFound, "no file"));
  EXPECT_EQ(missing.status, 409);
  EXPECT_EQ(missing.code, "no_config");
  const ApiError late = reload_refused(Error(Errc::Unavailable, "stopping"));
  EXPECT_EQ(late.status, 503);
  EXPECT_GT(late.retry_after, Duration::zero());
  const ApiError failed = reload_refused(Error(Errc::Internal, "no memory"));
  EXPECT_EQ(failed.status, 500);
  EXPECT_EQ(failed.code, "reload_failed");
  EXPECT_EQ(failed.message, "no memory");
}

}  // namespace
}  // namespace hf::api
