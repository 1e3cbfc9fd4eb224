// What the tests of this folder start: `jail …`, as `holdfast jail …` would be; `parent ENGINE
// MODEL SOCKET`, a server in miniature that starts one child and then waits to be killed; `family
// FILE`, an engine that starts others and writes all their numbers into the file; and `supervisor
// FILE`, a server in miniature with such a family.

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <string_view>
#include <utility>

#include "process/child.h"

namespace {

int run_parent(char** arguments) {
  boost::asio::io_context io(1);
  hf::process::ChildSpec spec;
  spec.engine = arguments[0];
  spec.arguments = {"-m", arguments[1], "--host", arguments[2]};
  // Without the router variable, so that only the death signal can end the child.
  spec.environment = {"LANG=C.UTF-8"};
  spec.socket_path = arguments[2];
  std::shared_ptr<hf::process::Child> child;
  hf::process::ChildEvents events;
  events.on_ready = [&child] {
    std::printf("%d\n", child->pid());
    std::fflush(stdout);
  };
  child = hf::process::Child::spawn(io, std::move(spec), std::move(events));
  io.run();
  for (;;) {
    ::pause();
  }
}

void sign(const char* file) {
  const int list = ::open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ::dprintf(list, "%d\n", ::getpid());
  ::close(list);
}

[[noreturn]] void stay(const char* file) {
  ::signal(SIGTERM, SIG_IGN);
  sign(file);
  for (;;) {
    ::pause();
  }
}

int run_family(const char* file) {
  sign(file);
  if (::fork() == 0) {
    stay(file);
  }
  if (::fork() == 0) {
    ::setsid();
    stay(file);
  }
  const pid_t between = ::fork();
  if (between == 0) {
    ::setsid();
    if (::fork() == 0) {
      stay(file);
    }
    ::_exit(0);
  }
  ::waitpid(between, nullptr, 0);
  for (;;) {
    ::pause();
  }
}

int run_supervisor(const char* file) {
  boost::asio::io_context io(1);
  hf::process::ChildSpec spec;
  spec.engine = "/proc/self/exe";
  spec.arguments = {"family", file};
  spec.environment = {"LANG=C.UTF-8"};
  spec.supervised = true;
  const auto child = hf::process::Child::spawn(io, std::move(spec), {});
  std::printf("%d\n", child->pid());
  std::fflush(stdout);
  io.run();
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 2 && std::string_view(argv[1]) == "jail") {
    return hf::process::jail_main(argc - 1, argv + 1);
  }
  if (argc == 5 && std::string_view(argv[1]) == "parent") {
    return run_parent(argv + 2);
  }
  if (argc == 3 && std::string_view(argv[1]) == "family") {
    return run_family(argv[2]);
  }
  if (argc == 3 && std::string_view(argv[1]) == "supervisor") {
    return run_supervisor(argv[2]);
  }
  return 2;
}
