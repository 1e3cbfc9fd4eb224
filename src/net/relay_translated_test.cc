// Answers that are changed on their way: when their head leaves, how they are delimited, and what
// becomes of one that cannot be changed.

#include <gmock/gmock.h>

#include <cctype>
#include <new>

#include "net/testing/harness.h"
#include "net/translator.h"

namespace hf::net::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr std::string_view kEnd = "0\r\n\r\n";

// Whole lines in capitals, each with "> " before it; the end must be a line that says "end", which
// is left out. A line "bad" is not what it should be, and for "huge" there is no memory.
class Capitals final : public Translator {
 public:
  std::string content_type(int status, std::string_view upstream_type) override {
    seen = std::to_string(status) + " " + std::string(upstream_type);
    return "application/x-ndjson";
  }
  std::string translate(std::string_view piece) override {
    pieces.push(std::string(piece));
    line_ += piece;
    std::string out;
    for (auto at = line_.find('\n'); at != std::string::npos; at = line_.find('\n')) {
      const std::string line = line_.substr(0, at);
      line_.erase(0, at + 1);
      ended_ = line == "end";
      failed_ = failed_ || line == "bad";
      if (line == "huge") {
        throw std::bad_alloc();
      }
      if (!ended_ && !failed_) {
        out += "> " + line + "\n";
      }
    }
    for (char& c : out) {
      c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return out;
  }
  bool failed() const override { return failed_; }
  std::optional<std::string> finish() override {
    return ended_ ? std::optional<std::string>("done\n") : std::nullopt;
  }

  std::string seen;  // loop thread
  Mailbox<std::string> pieces;

 private:
  std::string line_;
  bool ended_ = false;
  bool failed_ = false;
};

class TranslatedRelay : public ::testing::Test {
 protected:
  void begin(const std::string& request = post("/api/chat", "{}")) {
    client_ = server_.connect();
    ASSERT_TRUE(client_.send(request));
    exchange_ = &server_.next_exchange();
    relay();
  }
  void relay(std::optional<UpstreamRequest> request = std::nullopt,
             std::chrono::milliseconds error_within = std::chrono::seconds(60)) {
    translator_ = std::make_shared<Capitals>();
    RelayPlan plan;
    plan.socket_path = upstream_.path();
    plan.translator = translator_;
    plan.request = std::move(request);
    plan.error_within = error_within;
    plan.stream_error = [](const RelayResult&, std::string_view content_type) {
      return "error in " + std::string(content_type) + "\n";
    };
    server_.relay(*exchange_, std::move(plan), events_);
    child_ = upstream_.accept();
    request_ = FakeUpstream::read_request(child_);
  }
  void expect_open(RelayEnd end, Flaw flaw = Flaw::None) {
    const RelayResult result = events_.results.pop();
    EXPECT_EQ(result.end, end);
    EXPECT_EQ(result.flaw, flaw);
    EXPECT_FALSE(result.response_started);
    EXPECT_EQ(result.bytes_to_client, 0U);
    server_.reply(*exchange_, 502, "sorry");
    EXPECT_EQ(client_.read_answer().body, "sorry");
  }

