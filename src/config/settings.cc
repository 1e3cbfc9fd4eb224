#include "config/settings.h"

#include <array>
#include <charconv>

#include "base/assert.h"
#include "config/fields.h"

namespace hf::config {
namespace {

template <auto Member>
struct MemberOf;
template <class SectionType, class FieldType, FieldType SectionType::*Member>
struct MemberOf<Member> {
  using Section = SectionType;
  using Field = FieldType;
};

template <auto Member>
auto setting(std::string_view key, std::string_view initial, std::string_view why,
             Limits limits = {}) {
  using Section = typename MemberOf<Member>::Section;
  Setting<Section> result;
  result.key = key;
  result.initial = initial;
  result.why = why;
  result.limits = limits;
  result.type = type_of(Tag<typename MemberOf<Member>::Field>{});
  result.assign = [](const SettingInfo& info, const Value& value, Section& section) {
    return read(info, value, section.*Member);
  };
  result.same = [](const Section& a, const Section& b) { return a.*Member == b.*Member; };
  result.copy = [](const Section& from, Section& to) { to.*Member = from.*Member; };
  return result;
}

// Sockets, files and programs that the running server holds.
template <class Section>
Setting<Section> at_start(Setting<Section> entry) {
  entry.at_start = true;
  return entry;
}

// What people write keys and passwords into.
template <class Section>
Setting<Section> secret(Setting<Section> entry) {
  entry.secret = true;
  return entry;
}

// A default in quotes, which may be written as "off" all the same.
template <class Section>
Setting<Section> may_be_off(Setting<Section> entry) {
  entry.may_be_off = true;
  return entry;
}

constexpr double kMi = 1024.0 * 1024.0;
constexpr double kTi = kMi * kMi;
constexpr double kDay = 86400;

// A default in the tables above is a TOML number, word or one-line text; nothing else is needed.
Value literal(std::string_view text) {
  Value value;
  if (text == "true" || text == "false") {
    value.data = text == "true";
  } else if (text == "[]") {
    value.data = std::vector<std::string>{};
  } else if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    value.data = std::string(text.substr(1, text.size() - 2));
  } else {
    std::int64_t number = 0;
    for (const char c : text) {
      HF_ASSERT(c >= '0' && c <= '9', "a default is a text, a word or a number");
      number = number * 10 + (c - '0');
    }
    value.data = number;
  }
  return value;
}

template <class Section>
SectionInfo describe(std::string_view table, std::string_view heading, std::string_view about,
                     std::span<const Setting<Section>> settings) {
  return {table, heading, about, {settings.begin(), settings.end()}};
}

// A value in a message is cut there: it is the reader's own text, so its beginning is enough.
constexpr std::size_t kShownAtMost = 60;

}  // namespace

std::string Value::shown() const {
  if (const auto* flag = std::get_if<bool>(&data)) {
    return *flag ? "true" : "false";
  }
  if (const auto* whole = std::get_if<std::int64_t>(&data)) {
    return std::to_string(*whole);
  }
  if (const auto* real = std::get_if<double>(&data)) {
    std::array<char, 32> buffer{};
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), *real);
    return {buffer.data(), error == std::errc{} ? end : buffer.data()};
  }
  if (const auto* text = std::get_if<std::string>(&data)) {
    const bool cut = text->size() > kShownAtMost;
    return '"' + text->substr(0, kShownAtMost) + (cut ? "…\"" : "\"");
  }
  return what;
}

