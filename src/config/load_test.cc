#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace hf::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using namespace std::chrono_literals;

Environment quiet_environment() {
  Environment environment;
  environment.directory = "/nowhere";
  environment.home = "/home/me";
  return environment;
}

Config good(std::string_view text, const Overrides& overrides = {}) {
  auto config = parse_config(text, "/etc/hf/holdfast.toml", overrides, quiet_environment());
  if (!config) {
    ADD_FAILURE() << config.error().front().text();
    return {};
  }
  return *config;
}

std::vector<std::string> mistakes(std::string_view text, const Overrides& overrides = {}) {
  const auto config = parse_config(text, "a.toml", overrides, quiet_environment());
  std::vector<std::string> texts;
  if (!config) {
    for (const ConfigError& error : config.error()) {
      texts.push_back(error.text());
    }
  }
  return texts;
}

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hf-config-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST(ParseConfig, EmptyTextGivesTheDefaultsOfTheDesign) {
  const Config config = good("");
  EXPECT_THAT(config.listen, ElementsAre(SocketAddress{"127.0.0.1", 11435}));
  EXPECT_EQ(config.models_dir, "/home/me/.local/share/holdfast/models");
  EXPECT_EQ(config.default_model, std::nullopt);
  EXPECT_EQ(config.body_limit, 64 * kMiB);
  EXPECT_EQ(config.drain, 30s);
  EXPECT_EQ(config.memory.budget, std::nullopt);
  EXPECT_EQ(config.memory.high, 90);
  EXPECT_EQ(config.memory.low, 85);
  EXPECT_EQ(config.memory.critical, 95);
  EXPECT_EQ(config.memory.proc_root, "/");
  EXPECT_EQ(config.memory.policy, VictimPolicy::Holdfast);
  EXPECT_TRUE(config.memory.without.empty());
  EXPECT_EQ(config.queue.patience, 30s);
  EXPECT_EQ(config.queue.turn, std::nullopt);
  EXPECT_EQ(config.queue.max_waiting, 64);
  EXPECT_EQ(config.queue.request_limit, std::nullopt);
  EXPECT_EQ(config.queue.all_in_use_warning, 60s);
  EXPECT_EQ(config.engine.llama_server, std::nullopt);
  EXPECT_EQ(config.engine.loads_at_once, 1);
  EXPECT_EQ(config.defaults.parallel, 4);
  EXPECT_EQ(config.defaults.context, std::nullopt);
  EXPECT_EQ(config.defaults.cache_ram, std::nullopt);
  EXPECT_EQ(config.defaults.ttl, std::nullopt);
  EXPECT_FALSE(config.defaults.pin);
  EXPECT_EQ(config.log.language, Language::English);
  EXPECT_EQ(config.log.format, LogFormat::Text);
  EXPECT_EQ(config.store.path, "/home/me/.local/state/holdfast/history.db");
  EXPECT_EQ(config.store.journal, std::nullopt);
  EXPECT_EQ(config.store.history, std::chrono::hours(24 * 30));
}

TEST(ParseConfig, TheHistoryMayBeSwitchedOff) {
  EXPECT_EQ(good("[store]\nhistory = \"off\"").store.history, std::nullopt);
  EXPECT_EQ(good("[store]\nhistory = \"7d\"").store.history, std::chrono::hours(24 * 7));
}

constexpr std::string_view kEverything = R"(
listen = "localhost:0"
models_dir = "models"
default_model = "big:latest"
body_limit = 1048576
drain = "5s"
[memory]
budget = "48GB"
high = 80
low = 70.5
policy = "lru"
critical = 100
gpu_budget = "20GiB"
nvml = "/opt/libnvidia-ml.so.1"
proc_root = "fake"
without = ["psi_trigger", "mincore"]
[queue]
patience = "500ms"
turn = "1m"
max_waiting = 8
request_limit = "10m"
all_in_use_warning = "2m"
[engine]
llama_server = "llama-server"
loads_at_once = 2
fence = "cgroup"
[defaults]
parallel = 2
ttl = "1h"
args = ["--threads", "4"]
[models."q/8b:latest"]
path = "q/8b-Q4.gguf"
mmproj = "/abs/mm.gguf"
aliases = ["big"]
context = 8192
gpu_layers = "all"
gpus = [2, 0]
cache_ram = "128MiB"
load_mode = "mmap+mlock"
pin = true
priority = -3
ttl = "off"
args = []
[models.plain]
gpu_layers = 0
gpus = []
cache_ram = 0
[[users]]
name = "ann"
key_sha256 = "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
role = "admin"
max_active = 3
[log]
language = "ru"
format = "json"
level = "debug"
[store]
path = "~/hf.db"
journal = "journal.jsonl"
)";

