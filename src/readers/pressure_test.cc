#include "readers/pressure.h"

#include <gtest/gtest.h>

#include "readers/fake_root.h"

namespace hf::readers {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kText =
    "some avg10=12.34 avg60=5.00 avg300=0.10 total=1234567\n"
    "full avg10=1.50 avg60=0.00 avg300=0.00 total=1000\n";

TEST(ParsePressure, ReadsBothLines) {
  const Pressure pressure = *parse_pressure(kText);
  EXPECT_EQ(pressure.some, (StallShare{12.34, 5.0, 0.1, 1234567us}));
  EXPECT_EQ(pressure.full, (StallShare{1.5, 0, 0, 1ms}));
}

TEST(ParsePressure, DoesWithoutTheFullLine) {
  EXPECT_EQ(parse_pressure("some avg10=1.00 avg60=0.00 avg300=0.00 total=7\n")->full, StallShare{});
}

TEST(ParsePressure, RefusesOddText) {
  for (const char* text :
       {"", "full avg10=1.50 avg60=0.00 avg300=0.00 total=1\n",
        "some avg10=1.00 avg60=0.00 avg300=0.00\n", "some avg10=x avg60=0.00 avg300=0.00 total=1\n",
        "some avg60=0.00 avg10=0.00 avg300=0.00 total=1\n",
        "some avg10=-1 avg60=0.00 avg300=0.00 total=1\n",
        "some avg10=nan avg60=0.00 avg300=0.00 total=1\n",
        "some avg10=1 avg60=0.00 avg300=0.00 total=9223372036854775807\n"}) {
    EXPECT_EQ(parse_pressure(text).error().code, Errc::Corrupt) << text;
  }
}

TEST(ReadPressure, SaysWhenTheKernelHasNone) {
  FakeRoot root;
  const auto file = root.path() / "proc/pressure/memory";
  EXPECT_EQ(read_pressure(file).error().code, Errc::NotFound);
  root.file("proc/pressure/memory", kText);
  EXPECT_EQ(read_pressure(file)->some.avg10, 12.34);
}

TEST(PressureFile, IsThatOfTheCgroupWhereItCanBeRead) {
  FakeRoot root;
  CgroupMemory cgroup;
  cgroup.path = (root.path() / "sys/fs/cgroup/box").string();
  const auto of_machine = root.path() / "proc/pressure/memory";
  const auto of_cgroup = root.path() / "sys/fs/cgroup/box/memory.pressure";
  EXPECT_EQ(pressure_file(root.path(), std::nullopt), of_machine);
  EXPECT_EQ(pressure_file(root.path(), cgroup), of_machine) << "version 1 has none";
  root.file("sys/fs/cgroup/box/memory.pressure", "");  // switched off for this cgroup
  EXPECT_EQ(pressure_file(root.path(), cgroup), of_machine);
  root.file("sys/fs/cgroup/box/memory.pressure", kText);
  EXPECT_EQ(pressure_file(root.path(), cgroup), of_cgroup);
}

}  // namespace
}  // namespace hf::readers