  RelayEvents events_;  // outlives the server that tells it
  std::shared_ptr<Capitals> translator_;
  TestServer server_;
  FakeUpstream upstream_;
  WireSocket client_;
  WireSocket child_;
  std::string request_;
  Exchange* exchange_ = nullptr;
};

TEST_F(TranslatedRelay, TheHeadLeavesWithTheFirstBytesThereAreForTheClient) {
  begin();
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "2\r\nto\r\n"));
  EXPECT_EQ(translator_->pieces.pop(), "to");
  // Had a head left already, no stream could begin any more.
  server_.start_stream(*exchange_, "application/x-ndjson");
  server_.write(*exchange_, "{}\n");
  EXPECT_THAT(client_.read_until("{}\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(TranslatedRelay, EachPieceIsTranslatedBeforeTheNextIsSent) {
  begin();
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "4\r\nto b\r\n"));
  ASSERT_TRUE(child_.send("2\r\ne\n\r\n"));
  EXPECT_EQ(client_.read_until("\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nx-request-id: r1\r\n"
            "Transfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(client_.read_exactly(13), "8\r\n> TO BE\n\r\n");
  EXPECT_EQ(events_.calls.pop(), "first");
  ASSERT_TRUE(child_.send("7\r\nor not\n\r\n"));
  EXPECT_EQ(client_.read_exactly(14), "9\r\n> OR NOT\n\r\n");
  ASSERT_TRUE(child_.send("4\r\nend\n\r\n" + std::string(kEnd)));
  EXPECT_EQ(client_.read_until(kEnd), "5\r\ndone\n\r\n" + std::string(kEnd));
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::Complete);
  EXPECT_EQ(result.bytes_to_client, 22U);
  EXPECT_EQ(translator_->seen, "200 text/event-stream");
  // The connection serves on.
  ASSERT_TRUE(client_.send(get("/next")));
  server_.reply(server_.next_exchange(), 200, "next");
  EXPECT_EQ(client_.read_answer().body, "next");
}

TEST_F(TranslatedRelay, TheUpstreamsLengthIsNotTheClients) {
  begin();
  ASSERT_TRUE(
      child_.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: x\r\n"
                  "Content-Length: 8\r\n\r\nhey\n"));
  ASSERT_TRUE(child_.send("end\n"));
  const WireAnswer answer = client_.read_answer();
  EXPECT_EQ(answer.headers.at("content-type"), "application/x-ndjson");
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body, "> HEY\ndone\n");
}

TEST_F(TranslatedRelay, AWholeAnswerHasTheLengthOfWhatItBecame) {
  begin();
  ASSERT_TRUE(
      child_.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                  "Content-Length: 4\r\n\r\nend\n"));
  const WireAnswer answer = client_.read_answer();
  EXPECT_EQ(answer.headers.at("content-length"), "5");
  EXPECT_FALSE(answer.headers.contains("transfer-encoding"));
  EXPECT_EQ(answer.body, "done\n");
}

TEST_F(TranslatedRelay, AHeadRequestGetsAHeadOnly) {
  client_ = server_.connect();
  ASSERT_TRUE(client_.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"));
  exchange_ = &server_.next_exchange();
  UpstreamRequest request;
  request.method = "GET";
  request.target = "/";
  relay(request);
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "4\r\nhey\n\r\n"));
  EXPECT_EQ(client_.read_answer(true).headers.at("content-type"), "application/x-ndjson");
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Complete);
  ASSERT_TRUE(client_.send(get("/next")));
  server_.reply(server_.next_exchange(), 200, "next");
  EXPECT_EQ(client_.read_answer().body, "next");
}

TEST_F(TranslatedRelay, AnOldClientGetsATranslatedStreamUntilTheConnectionCloses) {
  begin("GET / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "4\r\nhey\n\r\n"));
  EXPECT_THAT(client_.read_until("HEY\n"), EndsWith("Connection: close\r\n\r\n> HEY\n"));
  ASSERT_TRUE(child_.send("4\r\nend\n\r\n" + std::string(kEnd)));
  EXPECT_EQ(client_.read_to_end(), "done\n");
}

TEST_F(TranslatedRelay, ABodyThatEndsWithTheConnectionIsFinished) {
  begin();
  ASSERT_TRUE(child_.send("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhey\nend\n"));
  child_.close();
  const WireAnswer answer = client_.read_answer();
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body, "> HEY\ndone\n");
}

TEST_F(TranslatedRelay, ABodyThatEndsWithTheConnectionAndIsNotWholeIsBroken) {
  begin();
  ASSERT_TRUE(child_.send("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhey"));
  child_.close();
  expect_open(RelayEnd::UpstreamBroken);
}