std::span<const Setting<Config>> server_settings() {
  static const std::vector<Setting<Config>> kSettings{
      at_start(setting<&Config::listen>(
          "listen", "\"127.0.0.1:11435\"",
          "Where to accept connections. `localhost` means `127.0.0.1` and `[::1]`. Any address "
          "that "
          "is not loopback needs at least one `[[users]]` table: without keys, everybody who "
          "reaches the port could use and unload models. Port 0 lets the kernel choose.")),
      setting<&Config::allowed_hosts>(
          "allowed_hosts", "[]",
          "Further names by which clients may call a server without keys, such as "
          "`\"box.lan\"`. Always allowed are `localhost`, numeric loopback addresses, those it "
          "listens on, and the names by which containers call their host. Other names "
          "are refused, because a web page could make one of its own point here. With keys any "
          "name is fine."),
      setting<&Config::cors_origins>(
          "cors_origins", "[]",
          "Web origins whose pages may call this server from a browser: "
          "`\"https://chat.example\"`, `\"app://obsidian.md\"`, `\"http://localhost:*\"` (any "
          "port), "
          "`\"vscode-webview://*\"` (any page of that app). `\"*\"` means every page, and needs "
          "`[[users]]`: the key is the only thing that keeps a stranger's page out then."),
      setting<&Config::models_dir>(
          "models_dir",
          "(`./models` if that folder exists, else `$XDG_DATA_HOME/holdfast/models`, else "
          "`~/.local/share/holdfast/models`)",
          "Every `*.gguf` file below it is a model named by its path without `.gguf`; new files "
          "appear without a restart. A folder beside you comes first, so that trying "
          "Holdfast needs no configuration."),
      setting<&Config::default_model>(
          "default_model", "(none)",
          "Serves requests that name no model. Without it they are refused, because a guess would "
          "load gigabytes nobody asked for."),
      setting<&Config::body_limit>(
          "body_limit", "\"64MiB\"",
          "Longest request body. Images travel inside it, hence the room; it is held in memory "
          "while the request waits, hence a limit. All bodies together may hold 1 GiB, or four "
          "times this if that is more.",
          {1024, 2048 * kMi}),
      setting<&Config::picture_megapixels>(
          "picture_megapixels", "64",
          "Most pixels of all pictures of a request together, in millions; more is refused. The "
          "engine takes three bytes for each, and as many again while it decodes, however small "
          "the file is.",
          {1, 100'000}),
      setting<&Config::fetch_media>(
          "fetch_media", "false",
          "Whether engines may fetch pictures and sounds that a request only names by an address. "
          "They would fetch whatever this machine can reach for whoever may send a request."),
      setting<&Config::drain>(
          "drain", "\"30s\"",
          "How long running answers may go on after the server was told to stop. What is left then "
          "is cut with a typed error.",
          {0, kDay}),
  };
  return kSettings;
}

std::span<const Setting<MemoryConfig>> memory_settings() {
  static const std::vector<Setting<MemoryConfig>> kSettings{
      setting<&MemoryConfig::budget>(
          "budget", "(auto: computed from the machine)",
          "Bytes that all loaded models together may reserve. Admission counts reservations, never "
          "what happens to be free now.",
          {kMi, 1024 * kTi}),
      setting<&MemoryConfig::high>(
          "high", "90",
          "From this share of used memory on, idle models are unloaded, the least valuable first. "
          "Counted on the machine or our cgroup, whichever is tighter.",
          {1, 100}),
      setting<&MemoryConfig::low>(
          "low", "85",
          "That cleanup ends below this share. Apart from `high`, so that it does not start again "
          "at once.",
          {1, 100}),
      setting<&MemoryConfig::critical>(
          "critical", "95",
          "From this share on every model that nobody uses is unloaded at once. Models in use stay "
          "even then.",
          {1, 100}),
      setting<&MemoryConfig::policy>(
          "policy", "\"holdfast\"",
          "Which idle model leaves first when memory is needed: `holdfast` the one that is least "
          "worth keeping (how often and how lately it was used, what a reload costs, its size), "
          "`lru` the one not used for the longest, `lfu` the least used, `gdsf` by frequency and "
          "size, `largest` the largest."),
      setting<&MemoryConfig::gpu_budget>(
          "gpu_budget", "(auto: computed from each card)",
          "Bytes that models may reserve on each card, and never more than the card has left "
          "beside "
          "what others use and a reserve. Cards are found by themselves; `gpus` of a model chooses "
          "among them.",
          {kMi, 1024 * kTi}),
      at_start(setting<&MemoryConfig::nvml>("nvml", "\"libnvidia-ml.so.1\"",
                                            "The library of NVIDIA's driver that tells of its "
                                            "cards, by name or by path. It is opened "
                                            "if it is there.")),
      at_start(setting<&MemoryConfig::proc_root>(
          "proc_root", "\"/\"",
          "Folder that stands for `/` when the machine's memory is read (`proc/meminfo`, "
          "`sys/fs/cgroup`): for tests, and for containers that mount the host's files "
          "elsewhere.")),
      at_start(setting<&MemoryConfig::without>(
          "without", "[]",
          "Mechanisms of the kernel that are not used although they are there, to try what happens "
          "on a machine without them: `meminfo`, `cgroup_v2`, `cgroup_v1`, `psi_trigger`, `psi`, "
          "`vmstat`, `smaps_rollup`, `cachestat`, `mincore`, `nvml`, `amdgpu`. `holdfast doctor` "
          "shows what is used "
          "instead.")),
  };
  return kSettings;
}

std::span<const Setting<QueueConfig>> queue_settings() {
  static const std::vector<Setting<QueueConfig>> kSettings{
      setting<&QueueConfig::patience>(
          "patience", "\"30s\"",
          "How long somebody waits for a model that does not fit before another model that is in "
          "use stops admitting newcomers for its sake. Running answers are never cut for it.",
          {0.001, kDay}),
      setting<&QueueConfig::turn>(
          "turn",
          "(auto: the larger of `patience` and 10 × the model's measured load, at most 300 s)",
          "How long a model that was loaded stays before it may be swapped for a waiting one. "
          "Shorter turns wait less and load more.",
          {0.001, kDay}),
      setting<&QueueConfig::max_waiting>(
          "max_waiting", "64",
          "Requests that may wait for one model; the next is refused with `Retry-After`. A queue "
          "nobody can serve in time only hides the refusal.",
          {1, 100000}),
      setting<&QueueConfig::request_limit>(
          "request_limit", "(off)",
          "Longest time an answer may hold a model that somebody else waits for. Off: an answer is "
          "never cut (a WebSocket is, after its model's `longest_answer`). Setting it makes the "
          "stated wait bounds shorter.",
          {1, 7 * kDay}),
      setting<&QueueConfig::all_in_use_warning>(
          "all_in_use_warning", "\"60s\"",
          "When all models have been in use for so long while somebody waits, a warning says how "
          "much more memory would help.",
          {1, kDay}),
  };
  return kSettings;
}

std::span<const Setting<EngineConfig>> engine_settings() {
  static const std::vector<Setting<EngineConfig>> kSettings{
      at_start(setting<&EngineConfig::llama_server>(
          "llama_server",
          "(`llama-server` beside `holdfast`, else the pinned one in the cache, else one on "
          "`PATH`)",
          "The engine to run, one process per loaded model. A bare name is looked up on `PATH`.")),
      setting<&EngineConfig::loads_at_once>(
          "loads_at_once", "1",
          "Models that may load at the same time. Loads share one disk, so two side by side make "
          "both people wait longer.",
          {1, 64}),
      at_start(setting<&EngineConfig::fence>(
          "fence", "\"off\"",
          "A limit of each engine process's memory that the kernel keeps, a quarter and 512 MiB "
          "above what is reserved for it, so that one that grows without end dies alone: `data` "
          "limits what it allocates (RLIMIT_DATA; not for models on cards), `cgroup` puts it into "
          "a "
          "memory cgroup of its own. Where no cgroup can be made, a warning says so and `data` "
          "holds.")),
  };
  return kSettings;
}

std::span<const Setting<ModelConfig>> model_settings() {
  static const std::vector<Setting<ModelConfig>> kSettings{
      setting<&ModelConfig::path>(
          "path", "(`NAME.gguf` in `models_dir`)",
          "The model's file; for a split model its first part. Relative to `models_dir`. Only in a "
          "model's own table."),
      setting<&ModelConfig::mmproj>(
          "mmproj", "(an `mmproj-*.gguf` beside the model, if there is one)",
          "The projector that lets the model see or hear. Relative to `models_dir`. Only in a "
          "model's own table."),
      setting<&ModelConfig::aliases>("aliases", "[]",
                                     "Further names of the same model; they share its process and "
                                     "its queue. Only in a model's "
                                     "own table."),
      setting<&ModelConfig::context>(
          "context",
          "(auto: what the model was trained for, at most 32768, less if it does not fit)",
          "Tokens one request may use, question and answer together. The engine gets "
          "`context` × `parallel`. More than the model was trained for is a warning: memory is "
          "reserved for it, and the engine leaves it unused.",
          {64, 16777216}),
      setting<&ModelConfig::parallel>(
          "parallel", "4", "Answers at the same time. Each slot costs its own share of KV cache.",
          {1, 64}),
      setting<&ModelConfig::gpu_layers>(
          "gpu_layers", "(auto: all that fit)",
          "Layers kept on cards. 0 keeps the model in RAM. Where no card is counted (see "
          "docs/memory.md), auto leaves it to the engine.",
          {0, 10000}),
      setting<&ModelConfig::gpus>(
          "gpus", "(auto: all)",
          "Numbers of the cards it may use, as `/health` counts them: `[0, 1]`. A model that fits "
          "on one of them goes there, another one is spread over all of them. `[]`: none.",
          {0, 7}),
      setting<&ModelConfig::cache_ram>(
          "cache_ram", "(auto: an eighth of the weights, between 64 MiB and 2 GiB)",
          "RAM for prompts that may come back. The engine's own default of 8 GiB a model would "
          "swallow the budget.",
          {0, kTi}),
      setting<&ModelConfig::cache_type_k>(
          "cache_type_k", "\"f16\"",
          "Number format of the keys that a slot remembers. `q8_0` halves their memory."),
      setting<&ModelConfig::cache_type_v>(
          "cache_type_v", "\"f16\"",
          "The same for the values. Less than 16 bits need flash attention, which is switched on "
          "then."),
      setting<&ModelConfig::swa_full>(
          "swa_full", "(auto: true for models with sliding windows)",
          "Layers with a sliding window remember the whole context. Off, they take less memory, "
          "but a prompt that comes back is mostly read anew."),
      setting<&ModelConfig::embeddings>(
          "embeddings", "(auto: served, without memory set aside by chat models)",
          "Whether a chat model answers `/v1/embeddings`. That takes a row of the whole vocabulary "
          "for each token of a batch: `true` reserves this memory from the start, `false` refuses "
          "embeddings. Otherwise the memory is reserved once they were asked for. Embedding models "
          "and rerankers always answer."),
      setting<&ModelConfig::load_mode>(
          "load_mode", "\"auto\"",
          "How the engine reads the weights. Mapped files stay in the page cache after an unload, "
          "so a reload costs almost nothing."),
      setting<&ModelConfig::pin>(
          "pin", "false",
          "Load it at start and keep it until somebody unloads it. Its bytes are not there for "
          "others."),
      setting<&ModelConfig::preload>(
          "preload", "false",
          "Load it at start, after the pinned ones and in the order of the file, if free bytes "
          "suffice: it evicts nobody, and until somebody uses it it is the first to leave when "
          "memory is needed. `pin` is the stronger wish; the two together are a mistake. Only in a "
          "model's own table."),
      setting<&ModelConfig::priority>(
          "priority", "0",
          "Higher is served first among models whose people have waited less than `patience`; "
          "beyond that only the order of arrival counts, so that nobody starves.",
          {-100, 100}),
      setting<&ModelConfig::ttl>(
          "ttl", "(off)",
          "Unload after so long without a request. Off: an idle model stays until its memory is "
          "needed, which costs nobody anything.",
          {1, 365 * kDay}),
      setting<&ModelConfig::args>(
          "args", "[]",
          "Further flags for the engine, one word an item. Flags that Holdfast sets itself are "
          "refused: address, model, context, slots, caches, aliases, tools; and those that move "
          "memory where the ledger does not count it, as --override-tensor. A model's list "
          "replaces that of `[defaults]`."),
      secret(setting<&ModelConfig::command>(
          "command", "(none: llama-server runs the model)",
          "Another server that speaks the OpenAI API, one word an item, the program first; see "
          "docs/engines.md. `{port}` becomes a free port of 127.0.0.1, `{socket}` the path of a "
          "unix "
          "socket, one of which it must listen on; `{model}` the model's `path`, `{name}` its "
          "name. "
          "A program without a slash is looked up on `PATH`. Only in a model's own table, like all "
          "that follows.")),
      setting<&ModelConfig::bytes>(
          "bytes", "(required with `command`)",
          "RAM that is reserved for a command: the most it will hold. Nobody can predict it, so it "
          "is "
          "declared; what it takes beyond is debt.",
          {0, 1024 * kTi}),
      setting<&ModelConfig::gpu_bytes>(
          "gpu_bytes", "[]",
          "The same on cards: a list, a size for each card that `gpus` names (without `gpus`: for "
          "the first, the second …), or one size for each of them. The command sees only cards on "
          "which it reserves something.",
          {0, 1024 * kTi}),
      setting<&ModelConfig::ready>(
          "ready", "\"/health\"",
          "Path that a command answers with a status of 200 to 299 once it serves."),
      setting<&ModelConfig::load_within>(
          "load_within", "\"5m\"",
          "How long a command may take from its start until it is ready. It is part of the bounds "
          "that are stated to those who wait.",
          {1, kDay}),
      setting<&ModelConfig::longest_answer>(
          "longest_answer", "\"10m\"",
          "How long one answer of a command is expected to take at most; no limit (but of "
          "WebSockets, once others wait), and part of the stated bounds. Longer ones that were "
          "seen count instead.",
          {0.001, 7 * kDay}),
      secret(setting<&ModelConfig::env>(
          "env", "[]",
          "Environment of a command, as `NAME=VALUE`, with the same placeholders. Besides it gets "
          "only `PATH`, `HOME` and `TMPDIR` as they are here, `LANG`, and which cards it may "
          "use.")),
  };
  return kSettings;
}

std::span<const Setting<UserConfig>> user_settings() {
  static const std::vector<Setting<UserConfig>> kSettings{
      setting<&UserConfig::name>(
          "name", "(required)",
          "Who it is: in the log, in the journal, and to operators. Users share each model's "
          "queue evenly."),
      setting<&UserConfig::key_sha256>("key_sha256", "(required)",
                                       "SHA-256 of the user's key as 64 hexadecimal digits, so "
                                       "that this file holds no secret. `holdfast user add NAME` "
                                       "makes a key and this table."),
      setting<&UserConfig::role>(
          "role", "\"user\"",
          "A `user` may ask models and load them. An `operator` also sees who uses and who waits "
          "for which model, and may unload idle models, drain, pin, unpin and clean up, all of "
          "which spare who is in use. An `admin` may also cut answers (`force`), reload the "
          "configuration and see process ids."),
      setting<&UserConfig::max_active>("max_active", "(off)",
                                       "Requests of this user, waiting and running, loads too, at "
                                       "the same time. Beyond it: 429.",
                                       {1, 100000}),
  };
  return kSettings;
}

std::span<const Setting<TlsConfig>> tls_settings() {
  static const std::vector<Setting<TlsConfig>> kSettings{
      setting<&TlsConfig::certificate>(
          "certificate", "(none: connections are not encrypted)",
          "PEM file with the server's certificate, and behind it those of the authorities between "
          "it "
          "and the root (a full chain)."),
      setting<&TlsConfig::key>("key", "(none)",
                               "PEM file with the certificate's private key, not encrypted: nobody "
                               "is there to type a passphrase. Only the server's user should be "
                               "able to read it."),
  };
  return kSettings;
}

std::span<const Setting<LogConfig>> log_settings() {
  static const std::vector<Setting<LogConfig>> kSettings{
      setting<&LogConfig::language>("language", "\"en\"",
                                    "Language of the log lines about memory, models in use and "
                                    "reloads; the others are English."),
      setting<&LogConfig::format>("format", "\"text\"",
                                  "`json` writes one object a line, for log collectors."),
      setting<&LogConfig::level>(
          "level", "\"info\"",
          "The least important lines to write. `debug` passes on what engines print, in which "
          "prompts are only if `args` make an engine verbose (`--verbose`)."),
  };
  return kSettings;
}

std::span<const Setting<StoreConfig>> store_settings() {
  static const std::vector<Setting<StoreConfig>> kSettings{
      at_start(setting<&StoreConfig::path>(
          "path",
          "(`$XDG_STATE_HOME/holdfast/history.db`, else `~/.local/state/holdfast/history.db`)",
          "What is remembered across restarts: uses, load times, memory peaks. Losing it costs "
          "only better estimates.")),
      at_start(setting<&StoreConfig::journal>(
          "journal", "(none)",
          "File that gets one JSON line per event and decision, before the action it tells of.")),
      may_be_off(setting<&StoreConfig::history>(
          "history", "\"30d\"",
          "How long requests are remembered for `holdfast advise`: when, which model, how long it "
          "waited and was served, the number of the user's key; never prompts, answers or names. "
          "At most 200,000 requests are kept. `\"off\"` records nothing, and what is there is "
          "deleted "
          "at the next start.",
          {60, 10 * 365 * kDay})),
  };
  return kSettings;
}

bool is_for_commands(std::string_view key) {
  return key == "bytes" || key == "gpu_bytes" || key == "ready" || key == "load_within" ||
         key == "longest_answer" || key == "env";
}

bool names_one_model(std::string_view key) {
  return key == "path" || key == "mmproj" || key == "aliases" || key == "preload" ||
         key == "command" || is_for_commands(key);
}

std::vector<SectionInfo> all_sections() {
  SectionInfo defaults = describe("defaults", "[defaults]", "", model_settings());
  std::erase_if(defaults.settings,
                [](const SettingInfo& info) { return names_one_model(info.key); });
  return {
      describe("", "top of the file", "Before the first `[table]`.", server_settings()),
      describe("memory", "[memory]", "How much may be used, and when that is too much.",
               memory_settings()),
      describe("queue", "[queue]", "Who waits how long.", queue_settings()),
      describe("engine", "[engine]", "The program that runs the models.", engine_settings()),
      std::move(defaults),
      describe("models", "[models.\"NAME\"]",
               "`[defaults]` holds for every model; a model's own table overrides it key by key. A "
               "model found in `models_dir` needs no table. `NAME:latest` is `NAME`.",
               model_settings()),
      describe(
          "users", "[[users]]",
          "One table a user, written by `holdfast user add NAME`. As soon as there is one, every "
          "request needs a key.",
          user_settings()),
      describe("tls", "[tls]",
               "With a certificate, every listen address speaks HTTPS (TLS 1.2 and 1.3). "
               "Connections to loopback addresses may be plain as well: they never leave the "
               "machine, and `holdfast ps` and health checks go on as before. Both files are read "
               "again with each reload; running answers keep their connection, and a mistake keeps "
               "the old certificate.",
               tls_settings()),
      describe("log", "[log]", "Log lines go to standard error.", log_settings()),
      describe("store", "[store]", "Files that Holdfast writes.", store_settings()),
  };
}

template <class Section>
void assign_defaults(std::span<const Setting<Section>> settings, Section& section) {
  for (const Setting<Section>& entry : settings) {
    if (!entry.initial.starts_with('(')) {
      const Problem problem = entry.assign(entry, literal(entry.initial), section);
      HF_ASSERT(!problem, "a declared default breaks its own limits");
    }
  }
}

template void assign_defaults(std::span<const Setting<Config>>, Config&);
template void assign_defaults(std::span<const Setting<MemoryConfig>>, MemoryConfig&);
template void assign_defaults(std::span<const Setting<QueueConfig>>, QueueConfig&);
template void assign_defaults(std::span<const Setting<EngineConfig>>, EngineConfig&);
template void assign_defaults(std::span<const Setting<ModelConfig>>, ModelConfig&);
template void assign_defaults(std::span<const Setting<UserConfig>>, UserConfig&);
template void assign_defaults(std::span<const Setting<TlsConfig>>, TlsConfig&);
template void assign_defaults(std::span<const Setting<LogConfig>>, LogConfig&);
template void assign_defaults(std::span<const Setting<StoreConfig>>, StoreConfig&);

}  // namespace hf::config
