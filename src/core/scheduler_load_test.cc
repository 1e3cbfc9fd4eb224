// Loads: one a model, failures, retries, and who is never loaded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing/harness.h"

namespace hf::core {
namespace {

using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::gib;
using testing::Harness;
using ::testing::IsEmpty;
using testing::limits;
using testing::spec;

TEST(Loading, RequestsForALoadingModelWaitForThatOneLoad) {  // U3
  Harness h(limits(gib(16)));
  h.model("a", gib(10), 4);
  EXPECT_THAT(h.arrive("t1", "a"), ElementsAre("start a head_fits"));
  EXPECT_THAT(h.arrive("t2", "a"), IsEmpty());
  EXPECT_THAT(h.arrive("t3", "a"), IsEmpty());
  EXPECT_EQ(h.state("a"), State::Loading);  // U2
  EXPECT_THAT(h.ready("a"), ElementsAre("grant t1", "grant t2", "grant t3"));
  EXPECT_EQ(h.view("a").leases, 3);  // U1
  EXPECT_EQ(h.view("a").use_count, 3U);
}

TEST(Loading, IsNeverStoppedForAnother) {  // U5
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  h.model("b", gib(10));
  h.arrive("t1", "a");
  EXPECT_THAT(h.arrive("t2", "b"), IsEmpty());
  EXPECT_THAT(h.advance(seconds(1000)), Contains("notice all_in_use_long [a]"));
  EXPECT_EQ(h.state("a"), State::Loading);
}

TEST(Loading, GoesOnWhenItsRequesterLeaves) {
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  h.arrive("t1", "a");
  EXPECT_THAT(h.cancel("t1"), IsEmpty());
  EXPECT_THAT(h.advance(seconds(20)), IsEmpty());
  EXPECT_THAT(h.ready("a"), IsEmpty());
  EXPECT_EQ(h.state("a"), State::Ready);
}

TEST(Loading, FailureAnswersAllItsTicketsAndOpensTheCircuit) {
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  h.arrive("t1", "a");
  h.arrive("t2", "a");
  EXPECT_THAT(h.fail("a"), ElementsAre("refuse t1 load_failed", "refuse t2 load_failed"));
  EXPECT_THAT(h.arrive("t3", "a"), ElementsAre("refuse t3 model_failed"));
  EXPECT_EQ(h.last<action::Refuse>()->retry_after, seconds(1));
  h.advance(seconds(1));
  EXPECT_THAT(h.arrive("t4", "a"), ElementsAre("start a head_fits"));
}

TEST(Loading, BackoffDoublesUpToAMinuteAndASuccessEndsIt) {
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  for (const int expected : {1, 2, 4, 8, 16, 32, 60, 60}) {
    h.arrive("t" + std::to_string(expected), "a");
    h.fail("a");
    EXPECT_EQ(h.view("a").failed_for, seconds(expected));
    h.advance(seconds(expected));
  }
  h.make_ready("a");
  h.exit("a");
  h.arrive("last", "a");
  h.fail("a");
  EXPECT_LE(h.view("a").failed_for, seconds(2));
}

TEST(Loading, OutOfMemoryIsRetriedOnceWithARaisedEstimate) {
  Harness h(limits(gib(16)));
  h.model("a", gib(8));
  h.arrive("t1", "a");
  EXPECT_THAT(h.fail("a", LoadFailure::OutOfMemory), ElementsAre("start a retry_after_oom"));
  EXPECT_EQ(h.last<action::StartLoad>()->reserved, Footprint::host(gib(10)));
  EXPECT_THAT(h.fail("a", LoadFailure::OutOfMemory), ElementsAre("refuse t1 load_failed"));
}

TEST(Loading, NewsOfOtherCostsLeaveARaisedEstimateAsItIs) {
  Harness h(limits(gib(16)));
  h.model("a", gib(8));
  h.arrive("t1", "a");
  h.fail("a", LoadFailure::OutOfMemory);
  event::SpecTuned tuned;
  tuned.model = h.id("a");
  tuned.reload = seconds(3);
  h.handle(tuned);
  EXPECT_EQ(h.view("a").estimate, Footprint::host(gib(10)));
  tuned.footprint = Footprint::host(gib(9));  // the shell knows of the raise and means it
  h.handle(tuned);
  EXPECT_EQ(h.view("a").estimate, Footprint::host(gib(9)));
}

TEST(Loading, TheRetryTakesIdleVictimsAndStaysFirst) {
  Harness h(limits(gib(16)));
  h.model("idle", gib(6));
  h.model("a", gib(9));
  h.model("b", gib(2));
  h.make_ready("idle");
  h.arrive("t1", "a");
  h.arrive("t2", "b");  // waits for the load slot
  EXPECT_THAT(h.fail("a", LoadFailure::OutOfMemory), ElementsAre("stop idle idle_victim"));
  EXPECT_THAT(h.exit("idle"), ElementsAre("notice unloaded [idle]", "start a retry_after_oom"));
}

TEST(Loading, ATurnThatWasGivenUpLeavesTheNextOneItsSecondAttempt) {
  Harness h(limits(gib(10)));
  h.model("a", gib(8));
  h.model("b", gib(2));
  h.arrive("b1", "b");
  h.ready("b");
  h.arrive("t1", "a");
  EXPECT_THAT(h.fail("a", LoadFailure::OutOfMemory), ElementsAre("refuse t1 load_failed"));
  h.end("b1");
  h.unload("b", UnloadMode::IfIdle);
  h.exit("b");
  h.advance(seconds(1));
  h.arrive("t2", "a");
  EXPECT_THAT(h.fail("a", LoadFailure::OutOfMemory), ElementsAre("start a retry_after_oom"));
}

TEST(Loading, TheRetryIsForgottenWhenNobodyWaitsForItAnyMore) {
  Harness h(limits(gib(16)));
  h.model("idle", gib(6));
  h.model("a", gib(9));
  h.make_ready("idle");
  h.arrive("t1", "a");
  h.fail("a", LoadFailure::OutOfMemory);
  h.end("t1");
  EXPECT_THAT(h.exit("idle"), ElementsAre("notice unloaded [idle]"));
  EXPECT_THAT(h.advance(seconds(100)), IsEmpty());
  EXPECT_THAT(h.arrive("t2", "a"), ElementsAre("start a head_fits"));
}

TEST(Loading, ACrashEndsTheLeasesAndTheTicketsLoadItAgain) {
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  h.arrive("t1", "a");
  h.ready("a");
  h.arrive("t2", "a");
  EXPECT_THAT(h.exit("a"), ElementsAre("cut t1 child_died", "start a head_fits"));
  EXPECT_THAT(h.end("t1"), IsEmpty());  // late news of a lease that is gone
  EXPECT_THAT(h.ready("a"), ElementsAre("grant t2"));
}

TEST(Loading, ThreeCrashesInARowOpenTheCircuit) {
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  h.arrive("t", "a");
  for (int i = 0; i < 2; ++i) {
    h.ready("a");
    h.arrive("u" + std::to_string(i), "a");
    h.exit("a");
  }
  h.ready("a");
  h.arrive("last", "a");
  EXPECT_THAT(h.exit("a"), Contains("refuse last crashed"));
  EXPECT_EQ(h.state("a"), State::Failed);
}

TEST(Loading, NewsOfAnOldGenerationChangeNothing) {
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  h.make_ready("a");
  EXPECT_THAT(h.handle(event::Exited{h.id("a"), Generation(0)}), IsEmpty());
  EXPECT_THAT(h.handle(event::LoadFailed{h.id("a"), Generation(7), LoadFailure::Crashed}),
              IsEmpty());
  EXPECT_THAT(h.handle(event::Exited{ModelId(99), Generation(1)}), IsEmpty());
  EXPECT_EQ(h.state("a"), State::Ready);
}

TEST(Loading, WhatCannotFitIsRefusedAtOnceAndNobodyIsEvicted) {  // rule 11
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  h.model("giant", gib(17));
  h.make_ready("a");
  EXPECT_THAT(h.arrive("t1", "giant"), ElementsAre("refuse t1 never_fits"));
  EXPECT_THAT(h.pin("giant"), ElementsAre("answer too_large"));
  EXPECT_EQ(h.last<action::Refuse>()->retry_after, Duration::zero());
  EXPECT_EQ(h.state("a"), State::Ready);
}

TEST(Loading, PinnedBytesAreOutOfWhatCanFit) {
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  h.model("b", gib(8));
  h.make_ready("a");
  EXPECT_THAT(h.pin("a"), ElementsAre("answer done"));
  EXPECT_THAT(h.arrive("t1", "b"), ElementsAre("refuse t1 never_fits"));
  EXPECT_THAT(h.pin("b"), ElementsAre("answer never_fits"));
}

// A card of 16 GiB, of which `taken` went to other programs since the start.
Limits card_limits(Bytes taken) {
  Limits with_card = limits(gib(64));
  with_card.budget.in[1] = gib(16) - taken;
  with_card.taken.in[1] = taken;
  return with_card;
}

ModelSpec on_card(const std::string& name, Bytes size) {
  ModelSpec model = spec(name, gib(1));
  model.footprint.in[1] = size;
  return model;
}

TEST(Neighbours, WhoFitsTheCardWithoutThemIsRefusedForNowAndNobodyIsEvicted) {
  Harness h(card_limits(gib(0)));
  h.model(on_card("a", gib(10)));
  h.model(on_card("b", gib(4)));
  h.model(on_card("giant", gib(17)));
  h.make_ready("b");
  h.handle(event::LimitsChanged{card_limits(gib(8))});
  EXPECT_THAT(h.arrive("t1", "a"), ElementsAre("refuse t1 card_taken"));
  const action::Refuse refused = *h.last<action::Refuse>();
  EXPECT_GT(refused.retry_after, Duration::zero());
  EXPECT_EQ(refused.reason.domain, 1U);
  EXPECT_EQ(refused.reason.need, gib(10));
  EXPECT_EQ(refused.reason.have, gib(8));
  EXPECT_EQ(h.state("b"), State::Ready);
  EXPECT_THAT(h.pin("a"), ElementsAre("answer card_taken"));
  EXPECT_EQ(h.last<action::Answer>()->domain, 1U);
  EXPECT_THAT(h.arrive("t2", "giant"), ElementsAre("refuse t2 never_fits"));
  EXPECT_EQ(h.last<action::Refuse>()->retry_after, Duration::zero());
  EXPECT_EQ(h.last<action::Refuse>()->reason.have, gib(16)) << "what could be given without them";
  EXPECT_THAT(h.pin("giant"), ElementsAre("answer too_large"));
}

TEST(Neighbours, WhoWaitsWhenTheyComeIsToldSoAndServedOnceTheyLeave) {
  Harness h(card_limits(gib(0)));
  h.model(on_card("a", gib(10)));
  h.model(on_card("b", gib(8)));
  h.arrive("b1", "b");
  h.ready("b");
  EXPECT_THAT(h.arrive("a1", "a"), IsEmpty());
  EXPECT_THAT(h.handle(event::LimitsChanged{card_limits(gib(8))}),
              ElementsAre("refuse a1 card_taken"));
  EXPECT_EQ(h.state("b"), State::Ready) << "in use";
  h.handle(event::LimitsChanged{card_limits(gib(0))});
  EXPECT_THAT(h.arrive("a2", "a"), IsEmpty());
  EXPECT_THAT(h.end("b1"), ElementsAre("stop b idle_victim"));
  EXPECT_THAT(h.exit("b"), Contains("start a head_fits"));
}

TEST(Neighbours, APinThatLeavesTooLittleEvenWithoutThemIsFinal) {
  Harness h(card_limits(gib(0)));
  h.model(on_card("a", gib(10)));
  h.model(on_card("b", gib(8)));
  h.make_ready("a");
  h.pin("a");
  h.handle(event::LimitsChanged{card_limits(gib(14))});
  EXPECT_THAT(h.arrive("b1", "b"), ElementsAre("refuse b1 never_fits"));
  EXPECT_EQ(h.last<action::Refuse>()->reason.have, gib(6));
  EXPECT_THAT(h.pin("b"), ElementsAre("answer never_fits"));
  h.model(on_card("c", gib(5)));
  EXPECT_THAT(h.arrive("c1", "c"), ElementsAre("refuse c1 card_taken"));
  EXPECT_EQ(h.last<action::Refuse>()->reason.have, Bytes(0)) << "never less than nothing";
}

TEST(Loading, BrokenAndRemovedModelsAreRefusedWithTheirReasons) {
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  h.model("b", gib(1));
  h.handle(event::ModelBroken{h.id("a")});
  EXPECT_THAT(h.arrive("t1", "a"), ElementsAre("refuse t1 model_broken"));
  h.arrive("t2", "b");
  EXPECT_THAT(h.handle(event::ModelRemoved{h.id("b")}), ElementsAre("refuse t2 model_gone"));
  EXPECT_THAT(h.arrive("t3", "b"), ElementsAre("refuse t3 model_gone"));
}

TEST(Loading, WhatARequestWouldBeRefusedForIsKnownBeforeItComes) {
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  h.model("giant", gib(17));
  const auto why = [&](const std::string& model) {
    const auto refusal = h.scheduler().refusal_at_once(h.id(model));
    return refusal ? refusal->reason.why : Why::None;
  };
  EXPECT_EQ(why("a"), Why::None);
  EXPECT_EQ(why("giant"), Why::NeverFits);
  EXPECT_EQ(h.scheduler().refusal_at_once(h.id("giant"))->reason.have, gib(16));
  h.arrive("t1", "a");
  EXPECT_EQ(why("a"), Why::None);
  h.fail("a");
  EXPECT_EQ(why("a"), Why::ModelFailed);
  EXPECT_EQ(h.scheduler().refusal_at_once(h.id("a"))->retry_after, seconds(1));
  h.advance(seconds(1));
  EXPECT_EQ(why("a"), Why::None);
  h.make_ready("a");
  h.handle(event::ModelBroken{h.id("a")});
  EXPECT_EQ(why("a"), Why::None) << "its child goes on";
  h.exit("a");
  EXPECT_EQ(why("a"), Why::ModelBroken);
  h.handle(event::ModelRemoved{h.id("a")});
  EXPECT_EQ(why("a"), Why::ModelGone);
}

TEST(Loading, TicketsBehindTheGateOfABrokenModelAreRefused) {
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  h.arrive("t1", "a");
  h.ready("a");
  h.unload("a", UnloadMode::Drain);
  h.arrive("t2", "a");
  EXPECT_THAT(h.handle(event::ModelBroken{h.id("a")}), ElementsAre("refuse t2 model_broken"));
}

TEST(Loading, AModelThatDoesNotFitInOneDomainWaitsForThatDomain) {
  Limits wanted = limits(gib(16));
  wanted.budget.in[1] = gib(8);
  Harness h(wanted);
  ModelSpec card = spec("card", gib(1));
  card.footprint.in[1] = gib(6);
  ModelSpec other = spec("other", gib(1));
  other.footprint.in[1] = gib(4);
  h.model(card);
  h.model(other);
  h.model("ram", gib(4));
  h.make_ready("ram");
  h.make_ready("card");
  EXPECT_THAT(h.arrive("t1", "other"), ElementsAre("stop card idle_victim"));
}

}  // namespace
}  // namespace hf::core
