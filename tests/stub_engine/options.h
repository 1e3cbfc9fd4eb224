#pragma once
// The part of llama-server's command line that the stub understands; all other options are taken
// and ignored, because the point is to be started with the real line.

#include <string>
#include <vector>

namespace hf::stub {

struct Options {
  std::string program;           // its own path
  std::vector<std::string> all;  // as given
  std::string model;
  std::string host = "stub.sock";
  std::string alias;           // the model's path if not given, as the stock server does
  std::string slot_save_path;  // ends in '/'; empty: saving slots answers 501
  int context = 4096;          // tokens over all slots
  int parallel = 1;
  bool help = false;
  bool version = false;
  bool list_devices = false;

  [[nodiscard]] int slot_context() const { return context / (parallel > 0 ? parallel : 1); }
};

Options parse_options(int argc, char** argv);

// What the stub prints for --help: the options of the real program that Holdfast asks about.
extern const char* const kHelp;

}  // namespace hf::stub
