#include "process/probe.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "process/child_fixture.h"

namespace hf::process {
namespace {

using testing::UnorderedElementsAre;

TEST(ParseHelpFlags, TakesTheOptionsAndNotTheirDescriptions) {
  EXPECT_THAT(parse_help_flags("----- common params -----\n"
                               "-fit,  --fit [on|off]    whether --not-an-option counts\n"
                               "--ui,  --webui, --no-ui  whether to enable (see --help)\n"
                               "                         --indented text\n"
                               "usage: --neither\n"
                               "--offline\r\n"),
              UnorderedElementsAre("-fit", "--fit", "--ui", "--webui", "--no-ui", "--offline"));
  EXPECT_TRUE(parse_help_flags("").empty());
}

TEST(ParseVersion, TakesTheFirstVersionLine) {
  EXPECT_EQ(
      parse_version("0.0 I srv: initializing\nversion: 0.5.0-dev (build 1)\nbuilt with GNU\n"),
      "0.5.0-dev (build 1)");
  EXPECT_EQ(parse_version("no such line"), "");
  EXPECT_EQ(parse_version("0.00.004 version: 0.5.0-dev (build 1)\nbuilt\nI srv  initializing\n"),
            "0.5.0-dev (build 1)")
      << "two threads of the engine write to the same pipe";
}

class ProbeTest : public ChildFixture {
 protected:
  [[nodiscard]] std::string executable(const std::string& text) const {
    const std::string path = directory_.file("engine");
    write_text(path, text);
    EXPECT_EQ(::chmod(path.c_str(), 0700), 0);
    return path;
  }
};

TEST_F(ProbeTest, LearnsWhatAnEngineCan) {
  const Result<EngineTraits> traits = probe_engine(HF_STUB_ENGINE);
  ASSERT_TRUE(traits.has_value()) << traits.error().message;
  EXPECT_EQ(traits->path, HF_STUB_ENGINE);
  EXPECT_EQ(traits->version, "stub (build 0)");
  for (const char* flag :
       {"--load-mode", "--cache-ram", "--ctx-checkpoints", "--fit", "--no-ui", "--no-webui",
        "--swa-full", "--no-slots", "--offline", "--cache-idle-slots", "--slot-save-path"}) {
    EXPECT_TRUE(traits->has(flag)) << flag;
  }
  EXPECT_FALSE(traits->has("--no-mmap"));
}

TEST_F(ProbeTest, RefusesWhatIsNoEngine) {
  const Result<EngineTraits> other = probe_engine("/bin/true");
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, Errc::Unsupported);
  const Result<EngineTraits> missing = probe_engine(directory_.file("none"));
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, Errc::NotFound);
}

TEST_F(ProbeTest, GivesUpOnAProgramThatHangs) {
  const Result<EngineTraits> hanging =
      probe_engine(executable("#!/bin/sh\nexec sleep 1000\n"), std::chrono::milliseconds(50));
  ASSERT_FALSE(hanging.has_value());
  EXPECT_EQ(hanging.error().code, Errc::Timeout);
}

TEST_F(ProbeTest, GivesUpOnAProgramThatNeverStopsTalking) {
  const Result<EngineTraits> endless = probe_engine(executable("#!/bin/sh\nexec yes\n"));
  ASSERT_FALSE(endless.has_value());
  EXPECT_EQ(endless.error().code, Errc::Unsupported);
}

TEST(ParseDevices, TakesTheNamesBelowTheHeading) {
  EXPECT_THAT(parse_devices("ggml_cuda_init: found 2 CUDA devices:\n  Device 0: NVIDIA X, no\n"
                            "Available devices:\n"
                            "  CUDA0: NVIDIA X (24217 MiB, 23000 MiB free)\n"
                            "0.00.001 I srv  llama_server: initializing ...\n"
                            "  Vulkan1: AMD: Y (RADV) (16000 MiB, 16000 MiB free)\n"),
              testing::ElementsAre("CUDA0", "Vulkan1"));
  EXPECT_THAT(parse_devices("Available devices:\n  (none)\n"), testing::IsEmpty());
  EXPECT_THAT(parse_devices(""), testing::IsEmpty());
}

}  // namespace
}  // namespace hf::process
