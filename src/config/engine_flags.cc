#include "config/engine_flags.h"

#include <algorithm>
#include <array>
#include <span>

namespace hf::config {
namespace {

struct Group {
  std::string_view instead;  // what to say after "FLAG may not stand in args: "
  std::span<const std::string_view> flags;
};

constexpr auto kModel = std::to_array<std::string_view>({"-m",
                                                         "--model",
                                                         "-mu",
                                                         "--model-url",
                                                         "-dr",
                                                         "--docker-repo",
                                                         "-hf",
                                                         "-hfr",
                                                         "--hf-repo",
                                                         "-hff",
                                                         "--hf-file",
                                                         "-hft",
                                                         "--hf-token",
                                                         "-hfd",
                                                         "-hfrd",
                                                         "--hf-repo-draft",
                                                         "--spec-draft-hf",
                                                         "-a",
                                                         "--alias",
                                                         "--tags"});
constexpr auto kProjector =
    std::to_array<std::string_view>({"-mm", "--mmproj", "-mmu", "--mmproj-url", "--mmproj-auto",
                                     "--no-mmproj", "--no-mmproj-auto"});
constexpr auto kAddress = std::to_array<std::string_view>(
    {"--host", "--port", "--reuse-port", "--api-prefix", "--api-key", "--api-key-file",
     "--ssl-key-file", "--ssl-cert-file", "--cors-origins", "--cors-methods", "--cors-headers",
     "--cors-credentials", "--no-cors-credentials"});
constexpr auto kContext = std::to_array<std::string_view>(
    {"-c", "--ctx-size", "--kv-unified-per-slot", "-kvu", "--kv-unified", "-no-kvu",
     "--no-kv-unified", "-fit", "--fit", "-fitp", "--fit-print", "-fitt", "--fit-target", "-fitc",
     "--fit-ctx"});
constexpr auto kParallel =
    std::to_array<std::string_view>({"-np", "--parallel", "-ns", "--sequences", "-cb",
                                     "--cont-batching", "-nocb", "--no-cont-batching"});
constexpr auto kGpu = std::to_array<std::string_view>(
    {"-ngl", "--gpu-layers", "--n-gpu-layers", "-dev", "--device", "-ts", "--tensor-split", "-sm",
     "--split-mode", "-mg", "--main-gpu", "-mmdev", "--mmproj-device"});
constexpr auto kPlaces = std::to_array<std::string_view>(
    {"-kvo", "--kv-offload", "-nkvo", "--no-kv-offload", "-ot", "--override-tensor", "-cmoe",
     "--cpu-moe", "-ncmoe", "--n-cpu-moe", "-ncffn", "--n-cpu-ffn", "--mmproj-offload",
     "--no-mmproj-offload", "--rpc"});
constexpr auto kDraftCache =
    std::to_array<std::string_view>({"-ctkd", "--cache-type-k-draft", "--spec-draft-type-k",
                                     "-ctvd", "--cache-type-v-draft", "--spec-draft-type-v"});
constexpr auto kDraftPlaces = std::to_array<std::string_view>(
    {"-ngld", "--gpu-layers-draft", "--n-gpu-layers-draft", "--spec-draft-ngl", "-devd",
     "--device-draft", "--spec-draft-device", "-otd", "--override-tensor-draft",
     "--spec-draft-override-tensor", "-cmoed", "--cpu-moe-draft", "--spec-draft-cpu-moe", "-ncmoed",
     "--n-cpu-moe-draft", "--spec-draft-n-cpu-moe", "--spec-draft-ncmoe"});
constexpr auto kHeader = std::to_array<std::string_view>({"--override-kv"});
constexpr auto kCache = std::to_array<std::string_view>(
    {"-cram", "--cache-ram", "-ctk", "--cache-type-k", "-ctv", "--cache-type-v", "-ctxcp",
     "--ctx-checkpoints", "--swa-checkpoints", "-cms", "--checkpoint-min-step",
     "--cache-idle-slots", "--no-cache-idle-slots", "--cache-prompt", "--no-cache-prompt",
     "--cache-reuse", "--swa-full"});
constexpr auto kSlots = std::to_array<std::string_view>(
    {"--slots", "--no-slots", "--slot-save-path", "--props", "--metrics", "--sleep-idle-seconds"});
constexpr auto kLoad =
    std::to_array<std::string_view>({"-lm", "--load-mode", "--mlock", "--mmap", "--no-mmap", "-dio",
                                     "--direct-io", "-ndio", "--no-direct-io"});
constexpr auto kTools = std::to_array<std::string_view>({"--tools",
                                                         "--tools-runtime",
                                                         "--mcp-servers-config",
                                                         "--mcp-servers-json",
                                                         "-ag",
                                                         "--agent",
                                                         "-no-ag",
                                                         "--no-agent",
                                                         "--ui-mcp-proxy",
                                                         "--webui-mcp-proxy",
                                                         "--no-ui-mcp-proxy",
                                                         "--no-webui-mcp-proxy",
                                                         "--ui",
                                                         "--webui",
                                                         "--no-ui",
                                                         "--no-webui",
                                                         "--ui-config",
                                                         "--webui-config",
                                                         "--ui-config-file",
                                                         "--webui-config-file",
                                                         "--path",
                                                         "--media-path"});
constexpr auto kRouter =
    std::to_array<std::string_view>({"--models-dir", "--models-preset", "--models-max",
                                     "--models-autoload", "--no-models-autoload", "--server-base"});
constexpr auto kEnds =
    std::to_array<std::string_view>({"-h", "--help", "--usage", "--version", "-cl", "--cache-list",
                                     "--completion-bash", "--list-devices", "--log-disable"});

constexpr auto kGroups = std::to_array<Group>({
    {"Holdfast chooses the file and the name; use `path` and `aliases`", kModel},
    {"use `mmproj`", kProjector},
    {"the engine listens on a private socket only; use `listen` and [[users]]", kAddress},
    {"use `context`, on which the memory ledger counts", kContext},
    {"use `parallel`, on which the queue counts", kParallel},
    {"use `gpu_layers` and `gpus`, on which the memory ledger counts", kGpu},
    {"the memory ledger counts whole layers with their cache and cannot count parts of them "
     "elsewhere; use `gpu_layers` and `gpus`",
     kPlaces},
    {"the memory ledger counts a draft model in host RAM, where Holdfast keeps it", kDraftPlaces},
    {"the memory ledger counts the cache of a draft model in 16 bits, which is the default",
     kDraftCache},
    {"the memory ledger counts by what the file says; change the file instead", kHeader},
    {"Holdfast sets the caches, because the memory ledger counts them; use `cache_ram`, "
     "`cache_type_k`, `cache_type_v` or `swa_full`",
     kCache},
    {"Holdfast keeps the slots and their saved state", kSlots},
    {"use `load_mode`", kLoad},
    {"it would open tools, files or pages of the engine to every client", kTools},
    {"Holdfast runs one engine per model and is the router itself", kRouter},
    {"the engine would not serve, or not say when it is ready", kEnds},
});

}  // namespace

std::string canonical_flag(std::string_view flag) {
  std::string canonical(flag);
  if (canonical.starts_with("--")) {
    std::replace(canonical.begin(), canonical.end(), '_', '-');
  }
  return canonical;
}

std::optional<std::string> why_refused(std::string_view arg) {
  if (!arg.starts_with('-')) {
    return std::nullopt;
  }
  const std::string flag = canonical_flag(arg.substr(0, arg.find('=')));
  for (const Group& group : kGroups) {
    if (std::find(group.flags.begin(), group.flags.end(), flag) != group.flags.end()) {
      return flag + " may not stand in args: " + std::string(group.instead);
    }
  }
  // --gpt-oss-20b-default, --fim-qwen-7b-spec, …: presets that fetch another model and set its
  // options.
  if (flag.starts_with("--") && (flag.ends_with("-default") || flag.ends_with("-spec"))) {
    return flag + " may not stand in args: presets bring their own model and context";
  }
  if (flag.starts_with("--mcp") || flag.starts_with("--tools")) {
    return flag + " may not stand in args: it would open tools to every client";
  }
  return std::nullopt;
}

}  // namespace hf::config
