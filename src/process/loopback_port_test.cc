#include "process/loopback_port.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "process/unique_fd.h"

namespace hf::process {
namespace {

TEST(LoopbackPort, CanBeListenedOn) {
  const auto port = free_loopback_port();
  ASSERT_TRUE(port);
  ASSERT_GT(*port, 0);
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(*port);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(socket.get(), 1), 0);
  EXPECT_NE(free_loopback_port().value_or(0), *port) << "somebody listens on it";
}

}  // namespace
}  // namespace hf::process
