#include "engine/way_back.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

namespace hf::engine {
namespace {

TEST(WayBack, LeadsToTheLoop) {
  boost::asio::io_context io;
  WayBack back(io);
  bool replied = false;
  back.post([&replied] { replied = true; });
  EXPECT_FALSE(replied);
  io.run();
  EXPECT_TRUE(replied);
}

TEST(WayBack, LeadsNowhereOnceItIsClosedAndTheLoopIsGone) {
  auto io = std::make_optional<boost::asio::io_context>();
  WayBack back(*io);
  back.close();
  io.reset();
  auto captured = std::make_shared<int>();
  const std::weak_ptr<int> seen = captured;
  back.post([captured = std::move(captured)] { FAIL() << "nobody is there"; });
  EXPECT_TRUE(seen.expired());
}

}  // namespace
}  // namespace hf::engine