TEST(ParseConfig, ReadsEverySettingOfTheServer) {
  const Config config = good(kEverything);
  EXPECT_THAT(config.listen, ElementsAre(SocketAddress{"127.0.0.1", 0}, SocketAddress{"::1", 0}));
  EXPECT_EQ(config.models_dir, "/etc/hf/models");
  EXPECT_EQ(config.default_model, "big");
  EXPECT_EQ(config.body_limit, kMiB);
  EXPECT_EQ(config.memory.budget, Bytes(48'000'000'000));
  EXPECT_EQ(config.memory.low, 70.5);
  EXPECT_EQ(config.memory.policy, VictimPolicy::Lru);
  EXPECT_EQ(config.memory.proc_root, "/etc/hf/fake");
  EXPECT_EQ(config.memory.without, Mechanisms(Mechanism::PsiTrigger, Mechanism::Mincore));
  EXPECT_EQ(config.memory.gpu_budget, 20 * kGiB);
  EXPECT_EQ(config.memory.nvml, "/opt/libnvidia-ml.so.1");
  EXPECT_EQ(config.engine.fence, Fence::Cgroup);
  EXPECT_EQ(config.queue.patience, 500ms);
  EXPECT_EQ(config.queue.turn, Duration(60s));
  EXPECT_EQ(config.queue.request_limit, Duration(600s));
  EXPECT_EQ(config.engine.llama_server, "llama-server");
  EXPECT_EQ(config.users.at(0).role, Role::Admin);
  EXPECT_EQ(config.users.at(0).max_active, 3);
  EXPECT_THAT(config.users.at(0).key_sha256, StartsWith("0123456789abcdef0123456789abcdef"));
  EXPECT_EQ(config.log.language, Language::Russian);
  EXPECT_EQ(config.store.path, "/home/me/hf.db");
  EXPECT_EQ(config.store.journal, "/etc/hf/journal.jsonl");
}

TEST(ParseConfig, ReadsEverySettingOfAModel) {
  const Config config = good(kEverything);
  ASSERT_THAT(config.models, SizeIs(2));
  EXPECT_EQ(config.models[0].name, "plain");
  EXPECT_EQ(config.models[0].parallel, 2);
  EXPECT_EQ(config.models[0].ttl, Duration(1h));
  EXPECT_THAT(config.models[0].args, ElementsAre("--threads", "4"));
  EXPECT_EQ(config.models[0].gpu_layers, GpuLayers{0});
  EXPECT_EQ(config.models[0].cache_ram, Bytes(0));
  EXPECT_EQ(config.models[0].gpus, std::vector<int>{});
  const ModelConfig& model = config.models[1];
  EXPECT_EQ(model.name, "q/8b");
  EXPECT_EQ(model.path, "/etc/hf/models/q/8b-Q4.gguf");
  EXPECT_EQ(model.mmproj, "/abs/mm.gguf");
  EXPECT_EQ(model.gpu_layers, GpuLayers{GpuLayers::kAll});
  EXPECT_EQ(model.gpus, (std::vector<int>{2, 0}));
  EXPECT_EQ(to_text(model.load_mode), "mmap+mlock");
  EXPECT_TRUE(model.pin);
  EXPECT_EQ(model.priority, -3);
  EXPECT_EQ(model.ttl, std::nullopt);
  EXPECT_THAT(model.args, SizeIs(0));
  EXPECT_EQ(find_model(config, "big:latest"), &model);
  EXPECT_EQ(find_model(config, "nobody"), nullptr);
}

TEST(ParseConfig, NamesPlaceProblemAndExpectation) {
  EXPECT_THAT(mistakes("\n[memory]\nbudget = \"5 gigs\"\n"),
              ElementsAre("a.toml:3:10: memory.budget: \"5 gigs\" is not a size, expected a size "
                          "from 1.00 MiB to 1024 TiB such as \"5GiB\" or \"48GB\"; a bare number "
                          "is bytes, or \"auto\""));
  EXPECT_THAT(mistakes("[queue]\nmax_waiting = 0\n"),
              ElementsAre("a.toml:2:15: queue.max_waiting: 0 is out of range, expected a whole "
                          "number from 1 to 100000"));
  EXPECT_THAT(mistakes("[log]\nlanguage = \"de\"\n"),
              ElementsAre("a.toml:2:12: log.language: \"de\" is not known here, expected one of "
                          "\"en\", \"ru\""));
}

TEST(ParseConfig, ListsTheMechanismsThatCanBeDoneWithout) {
  EXPECT_THAT(mistakes("[memory]\nwithout = [\"psi\", \"smaps\"]\n"),
              ElementsAre("a.toml:2:11: memory.without: \"smaps\" is not known here, expected a "
                          "list of some of \"meminfo\", \"cgroup_v2\", \"cgroup_v1\", "
                          "\"psi_trigger\", \"psi\", \"vmstat\", \"smaps_rollup\", "
                          "\"cachestat\", \"mincore\", \"nvml\", \"amdgpu\""));
  EXPECT_THAT(mistakes("[memory]\nwithout = \"psi\"\n").at(0),
              HasSubstr("is not of the right type, expected a list of some of"));
}

TEST(ParseConfig, FindsAllMistakesInTheOrderOfTheFile) {
  const auto found = mistakes(R"(listn = "127.0.0.1:1"
[queue]
patience = 30
turn = "0s"
budget = "5GiB"
[memroy]
high = 90
[[users]]
nam = "x"
)");
  ASSERT_THAT(found, SizeIs(8));
  EXPECT_THAT(found[0], StartsWith("a.toml:1:1: unknown key \"listn\" at the top of the file, did "
                                   "you mean \"listen\"?"));
  EXPECT_THAT(found[1], StartsWith("a.toml:3:12: queue.patience: 30 is not of the right type"));
  EXPECT_THAT(found[2], StartsWith("a.toml:4:8: queue.turn: \"0s\" is out of range"));
  EXPECT_THAT(found[3], StartsWith("a.toml:5:1: unknown key \"budget\" in [queue], expected in "
                                   "[memory]"));
  EXPECT_THAT(found[4], HasSubstr("did you mean \"memory\"?"));
  EXPECT_THAT(found[5], StartsWith("a.toml:8:1: users[1]: no name"));
  EXPECT_THAT(found[6], StartsWith("a.toml:8:1: users[1]: no key_sha256"));
  EXPECT_THAT(found[7], HasSubstr("unknown key \"nam\" in [[users]], did you mean \"name\"?"));
}

TEST(ParseConfig, ListsTheKeysWhenNoneIsNear) {
  EXPECT_THAT(mistakes("[engine]\nzzzzzz = 1\n"),
              ElementsAre("a.toml:2:1: unknown key \"zzzzzz\" in [engine], expected one of "
                          "fence, llama_server, loads_at_once"));
}

TEST(ParseConfig, ReportsBrokenToml) {
  const auto found = mistakes("[memory\nhigh = 90\n");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0], StartsWith("a.toml:1:8: not TOML: "));
}