TEST_F(TranslatedRelay, WhatBecomesLargerThanWhatCameIsOneChunk) {
  begin();
  const std::string line(60'000, 'x');
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "ea60\r\n" + line + "\r\n"));
  ASSERT_TRUE(child_.send("ea60\r\n" + line + "\r\n5\r\n\nend\n\r\n" + std::string(kEnd)));
  const WireAnswer answer = client_.read_answer();
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body, "> " + std::string(120'000, 'X') + "\ndone\n");
}

TEST_F(TranslatedRelay, AnAnswerThatIsUnfitBeforeAnythingWasSentCanStillBeAnswered) {
  begin();
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "3\r\nhey\r\n" + std::string(kEnd)));
  expect_open(RelayEnd::UpstreamBroken, Flaw::Unfit);
}

TEST_F(TranslatedRelay, AnAnswerThatFailsIsBrokenAtOnceAndNotWhenItsUpstreamCloses) {
  begin();
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "4\r\nbad\n\r\n"));
  expect_open(RelayEnd::UpstreamBroken, Flaw::Unfit);
  EXPECT_TRUE(child_.ends());
}

TEST_F(TranslatedRelay, AStreamThatFailsEndsBehindAllThatWasWhole) {
  begin();
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "8\r\nhey\nbad\n\r\n"));
  EXPECT_THAT(client_.read_to_end(),
              EndsWith("6\r\n> HEY\n\r\n1e\r\nerror in application/x-ndjson\n\r\n"));
  EXPECT_TRUE(child_.ends());
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::UpstreamBroken);
  EXPECT_EQ(result.flaw, Flaw::Unfit);
}

TEST_F(TranslatedRelay, WhoeverThrowsEndsTheRelay) {
  begin();
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "5\r\nhuge\n\r\n"));
  expect_open(RelayEnd::UpstreamBroken, Flaw::Unfit);
  EXPECT_TRUE(child_.ends());
}

TEST_F(TranslatedRelay, WhoeverThrowsInAStreamBreaksIt) {
  begin();
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "4\r\nhey\n\r\n"));
  EXPECT_THAT(client_.read_until("HEY\n\r\n"), EndsWith("6\r\n> HEY\n\r\n"));
  ASSERT_TRUE(child_.send("5\r\nhuge\n\r\n"));
  EXPECT_EQ(client_.read_to_end(), "1e\r\nerror in application/x-ndjson\n\r\n");
  EXPECT_EQ(events_.results.pop().end, RelayEnd::UpstreamBroken);
  EXPECT_TRUE(child_.ends());
}

TEST_F(TranslatedRelay, AnUpstreamThatDiesBeforeAnythingWasSentCanStillBeAnsweredFor) {
  begin();
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "3\r\nhey\r\n"));
  child_.close();
  expect_open(RelayEnd::UpstreamBroken);
}

TEST_F(TranslatedRelay, AnAnswerWithoutABodyIsUnfit) {
  begin();
  ASSERT_TRUE(child_.send("HTTP/1.1 204 No Content\r\n\r\n"));
  expect_open(RelayEnd::UpstreamBroken, Flaw::Unfit);
}

TEST_F(TranslatedRelay, ACompressedAnswerIsUnfit) {
  begin(post("/", "{}", "Accept-Encoding: gzip\r\n"));
  EXPECT_THAT(request_, Not(HasSubstr("gzip")));
  EXPECT_THAT(request_, HasSubstr("Accept-Encoding: identity\r\n"));
  ASSERT_TRUE(child_.send("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx"));
  expect_open(RelayEnd::UpstreamBroken, Flaw::Unfit);
}

TEST_F(TranslatedRelay, AnErrorOfTheUpstreamIsCollectedAndNotTranslated) {
  begin();
  ASSERT_TRUE(child_.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nwhy"));
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::UpstreamError);
  EXPECT_EQ(result.error_body, "why");
  EXPECT_EQ(translator_->seen, "");
  server_.reply(*exchange_, 400, "translated");
  EXPECT_EQ(client_.read_answer().body, "translated");
}

