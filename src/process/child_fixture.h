#pragma once
// For the tests of this folder: a model file with a script for the stub engine, a child started
// from it, everything it reported, and waiting on state with a deadline. One thread.

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "process/child.h"
#include "process/unique_fd.h"

namespace hf::process {

// Only a failing test waits so long; the machine may be busy.
inline constexpr std::chrono::seconds kTestDeadline{30};

inline std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

inline UniqueFd pidfd_of(int pid) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

// Waits until the process behind the descriptor has ended.
inline bool ends(const UniqueFd& pidfd) {
  pollfd waiting{pidfd.get(), POLLIN, 0};
  const auto limit = std::chrono::milliseconds(kTestDeadline).count();
  return ::poll(&waiting, 1, static_cast<int>(limit)) == 1;
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() { EXPECT_NE(::mkdtemp(path_.data()), nullptr); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/hf-process-XXXXXX";
};

class ChildFixture : public testing::Test {
 protected:
  void SetUp() override { set_jail_program(HF_TEST_HELPER); }

  void script(const std::string& json) const { write_text(model() + ".stub", json); }
  [[nodiscard]] std::string model() const { return directory_.file("m.gguf"); }
  [[nodiscard]] std::string socket() const { return directory_.file("m.sock"); }
  [[nodiscard]] std::string stub_log() const { return read_text(model() + ".stub.log"); }
  [[nodiscard]] bool stub_logged(const std::string& event) const {
    return stub_log().find("\"event\":\"" + event + "\"") != std::string::npos;
  }
  // The number after "NAME": in the stub's log.
  [[nodiscard]] int stub_number(const std::string& name) const {
    const std::string log = stub_log();
    const std::size_t at = log.find("\"" + name + "\":");
    return at == std::string::npos ? 0 : std::atoi(log.c_str() + at + name.size() + 3);
  }

  [[nodiscard]] ChildSpec spec() const {
    ChildSpec made;
    made.engine = HF_STUB_ENGINE;
    made.arguments = {"-m", model(), "--host", socket(), "--alias", "m"};
    made.environment = {"LANG=C.UTF-8", "LLAMA_SERVER_ROUTER_PORT=1"};
    made.socket_path = socket();
    made.load_deadline = kTestDeadline;
    made.stop_deadline = kTestDeadline;
    return made;
  }

  void spawn(ChildSpec from) {
    ChildEvents events;
    events.on_progress = [this](double fraction) { progress_.push_back(fraction); };
    events.on_ready = [this] { ++ready_count_; };
    events.on_exit = [this](const ChildExit& exit) { exits_.push_back(exit); };
    events.on_speed = [this](const Speed& speed) { speeds_.push_back(speed); };
    events.on_log = [this](const std::string& line) { log_.push_back(line); };
    child_ = Child::spawn(*io_, std::move(from), std::move(events));
  }
  bool spawn_until_ready(ChildSpec from) {
    spawn(std::move(from));
    return run_until([this] { return ready_count_ > 0 || !exits_.empty(); }) && ready_count_ == 1;
  }
  // Runs the loop until the condition holds; false if it does not within the deadline.
  bool run_until(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + kTestDeadline;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > until) {
        return false;
      }
      io_->restart();
      io_->run_one_for(std::chrono::milliseconds(10));
    }
    return true;
  }
  bool run_until_exit() {
    return run_until([this] { return !exits_.empty(); });
  }
  // Everything that is left; proves that nothing keeps the loop alive after the exit.
  void run_out() {
    io_->restart();
    io_->run();
  }

  TemporaryDirectory directory_;
  std::unique_ptr<boost::asio::io_context> io_ = std::make_unique<boost::asio::io_context>(1);
  std::shared_ptr<Child> child_;
  std::vector<double> progress_;
  std::vector<ChildExit> exits_;
  std::vector<std::string> log_;
  std::vector<Speed> speeds_;
  int ready_count_ = 0;
};

}  // namespace hf::process