TEST(ParseConfig, ChecksTheNumbersOfCards) {
  EXPECT_EQ(good("").defaults.gpus, std::nullopt);
  EXPECT_EQ(good("[defaults]\ngpus = \"auto\"\n").defaults.gpus, std::nullopt);
  EXPECT_THAT(mistakes("[defaults]\ngpus = [8]\n").at(0), HasSubstr("8 is out of range"));
  EXPECT_THAT(mistakes("[defaults]\ngpus = [1, 1]\n").at(0), HasSubstr("1 is there twice"));
  EXPECT_THAT(mistakes("[defaults]\ngpus = [\"a\"]\n").at(0),
              HasSubstr("expected a list of whole numbers from 0 to 7"));
  EXPECT_THAT(mistakes("[defaults]\ngpus = [0, \"a\"]\n").at(0), HasSubstr("of the right type"));
}

TEST(ParseConfig, RefusesWrongKindsOfTables) {
  EXPECT_THAT(mistakes("memory = 5\n"),
              ElementsAre("a.toml:1:10: memory is a number, expected a table [memory]"));
  EXPECT_THAT(mistakes("[users]\nname = \"x\"\n").at(0), HasSubstr("one table [[users]] a user"));
  EXPECT_THAT(mistakes("[models]\nq = 1\n").at(0), HasSubstr("expected a table [models.\"NAME\"]"));
  EXPECT_THAT(mistakes("[defaults]\npath = \"x\"\n").at(0),
              HasSubstr("in [defaults], expected in [models.\"NAME\"]"));
  EXPECT_THAT(mistakes("[defaults]\nargs = [1]\n").at(0), HasSubstr("expected a list of texts"));
  EXPECT_THAT(mistakes("listen = 1979-05-27\n").at(0), HasSubstr("expected an address"));
}

