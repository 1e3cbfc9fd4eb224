#include "readers/amdgpu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "readers/fake_root.h"

namespace hf::readers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kFdinfo =
    "pos:\t0\nflags:\t02100002\ndrm-driver:\tamdgpu\ndrm-pdev:\t0000:03:00.0\n"
    "drm-client-id:\t41\ndrm-memory-vram:\t2048 KiB\ndrm-memory-gtt:\t16 KiB\n";

class AmdgpuTest : public testing::Test {
 protected:
  void card(const std::string& name, const std::string& slot, const std::string& total,
            const std::string& used) {
    const std::string device = "sys/class/drm/" + name + "/device/";
    root_.file(device + "mem_info_vram_total", total + "\n");
    root_.file(device + "mem_info_vram_used", used + "\n");
    root_.file(device + "uevent", "DRIVER=amdgpu\nPCI_SLOT_NAME=" + slot + "\n");
  }
  std::vector<Gpu> read(const std::vector<int>& ours = {}) {
    return read_amdgpu(root_.path(), root_.path() / "proc", ours);
  }

  FakeRoot root_;
};

TEST_F(AmdgpuTest, CardsStandInTheOrderOfTheBus) {
  card("card1", "0000:0b:00.0", "1000", "10");
  card("card0", "0000:03:00.0", "2000", "20");
  root_.file("sys/class/drm/card0/device/product_name", "Radeon X\n");
  root_.file("sys/class/drm/card0/device/unique_id", "7f01\n");
  const auto gpus = read();
  ASSERT_THAT(gpus, SizeIs(2));
  EXPECT_EQ(gpus[0].kind, GpuKind::Amd);
  EXPECT_EQ(gpus[0].index, 0);
  EXPECT_EQ(gpus[0].name, "Radeon X");
  EXPECT_EQ(gpus[0].uuid, "7f01");
  EXPECT_EQ(gpus[0].total, Bytes(2000));
  EXPECT_EQ(gpus[0].used, Bytes(20));
  EXPECT_EQ(gpus[1].pci_id, "0000:0b:00.0");
  EXPECT_EQ(gpus[1].name, "AMD card");
}

TEST_F(AmdgpuTest, OtherDriversCardsAndSocketsAreNone) {
  root_.file("sys/class/drm/card0/device/uevent", "DRIVER=i915\n");
  card("card1-HDMI-A-1", "0000:03:00.0", "1000", "10");
  card("card2", "0000:04:00.0", "what", "10");
  card("card3", "0000:05:00.0", "0", "0");
  EXPECT_THAT(read(), IsEmpty());
}

TEST_F(AmdgpuTest, AMachineWithoutSuchAFolderHasNoCard) {
  EXPECT_THAT(read({1}), IsEmpty());
}

TEST_F(AmdgpuTest, AProcessHoldsWhatItsClientsHoldEachOnce) {
  card("card0", "0000:03:00.0", "2000", "20");
  root_.file("proc/12/fdinfo/5", kFdinfo);
  root_.file("proc/12/fdinfo/6", kFdinfo);  // the same client
  root_.file("proc/12/fdinfo/7",
             "drm-driver: amdgpu\ndrm-pdev: 0000:03:00.0\ndrm-client-id: 42\n"
             "drm-memory-vram: 1 KiB\n");
  root_.file("proc/12/fdinfo/8", "pos:\t0\nflags:\t02\n");
  root_.file("proc/13/fdinfo/5", "drm-driver: i915\ndrm-pdev: 0000:03:00.0\ndrm-client-id: 1\n");
  const auto gpus = read({13, 12, 99});
  ASSERT_THAT(gpus, SizeIs(1));
  EXPECT_THAT(gpus[0].processes, ElementsAre(GpuProcess{12, 2049 * kKiB}));
}

TEST(DrmFdinfo, OnlyThisDriversFilesCount) {
  EXPECT_EQ(parse_drm_fdinfo(kFdinfo), (DrmClient{"0000:03:00.0", "41", 2 * kMiB}));
  EXPECT_EQ(parse_drm_fdinfo("drm-driver: xe\ndrm-pdev: 0000:03:00.0\n"), std::nullopt);
  EXPECT_EQ(parse_drm_fdinfo("drm-driver: amdgpu\n"), std::nullopt);
  EXPECT_EQ(parse_drm_fdinfo(""), std::nullopt);
  EXPECT_EQ(parse_drm_fdinfo("drm-driver: amdgpu\ndrm-pdev: a\ndrm-memory-vram: x KiB\n"),
            (DrmClient{"a", "", Bytes(0)}));
}

}  // namespace
}  // namespace hf::readers
