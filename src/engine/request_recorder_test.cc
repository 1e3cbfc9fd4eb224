#include "engine/request_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::engine {
namespace {

using ::testing::ElementsAre;

TEST(RequestRecorder, NamesEachModelOnceInABatch) {
  RequestRecorder recorder;
  EXPECT_TRUE(recorder.empty());
  recorder.add(ModelId(7), store::LoggedRequest{.at_ms = 1});
  recorder.add(ModelId(3), store::LoggedRequest{.at_ms = 2});
  recorder.add(ModelId(7), store::LoggedLoad{.at_ms = 3});
  EXPECT_FALSE(recorder.empty());
  const RequestRecorder::Batch batch = recorder.take();
  EXPECT_THAT(batch.models, ElementsAre(ModelId(7), ModelId(3)));
  EXPECT_EQ(batch.log.requests.at(1).model, 1U);
  EXPECT_EQ(batch.log.loads.at(0).model, 0U);
  EXPECT_TRUE(recorder.empty());
  recorder.add(ModelId(3), store::LoggedRequest{});
  EXPECT_THAT(recorder.take().models, ElementsAre(ModelId(3)));
}

TEST(RequestRecorder, DropsAndCountsWhatTheDiskDoesNotTake) {
  RequestRecorder recorder;
  for (std::size_t i = 0; i < RequestRecorder::kMostRows + 5; ++i) {
    recorder.add(ModelId(0), store::LoggedRequest{});
  }
  const RequestRecorder::Batch batch = recorder.take();
  EXPECT_EQ(batch.log.requests.size(), RequestRecorder::kMostRows);
  EXPECT_EQ(batch.dropped, 5U);
  EXPECT_EQ(recorder.take().dropped, 0U);
}

}  // namespace
}  // namespace hf::engine
