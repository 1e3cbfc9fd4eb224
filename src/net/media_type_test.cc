#include "net/media_type.h"

#include <gtest/gtest.h>

namespace hf::net {
namespace {

TEST(MediaType, IsWhatStandsBeforeTheParameters) {
  EXPECT_EQ(media_type("text/event-stream; charset=utf-8"), "text/event-stream");
  EXPECT_EQ(media_type("application/json"), "application/json");
  EXPECT_EQ(media_type(""), "");
}

TEST(MediaType, StreamsAreEventsAndJsonLines) {
  EXPECT_TRUE(is_stream("Text/Event-Stream"));
  EXPECT_TRUE(is_stream("application/x-ndjson; charset=utf-8"));
  EXPECT_FALSE(is_stream("application/json"));
  EXPECT_FALSE(is_event_stream("application/x-ndjson"));
}

TEST(MissingEnd, CompletesAnEventOrALine) {
  EXPECT_EQ(missing_end("text/event-stream", ""), "");
  EXPECT_EQ(missing_end("text/event-stream", "\n\n"), "");
  EXPECT_EQ(missing_end("text/event-stream", "x\n"), "\n");
  EXPECT_EQ(missing_end("text/event-stream", "xx"), "\n\n");
  EXPECT_EQ(missing_end("application/x-ndjson", "x\n"), "");
  EXPECT_EQ(missing_end("application/x-ndjson", "xx"), "\n");
}

}  // namespace
}  // namespace hf::net
