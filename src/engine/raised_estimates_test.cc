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
  const core::Footprint seen = core::Footprint::host(Bytes(110));
  RaisedEstimates raises;
  raises.note(kModel, kKey, kRaised);
  EXPECT_FALSE(raises.settle(kModel, kOtherOptions, seen));
  EXPECT_FALSE(raises.settle(kModel, kKey, core::Footprint{}));
  EXPECT_EQ(raises.least(kModel, kKey), kRaised);
  EXPECT_TRUE(raises.settle(kModel, kKey, seen));
  EXPECT_EQ(raises.least(kModel, kKey), core::Footprint{});
  EXPECT_TRUE(raises.raised().empty());
  EXPECT_FALSE(raises.settle(kModel, kKey, seen));
}

TEST(RaisedEstimates, StayOnACardWhoseDriverDoesNotListTheChild) {
  core::Footprint raised = kRaised;
  raised.in[1] = Bytes(500);
  RaisedEstimates raises;
  raises.note(kModel, kKey, raised);
  EXPECT_TRUE(raises.settle(kModel, kKey, core::Footprint::host(Bytes(110))));
  EXPECT_EQ(raises.least(kModel, kKey).in[core::kHostRam], Bytes(0));
  EXPECT_EQ(raises.least(kModel, kKey).in[1], Bytes(500));
  EXPECT_EQ(raises.raised(), std::vector<ModelId>{kModel});
}

TEST(RaisedEstimates, AFurtherFailureCountsInsteadOfTheFirst) {
  RaisedEstimates raises;
  raises.note(kModel, kKey, kRaised);
  raises.note(kModel, kKey, core::Footprint::host(Bytes(156)));
  EXPECT_EQ(raises.least(kModel, kKey), core::Footprint::host(Bytes(156)));
}

}  // namespace
}  // namespace hf::engine