TEST(Overrides, ReplaceTheFileAndAreCheckedLikeIt) {
  Overrides overrides;
  overrides.listen = "[::1]:8080";
  overrides.models_dir = "here";
  overrides.budget = "5368709120";
  const Config config = good("listen = \"127.0.0.1:1\"\nmodels_dir = \"/there\"\n", overrides);
  EXPECT_THAT(config.listen, ElementsAre(SocketAddress{"::1", 8080}));
  EXPECT_EQ(config.models_dir, "/nowhere/here");  // a flag's path starts at the working directory
  EXPECT_EQ(config.memory.budget, 5 * kGiB);

  overrides.listen = "0.0.0.0:1";
  overrides.budget = "much";
  const auto found = mistakes("", overrides);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0], StartsWith("--budget: \"much\" is not a size"));
  EXPECT_THAT(found[1], StartsWith("--listen: listen: 0.0.0.0:1 is reachable"));
}

TEST(Paths, XdgFoldersAndModelsBesideYouComeFirst) {
  const Folder folder;
  Environment environment = quiet_environment();
  environment.directory = folder.path();
  environment.xdg_data_home = "/data";
  environment.xdg_state_home = "/state";
  EXPECT_EQ(default_config({}, environment)->models_dir, "/data/holdfast/models");
  EXPECT_EQ(default_config({}, environment)->store.path, "/state/holdfast/history.db");
  std::filesystem::create_directory(folder.path() / "models");
  EXPECT_EQ(default_config({}, environment)->models_dir, folder.path() / "models");
}

TEST(Paths, TildeWithoutHomeIsAMistake) {
  Environment environment = quiet_environment();
  environment.home = "";
  const auto config = parse_config("models_dir = \"~/m\"\n", "a.toml", {}, environment);
  ASSERT_FALSE(config.has_value());
  EXPECT_THAT(config.error().front().text(), HasSubstr("HOME is not set"));
}

TEST(LoadConfig, ReadsAFileAndJoinsItsMistakes) {
  const Folder folder;
  const auto path = folder.path() / "holdfast.toml";
  std::ofstream(path) << "models_dir = \"m\"\n";
  EXPECT_EQ(load_config(path)->models_dir, folder.path() / "m");
  std::ofstream(path) << "a = 1\nb = 2\n";
  const auto broken = load_config(path);
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().code, Errc::InvalidArgument);
  EXPECT_THAT(broken.error().message, StartsWith(path.string() + ":1:1: unknown key \"a\""));
  EXPECT_THAT(broken.error().message, HasSubstr("\n" + path.string() + ":2:1: unknown key \"b\""));
  const auto shown = load_config(path, {}, quiet_environment(), "x.toml");
  ASSERT_FALSE(shown.has_value());
  EXPECT_THAT(shown.error().message, StartsWith("x.toml:1:1: unknown key \"a\""));
  EXPECT_THAT(shown.error().message, Not(HasSubstr(folder.path().string())));
}

TEST(LoadConfig, SaysWhyAFileCannotBeRead) {
  const Folder folder;
  EXPECT_EQ(load_config(folder.path() / "none.toml").error().code, Errc::NotFound);
  EXPECT_THAT(load_config(folder.path()).error().message, HasSubstr("is a folder"));
  // Opening a pipe without a writer would wait for one.
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(load_config(pipe).error().message, HasSubstr("is not a regular file"));
}

TEST(FindConfigFile, GoesFromTheVariableToTheSystem) {
  const Folder folder;
  Environment environment = quiet_environment();
  environment.directory = folder.path();
  environment.xdg_config_home = folder.path() / "xdg";
  std::filesystem::create_directories(folder.path() / "xdg/holdfast");
  std::ofstream(folder.path() / "xdg/holdfast/holdfast.toml") << "";
  EXPECT_EQ(find_config_file(environment), folder.path() / "xdg/holdfast/holdfast.toml");
  std::ofstream(folder.path() / "holdfast.toml") << "";
  EXPECT_EQ(find_config_file(environment), folder.path() / "holdfast.toml");
  environment.holdfast_config = "/missing.toml";
  EXPECT_EQ(find_config_file(environment), "/missing.toml");
}

}  // namespace
}  // namespace hf::config