TEST_F(TranslatedRelay, AnErrorThatDoesNotEndIsWhatCameOfIt) {
  client_ = server_.connect();
  ASSERT_TRUE(client_.send(post("/", "{}")));
  exchange_ = &server_.next_exchange();
  relay(std::nullopt, std::chrono::milliseconds(20));
  ASSERT_TRUE(child_.send("HTTP/1.1 500 Oh\r\nContent-Length: 1000\r\n\r\nwhy"));
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::UpstreamError);
  EXPECT_EQ(result.status, 500);
  EXPECT_EQ(result.error_body, "why");
  EXPECT_TRUE(child_.ends());
  server_.reply(*exchange_, 500, "translated");
  EXPECT_EQ(client_.read_answer().body, "translated");
}

TEST_F(TranslatedRelay, WhoeverLeavesWhileAnErrorIsCollectedIsGone) {
  begin();
  ASSERT_TRUE(child_.send("HTTP/1.1 500 Oh\r\nContent-Length: 1000\r\n\r\nwhy"));
  client_.close();
  EXPECT_EQ(events_.results.pop().end, RelayEnd::ClientGone);
}

TEST_F(TranslatedRelay, AnErrorSaysWhenToComeBack) {
  for (const auto& [text, seconds] : std::vector<std::pair<std::string, int>>{
           {"37", 37}, {"99999", 3600}, {"99999999999", 3600}, {"-1", 0}, {"1 s", 0}, {"", 0}}) {
    begin();
    ASSERT_TRUE(
        child_.send("HTTP/1.1 429 No\r\nRetry-After: " + text + "\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_EQ(events_.results.pop().retry_after, std::chrono::seconds(seconds)) << text;
    server_.reply(*exchange_, 429, "later");
    EXPECT_EQ(client_.read_answer().body, "later");
  }
}

TEST_F(TranslatedRelay, AnAbortBeforeAnythingWasSentLeavesTheExchangeOpen) {
  begin();
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "3\r\nhey\r\n"));
  server_.abort_relay(*exchange_);
  expect_open(RelayEnd::Aborted);
}

TEST_F(TranslatedRelay, AStreamThatBreaksSaysSoInTheClientsTypeBehindAllThatWasWhole) {
  begin();
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "8\r\nhey\nhalf\r\n"));
  EXPECT_THAT(client_.read_until("HEY\n\r\n"), EndsWith("6\r\n> HEY\n\r\n"));
  child_.close();
  EXPECT_EQ(client_.read_to_end(), "1e\r\nerror in application/x-ndjson\n\r\n");
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::UpstreamBroken);
  EXPECT_TRUE(result.response_started);
}

TEST_F(TranslatedRelay, WhatWasStillWholeInTheLastPieceOfABrokenAnswerIsSent) {
  begin();
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "4\r\nhey\n\r\n" + std::string(kEnd)));
  EXPECT_THAT(client_.read_to_end(),
              EndsWith("6\r\n> HEY\n\r\n1e\r\nerror in application/x-ndjson\n\r\n"));
  EXPECT_EQ(events_.results.pop().end, RelayEnd::UpstreamBroken);
}

TEST_F(TranslatedRelay, ContinuesAnAnswerThatBeganBefore) {
  client_ = server_.connect();
  ASSERT_TRUE(client_.send(post("/", "{}")));
  exchange_ = &server_.next_exchange();
  server_.start_stream(*exchange_, "application/x-ndjson");
  server_.write(*exchange_, "{}\n");
  EXPECT_THAT(client_.read_until("{}\n\r\n"), EndsWith("3\r\n{}\n\r\n"));
  relay();
  ASSERT_TRUE(
      child_.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                  "Content-Length: 8\r\n\r\nhey\nend\n"));
  EXPECT_THAT(client_.read_until(kEnd), EndsWith("> HEY\ndone\n\r\n" + std::string(kEnd)));
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Complete);
}

}  // namespace
}  // namespace hf::net::testing
