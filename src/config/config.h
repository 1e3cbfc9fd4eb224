#pragma once
// The configuration as the rest of the program sees it: plain values, complete and checked. It
// exists so that nobody asks twice whether a setting is there or makes sense. Defaults are not
// written here but once, in settings.cc, beside the type and the reason of each setting;
// docs/config.md comes from there. Built by load.h, never changed afterwards (pass it as const);
// two of them can be compared, which is how a reload finds what changed. Any thread.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/mechanism.h"
#include "base/time.h"
#include "config/endpoint.h"

namespace hf::config {

enum class Language { English, Russian };
enum class LogFormat { Text, Json };
enum class LogLevel { Debug, Info, Warning, Error };
// What a key's owner may do; each may what the one before it may. docs/api.md says what.
enum class Role { User, Operator, Admin };
// How the engine reads the weights (--load-mode); Auto leaves the choice to it.
enum class LoadMode { Auto, Mmap, None, Mlock, MmapMlock, Dio };
// Number formats of the KV cache (--cache-type-k, --cache-type-v).
enum class CacheType { F32, F16, Bf16, Q8_0, Q4_0, Q4_1, Iq4Nl, Q5_0, Q5_1 };

// How a child that grows beyond all bounds is stopped; what the words mean: docs/memory.md.
enum class Fence { Off, Data, Cgroup };

// How victims are chosen; what the words mean: docs/scheduling.md.
enum class VictimPolicy { Holdfast, Lru, Lfu, Gdsf, Largest };

// Layers kept on a GPU; kAll means every layer the model has.
struct GpuLayers {
  static constexpr int kAll = -1;
  int count = kAll;

  bool operator==(const GpuLayers&) const = default;
};

struct MemoryConfig {
  std::optional<Bytes> budget;  // none: readers/budget.h computes it from the machine
  double high = 0;              // percent used, as the machine counts it (not of the budget)
  double low = 0;
  double critical = 0;
  VictimPolicy policy = VictimPolicy::Holdfast;
  std::optional<Bytes> gpu_budget;  // of each card; none: computed from the card
  std::string nvml;                 // library or path, as dlopen takes it
  std::filesystem::path proc_root;  // machine-wide files only: proc/meminfo, sys/fs/cgroup, …
  Mechanisms without;               // not used although the kernel has them

  bool operator==(const MemoryConfig&) const = default;
};

struct QueueConfig {
  Duration patience{};
  std::optional<Duration> turn;           // none: max(patience, 10 × measured load), at most 300 s
  int max_waiting = 0;                    // tickets waiting for one model
  std::optional<Duration> request_limit;  // none: off
  Duration all_in_use_warning{};

  bool operator==(const QueueConfig&) const = default;
};

struct EngineConfig {
  std::optional<std::filesystem::path> llama_server;  // none: searched for, see docs/config.md
  int loads_at_once = 0;
  Fence fence = Fence::Off;

