// The fence around each child: how far it may grow beyond what is reserved before the kernel stops
// it. Off unless configured.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>

#include "base/units.h"
#include "engine/fence_size.h"
#include "engine/impl.h"
#include "readers/cgroup.h"

namespace hf::engine {
void Engine::Impl::open_fence() {
  fence_ = config_->engine.fence;
  if (fence_ != config::Fence::Cgroup) {
    return;
  }
  const readers::CgroupPaths own = readers::read_own_cgroup_paths();
  auto cgroups = process::MemoryCgroups::open("/sys/fs/cgroup", {own.unified, own.v1_memory});
  if (!cgroups) {
    spdlog::warn(
        "engine.fence: no memory cgroup can be made ({}); the children's data is limited "
        "instead",
        cgroups.error().message);
    fence_ = config::Fence::Data;
    return;
  }
  spdlog::info("each engine process gets a memory cgroup of its own below {}",
               cgroups->home().string());
  cgroups_.emplace(std::move(*cgroups));
}

process::Fence Engine::Impl::fence_for(ModelId model, Generation generation,
                                       const core::Footprint& reserved) {
  process::Fence fence;
  const ModelFile& file = catalog_.at(model).file;
  const Bytes host = reserved.in[core::kHostRam];
  if (fence_ == config::Fence::Cgroup) {
    const std::string name = std::to_string(model.value) + '-' + std::to_string(generation.value);
    auto made = cgroups_->make(name, cgroup_limit(host));
    if (made) {
      fence.cgroup = std::move(*made);
      return fence;
    }
    spdlog::warn("{} starts without a memory cgroup: {}", catalog_.name(model),
                 made.error().message);
  }
  // A driver maps a card's memory and its own into the process in ways that this limit counts.
  if (fence_ != config::Fence::Off && file.on_cards.empty()) {
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    fence.data = data_limit(host - std::min(host, file.mapped), file.plan.threads,
                            file.plan.parallel, cores);
  }
  return fence;
}

}  // namespace hf::engine
