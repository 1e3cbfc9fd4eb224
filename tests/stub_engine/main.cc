// stub_engine: what the tests start in place of llama-server. See script.h.

#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>

#include "stub_engine/lifecycle.h"
#include "stub_engine/options.h"
#include "stub_engine/script.h"
#include "stub_engine/server.h"

int main(int argc, char** argv) {
  const hf::stub::Options options = hf::stub::parse_options(argc, argv);
  if (options.help) {
    std::fputs(hf::stub::kHelp, stdout);
    return 0;
  }
  if (options.version) {
    std::fputs("version: stub (build 0)\n", stderr);
    return 0;
  }
  if (options.list_devices) {
    // The cards it is to have: the lines of PROGRAM.devices.
    std::ifstream file(options.program + ".devices");
    const std::string devices{std::istreambuf_iterator<char>(file),
                              std::istreambuf_iterator<char>()};
    std::printf("Available devices:\n%s", devices.empty() ? "  (none)\n" : devices.c_str());
    return 0;
  }
  ::signal(SIGPIPE, SIG_IGN);
  try {
    const hf::stub::Script script = hf::stub::read_script(options.model);
    hf::stub::log_start(options);
    boost::asio::io_context io(1);
    hf::stub::Server server(io, options, script);
    hf::stub::Lifecycle life(io, options, script, server);
    server.start();
    life.start();
    io.run();
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "stub: %s\n", failure.what());
    return 1;
  }
}
