#include "net/request_id.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace hf::net {
namespace {

std::string id_for(const std::string& sent) {
  RequestHead head;
  head.headers.push_back(Header{"X-Request-Id", sent});
  return request_id_of(head);
}

TEST(RequestId, KeepsSaneOnesOfTheClient) {
  EXPECT_EQ(id_for("req_01.A-z"), "req_01.A-z");
  EXPECT_EQ(id_for(std::string(128, 'a')), std::string(128, 'a'));
}

TEST(RequestId, ReplacesAllOthers) {
  for (const std::string& sent :
       {std::string(129, 'a'), std::string(), std::string("a b"), std::string("a\r\nx: y")}) {
    EXPECT_NE(id_for(sent), sent);
    EXPECT_EQ(id_for(sent).size(), 16U);
  }
}

TEST(RequestId, NewOnesDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(new_request_id());
  }
  EXPECT_EQ(seen.size(), 1000U);
}

}  // namespace
}  // namespace hf::net
