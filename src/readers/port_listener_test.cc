#include "readers/port_listener.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "readers/fake_root.h"

namespace hf::readers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint16_t kPort = 0x2CAB;

std::string line(const std::string& local, const std::string& state, const std::string& inode) {
  return "   0: " + local + " 00000000:0000 " + state +
         " 00000000:00000000 00:00000000 00000000     0        0 " + inode + " 1 0 100 0 0 10 0\n";
}

TEST(ParseListeners, TakesThoseThatAcceptFromLoopback) {
  const std::string text = "  sl  local_address rem_address   st tx_queue\n" +
                           line("0100007F:2CAB", "0A", "11") + line("00000000:2CAB", "0A", "12") +
                           line("0100007F:2CAC", "0A", "13") + line("0100007F:2CAB", "01", "14") +
                           line("0101A8C0:2CAB", "0A", "15");
  EXPECT_THAT(parse_listeners(text, kPort), ElementsAre("11", "12"));
}

TEST(ParseListeners, TakesBothFormsOfVersionSix) {
  const std::string text = line("00000000000000000000000000000000:2CAB", "0A", "21") +
                           line("0000000000000000FFFF00000100007F:2CAB", "0A", "22") +
                           line("00000000000000000000000001000000:2CAB", "0A", "23");
  EXPECT_THAT(parse_listeners(text, kPort), ElementsAre("21", "22"));
}

TEST(ParseListeners, LeavesOutWhatItCannotRead) {
  EXPECT_THAT(parse_listeners("", kPort), IsEmpty());
  EXPECT_THAT(parse_listeners("0: 0100007F 0 0A\n0: x y 0A 1 2 3 4 5 6\n", kPort), IsEmpty());
}

void process(FakeRoot& root, const std::string& pid, const std::string& parent,
             const std::string& socket) {
  root.file(pid + "/stat", pid + " (a) S " + parent + " 1 1 0 -1\n");
  std::filesystem::create_directories(root.path() / pid / "fd");
  std::filesystem::create_symlink(socket, root.path() / pid / "fd" / "3");
}

TEST(ListenerOf, TellsTheTreeFromOthers) {
  FakeRoot root;
  root.file("net/tcp", line("0100007F:2CAB", "0A", "77"));
  process(root, "10", "1", "pipe:[77]");
  process(root, "11", "10", "socket:[77]");
  process(root, "20", "1", "socket:[78]");
  EXPECT_EQ(listener_of(10, kPort, root.path()), Listener::OfTree);
  EXPECT_EQ(listener_of(20, kPort, root.path()), Listener::Other);
  EXPECT_EQ(listener_of(10, kPort + 1, root.path()), Listener::Unknown);
}

TEST(ListenerOf, KnowsARealOne) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  socklen_t size = sizeof address;
  ASSERT_EQ(getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
  EXPECT_EQ(listener_of(getpid(), ntohs(address.sin_port)), Listener::Unknown);
  ASSERT_EQ(listen(socket, 1), 0);
  EXPECT_EQ(listener_of(getpid(), ntohs(address.sin_port)), Listener::OfTree);
  close(socket);
}

}  // namespace
}  // namespace hf::readers
