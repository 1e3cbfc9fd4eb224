#include "readers/nvml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "readers/fake_root.h"
#include "readers/gpu_readers.h"

namespace hf::readers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kTwoCards =
    "card GPU-aaaa 00000000:03:00.0 1000 300 Fake One\n"
    "card GPU-bbbb 00000001:04:00.0 2000 10 Fake Two\n"
    "process 0 77 200\n"
    "process 0 5 -1\n"
    "graphics 0 77 150\n"
    "graphics 1 9 7\n";

// A copy of the fake library in a folder of its own, with its state beside it.
class NvmlTest : public testing::Test {
 protected:
  std::string library(const char* built, const std::string& state) {
    const std::filesystem::path path = folder_.path() / "libnvidia-ml.so.1";
    std::filesystem::copy_file(built, path, std::filesystem::copy_options::overwrite_existing);
    folder_.file("libnvidia-ml.so.1.state", state);
    return path.string();
  }
  GpuReading read(const char* built, const std::string& state) {
    auto nvml = Nvml::open(library(built, state));
    EXPECT_TRUE(nvml.has_value());
    return nvml ? (*nvml)->read() : GpuReading{};
  }

  FakeRoot folder_;
};

TEST_F(NvmlTest, ReadsCardsAndWhoUsesThem) {
  const GpuReading reading = read(HF_FAKE_NVML, kTwoCards);
  EXPECT_THAT(reading.problems, IsEmpty());
  ASSERT_THAT(reading.gpus, SizeIs(2));
  const Gpu& one = reading.gpus[0];
  EXPECT_EQ(one.name, "Fake One");
  EXPECT_EQ(one.uuid, "GPU-aaaa");
  EXPECT_EQ(one.pci_id, "0000:03:00.0");
  EXPECT_EQ(one.total, Bytes(1000));
  EXPECT_EQ(one.used, Bytes(300));
  EXPECT_TRUE(one.processes_known);
  EXPECT_THAT(one.processes, ElementsAre(GpuProcess{5, std::nullopt}, GpuProcess{77, Bytes(200)}));
  EXPECT_EQ(reading.gpus[1].index, 1);
  EXPECT_EQ(reading.gpus[1].pci_id, "0001:04:00.0");
  EXPECT_THAT(reading.gpus[1].processes, ElementsAre(GpuProcess{9, Bytes(7)}));
}

TEST_F(NvmlTest, OldDriversAreAskedByTheOldNames) {
  const GpuReading reading = read(HF_FAKE_NVML_OLD, kTwoCards);
  ASSERT_THAT(reading.gpus, SizeIs(2));
  EXPECT_EQ(reading.gpus[0].uuid, "GPU-aaaa");
  EXPECT_EQ(reading.gpus[0].pci_id, "");  // a function that came later
  EXPECT_THAT(reading.gpus[0].processes,
              ElementsAre(GpuProcess{5, std::nullopt}, GpuProcess{77, Bytes(200)}));
}

TEST_F(NvmlTest, MoreProcessesThanExpectedAreAllListed) {
  std::string state = "card GPU-aaaa 00000000:03:00.0 1000 300 Fake\n";
  for (int pid = 1; pid <= 300; ++pid) {
    state += "process 0 " + std::to_string(pid) + " 1\n";
  }
  const GpuReading reading = read(HF_FAKE_NVML, state);
  ASSERT_THAT(reading.gpus, SizeIs(1));
  EXPECT_THAT(reading.gpus[0].processes, SizeIs(300));
}

TEST_F(NvmlTest, ACardThatDoesNotAnswerIsLeftOut) {
  auto nvml = Nvml::open(library(HF_FAKE_NVML, kTwoCards));
  ASSERT_TRUE(nvml.has_value());
  folder_.file("libnvidia-ml.so.1.state",
               std::string(kTwoCards) + "fail nvmlDeviceGetMemoryInfo 15\n");
  const GpuReading reading = (*nvml)->read();
  EXPECT_THAT(reading.gpus, IsEmpty());
  EXPECT_THAT(reading.problems,
              ElementsAre(HasSubstr("card 0: its memory"), HasSubstr("card 1: its memory")));
}

TEST_F(NvmlTest, FailuresOfSingleQuestionsLeaveTheRestKnown) {
  const GpuReading reading =
      read(HF_FAKE_NVML, std::string(kTwoCards) +
                             "fail nvmlDeviceGetName 3\nfail nvmlDeviceGetUUID 3\n"
                             "fail nvmlDeviceGetPciInfo_v3 3\n"
                             "fail nvmlDeviceGetComputeRunningProcesses_v3 4\n"
                             "fail nvmlDeviceGetGraphicsRunningProcesses_v3 4\n");
  ASSERT_THAT(reading.gpus, SizeIs(2));
  EXPECT_EQ(reading.gpus[0].used, Bytes(300));
  EXPECT_EQ(reading.gpus[0].uuid, "");
  EXPECT_FALSE(reading.gpus[0].processes_known);
  EXPECT_THAT(reading.gpus[0].processes, IsEmpty());
}

TEST_F(NvmlTest, CardsThatCannotBeCountedAreNone) {
  auto nvml = Nvml::open(library(HF_FAKE_NVML, "fail nvmlDeviceGetCount_v2 999\n"));
  ASSERT_TRUE(nvml.has_value());
  const GpuReading reading = (*nvml)->read();
  EXPECT_THAT(reading.gpus, IsEmpty());
  EXPECT_THAT(reading.problems, ElementsAre(HasSubstr("cannot be counted")));
}

TEST_F(NvmlTest, WhatIsNotThatLibraryIsATypedError) {
  EXPECT_EQ(Nvml::open("/nowhere/libnvidia-ml.so.1").error().code, Errc::NotFound);
  folder_.file("text.so", "not a library");
  EXPECT_EQ(Nvml::open((folder_.path() / "text.so").string()).error().code, Errc::NotFound);
  EXPECT_EQ(Nvml::open(library(HF_FAKE_NVML_BARE, "")).error().code, Errc::Unsupported);
}

TEST_F(NvmlTest, ADriverThatDoesNotStartIsATypedError) {
  const auto failed = Nvml::open(library(HF_FAKE_NVML, "fail nvmlInit_v2 999\n"));
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, Errc::Unavailable);
  EXPECT_THAT(failed.error().message, HasSubstr("told to fail"));
}

TEST_F(NvmlTest, ADriverThatIsNotLoadedMeansNoCard) {
  EXPECT_EQ(Nvml::open(library(HF_FAKE_NVML, "fail nvmlInit_v2 9\n")).error().code, Errc::NotFound);
}

TEST_F(NvmlTest, SourcesCanBeSwitchedOff) {
  GpuSources sources;
  sources.nvml_library = library(HF_FAKE_NVML, kTwoCards);
  sources.root = folder_.path();
  EXPECT_THAT(GpuReaders(sources).read({}).gpus, SizeIs(2));
  sources.nvml = false;
  EXPECT_EQ(GpuReaders(sources).read({}), GpuReading{});
}

TEST_F(NvmlTest, AMachineWithoutCardsHasNoProblem) {
  GpuSources sources;
  sources.nvml_library = "/nowhere/libnvidia-ml.so.1";
  sources.root = folder_.path();
  EXPECT_EQ(GpuReaders(sources).read({}), GpuReading{});
  sources.nvml_library = library(HF_FAKE_NVML_BARE, "");
  GpuReaders odd(sources);
  EXPECT_THAT(odd.read({}).problems, SizeIs(1));
  EXPECT_THAT(odd.read({}).problems, IsEmpty());  // told once
}

}  // namespace
}  // namespace hf::readers
