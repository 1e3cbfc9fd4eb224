#include "api/fitness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace hf::api {
namespace {

using testing::HasSubstr;

engine::Abilities chat(bool sees = false, bool hears = false) {
  engine::Abilities abilities;
  abilities.known = abilities.generates = abilities.embeds = true;
  abilities.sees = sees;
  abilities.hears = hears;
  return abilities;
}
engine::Abilities encoder() {
  engine::Abilities abilities;
  abilities.known = abilities.embeds = true;
  return abilities;
}
engine::Abilities reranker() {
  engine::Abilities abilities;
  abilities.known = abilities.ranks = true;
  return abilities;
}
net::MediaFacts with(int pictures, int sounds = 0) {
  net::MediaFacts media;
  media.pictures = pictures;
  media.sounds = sounds;
  return media;
}

TEST(Unsuited, EachKindIsRefusedWhatItCannotDo) {
  const net::MediaFacts none;
  const engine::Abilities kinds[] = {chat(), encoder(), reranker()};
  const Use uses[] = {Use::Generate, Use::Embed, Use::Rank, Use::Any};
  const bool refused[3][4] = {
      {false, false, true, false}, {true, false, true, false}, {true, true, false, false}};
  for (int kind = 0; kind < 3; ++kind) {
    for (int use = 0; use < 4; ++use) {
      EXPECT_EQ(unsuited(kinds[kind], uses[use], none, "m").has_value(), refused[kind][use])
          << kind << " " << use;
    }
  }
}

TEST(Unsuited, TheRefusalSaysWhatTheModelIsFor) {
  const ApiError error = *unsuited(encoder(), Use::Generate, {}, "bge");
  EXPECT_EQ(error.status, 400);
  EXPECT_EQ(error.code, "unsupported_by_model");
  EXPECT_EQ(error.message, "model \"bge\" makes embeddings; it does not write text");
  EXPECT_THAT(error.hint, HasSubstr("/v1/embeddings"));
  EXPECT_EQ(error.retry_after, Duration::zero());
  EXPECT_THAT(unsuited(reranker(), Use::Embed, {}, "r")->message, HasSubstr("ranks documents"));
}

TEST(Unsuited, PicturesNeedEyesAndSoundsEars) {
  EXPECT_THAT(unsuited(chat(), Use::Generate, with(1), "m")->message, HasSubstr("no pictures"));
  EXPECT_FALSE(unsuited(chat(true), Use::Generate, with(3), "m").has_value());
  EXPECT_THAT(unsuited(chat(true), Use::Generate, with(0, 1), "m")->message,
              HasSubstr("no sounds"));
  EXPECT_FALSE(unsuited(chat(false, true), Use::Generate, with(0, 1), "m").has_value());
}

TEST(Unsuited, WhatCannotBeUsedAtAllIsSaidElsewhere) {
  EXPECT_FALSE(unsuited({}, Use::Rank, with(1), "broken").has_value());
}

TEST(Unacceptable, AddressesAreFetchedOnlyIfTheAdministratorSaysSo) {
  config::Config config;
  config.picture_megapixels = 1;
  net::MediaFacts media;
  media.remote = true;
  EXPECT_EQ(unacceptable(media, config)->code, "media_by_address");
  config.fetch_media = true;
  EXPECT_FALSE(unacceptable(media, config).has_value());
}

TEST(Unacceptable, PicturesHaveALimitTogether) {
  config::Config config;
  config.picture_megapixels = 2;
  net::MediaFacts media = with(2);
  media.pixels = 2'000'000;
  EXPECT_FALSE(unacceptable(media, config).has_value());
  media.pixels = 2'000'001;
  const ApiError error = *unacceptable(media, config);
  EXPECT_EQ(error.code, "pictures_too_large");
  EXPECT_THAT(error.message, HasSubstr("3 million"));
  EXPECT_THAT(error.message, HasSubstr("is 2 million"));
}

TEST(Unacceptable, WhatCannotBeReadIsNotPassedOn) {
  config::Config config;
  config.picture_megapixels = 2;
  net::MediaFacts media;
  media.unreadable = true;
  EXPECT_EQ(unacceptable(media, config)->code, "media_unreadable");
}

}  // namespace
}  // namespace hf::api
