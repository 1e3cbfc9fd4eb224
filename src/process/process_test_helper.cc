// What the tests of this folder start: `jail …`, as `holdfast jail …` would be; and `parent ENGINE
// MODEL SOCKET`, a server in miniature that starts one child and then waits to be killed.

#include <signal.h>
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

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 2 && std::string_view(argv[1]) == "jail") {
    return hf::process::jail_main(argc - 1, argv + 1);
  }
  if (argc == 5 && std::string_view(argv[1]) == "parent") {
    return run_parent(argv + 2);
  }
  return 2;
}