  bool operator==(const EngineConfig&) const = default;
};

// One [models."NAME"] table on top of [defaults]. A model that was found in models_dir and has no
// table of its own is Config::defaults with its name and path filled in.
struct ModelConfig {
  std::string name;                           // canonical, see canonical_model_name
  std::optional<std::filesystem::path> path;  // none: NAME.gguf below models_dir
  std::optional<std::filesystem::path> mmproj;
  std::vector<std::string> aliases;  // canonical
  std::optional<int> context;  // tokens one request may use; none: min(trained, 32k), shrunk to fit
  int parallel = 0;            // slots
  std::optional<GpuLayers> gpu_layers;   // none: as many as fit on the cards
  std::optional<std::vector<int>> gpus;  // numbers of the cards it may use; none: all
  std::optional<Bytes> cache_ram;        // none: weights/8 between 64 MiB and 2 GiB
  CacheType cache_type_k = CacheType::F16;
  CacheType cache_type_v = CacheType::F16;
  std::optional<bool> swa_full;    // none: on for models with sliding windows
  std::optional<bool> embeddings;  // none: chat models serve them, without memory set aside
  LoadMode load_mode = LoadMode::Auto;
  bool pin = false;
  bool preload = false;           // at start, into free bytes only
  int priority = 0;               // higher is served earlier, within patience
  std::optional<Duration> ttl;    // none: an idle model stays until its memory is needed
  std::vector<std::string> args;  // further flags of the engine; none that Holdfast sets itself
  // Of kind command: what to run instead of the stock engine, its program first, with placeholders.
  // Empty: the stock engine, and nothing of what follows counts. Where it is not, mmproj, context,
  // gpu_layers, the caches, embeddings, load_mode and args do not count and are as if unset.
  std::vector<std::string> command;
  std::vector<std::string> env;  // "NAME=VALUE", with placeholders
  std::optional<Bytes> bytes;    // of host RAM, reserved for it; there if it is a command
  std::vector<Bytes> gpu_bytes;  // of cards; one alone: of each card that `gpus` names
  std::string ready;             // path whose answer tells that it serves
  Duration load_within{};        // from start to ready
  Duration longest_answer{};     // that is expected of it
  [[nodiscard]] bool is_command() const { return !command.empty(); }

  bool operator==(const ModelConfig&) const = default;
};

struct UserConfig {
  std::string name;
  std::string key_sha256;  // 64 lower-case hexadecimal digits
  Role role = Role::User;
  std::optional<int> max_active;  // requests waiting and running at once; none: no limit

  bool operator==(const UserConfig&) const = default;
};

struct LogConfig {
  Language language = Language::English;
  LogFormat format = LogFormat::Text;
  LogLevel level = LogLevel::Info;

  bool operator==(const LogConfig&) const = default;
};

// Both or none: the checks see to it.
struct TlsConfig {
  std::optional<std::filesystem::path> certificate;
  std::optional<std::filesystem::path> key;

  bool operator==(const TlsConfig&) const = default;
};

struct StoreConfig {
  std::filesystem::path path;
  std::optional<std::filesystem::path> journal;
  std::optional<Duration> history;  // how long requests are remembered; none: not at all

  bool operator==(const StoreConfig&) const = default;
};

struct Config {
  std::vector<SocketAddress> listen;  // never empty
  std::filesystem::path models_dir;   // absolute, like every path here but a bare program name
  std::optional<std::string> default_model;
  Bytes body_limit;
  int picture_megapixels = 0;
  bool fetch_media = false;
  Duration drain{};
  std::vector<std::string> allowed_hosts;  // further names that Host may have, lower case
  std::vector<std::string> cors_origins;   // whose pages may call us, see origin.h
  MemoryConfig memory;
  QueueConfig queue;
  EngineConfig engine;
  ModelConfig defaults;              // name, path, mmproj and aliases are empty
  std::vector<ModelConfig> models;   // by name, ascending
  std::vector<std::string> preload;  // names of models to preload, in the order of the file
  std::vector<UserConfig> users;     // in the order of the file
  TlsConfig tls;
  LogConfig log;
  StoreConfig store;

  bool operator==(const Config&) const = default;
};

// Neither empty nor too long for a table, UTF-8 without control characters: it is shown on
// terminals.
bool is_user_name(std::string_view name);

// "X:latest" is "X"; every other name is itself.
std::string_view canonical_model_name(std::string_view name);

// The table of a model by name or alias (canonical or not), or null.
const ModelConfig* find_model(const Config& config, std::string_view name);

// The word of a role in a file: "user", "operator", "admin".
std::string_view to_text(Role role);
// The word an engine's --load-mode takes.
std::string_view to_text(LoadMode mode);
// The word --cache-type-k and --cache-type-v take.
std::string_view to_text(CacheType type);
// True for the formats of less than 16 bits: a V cache in one of them needs flash attention.
bool is_quantised(CacheType type);

}  // namespace hf::config
