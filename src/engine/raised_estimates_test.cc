#include "engine/raised_estimates.h"

#include <gtest/gtest.h>

namespace hf::engine {
namespace {

const ModelId kModel(3);
const store::MeasurementKey kKey{"file", "context=4096", "v1"};
const store::MeasurementKey kOtherOptions{"file", "context=8192", "v1"};
const core::Footprint kRaised = core::Footprint::host(Bytes(125));

TEST(RaisedEstimates, CountForTheFilesAndOptionsThatRanOutOfMemory) {
  RaisedEstimates raises;
  EXPECT_EQ(raises.least(kModel, kKey), core::Footprint{});
  raises.note(kModel, kKey, kRaised);
  EXPECT_EQ(raises.least(kModel, kKey), kRaised);
  EXPECT_EQ(raises.least(kModel, kOtherOptions), core::Footprint{});
  EXPECT_EQ(raises.least(ModelId(4), kKey), core::Footprint{});
}

TEST(RaisedEstimates, EndWithAGenerationOfTheSameFilesAndOptionsThatWasMeasured) {
  RaisedEstimates raises;
  raises.note(kModel, kKey, kRaised);
  EXPECT_FALSE(raises.settle(kModel, kOtherOptions));
  EXPECT_EQ(raises.least(kModel, kKey), kRaised);
  EXPECT_TRUE(raises.settle(kModel, kKey));
  EXPECT_EQ(raises.least(kModel, kKey), core::Footprint{});
  EXPECT_FALSE(raises.settle(kModel, kKey));
}

TEST(RaisedEstimates, AFurtherFailureCountsInsteadOfTheFirst) {
  RaisedEstimates raises;
  raises.note(kModel, kKey, kRaised);
  raises.note(kModel, kKey, core::Footprint::host(Bytes(156)));
  EXPECT_EQ(raises.least(kModel, kKey), core::Footprint::host(Bytes(156)));
}

}  // namespace
}  // namespace hf::engine
