// `holdfast pull SOURCE`: a model from the web into models_dir. Only ever at a terminal or from a
// script of the administrator: nothing that a client sends starts it.
#include "pull/pull.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "app/commands.h"
#include "app/pull_view.h"
#include "app/running_server.h"
#include "app/terminal.h"
#include "config/load.h"
#include "pull/hub.h"
#include "pull/refusal.h"
#include "pull/target.h"
#include "pull/url.h"

namespace hf::app {
namespace {

namespace fs = std::filesystem;

struct PullOptions {
  std::string source;
  std::string name;
  std::string sha256;
  std::string revision;
  std::string config_file;
  config::Overrides overrides;
  bool no_projector = false;
  bool dry_run = false;
  bool quiet = false;
};

std::atomic<bool> stop_asked{false};

// The second signal ends it at once.
void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_asked = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    ::sigaction(signal, &action, nullptr);
  }
  std::signal(SIGXFSZ, SIG_IGN);  // a limit of file sizes is an error of the write
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string endpoint() {
  std::string text = variable("HF_ENDPOINT");
  while (text.ends_with('/')) {
    text.pop_back();
  }
  return text.empty() ? std::string(pull::kHub) : text;
}

// Where the hub's own tools keep it.
std::string token_file() {
  if (const std::string path = variable("HF_TOKEN_PATH"); !path.empty()) {
    return path;
  }
  if (const std::string home = variable("HF_HOME"); !home.empty()) {
    return home + "/token";
  }
  const std::string cache = variable("XDG_CACHE_HOME");
  return (cache.empty() ? variable("HOME") + "/.cache" : cache) + "/huggingface/token";
}

// $HF_TOKEN, else the file of the hub's own tools, else "". Errors never show it.
Result<std::string> hub_token() {
  std::string token = variable("HF_TOKEN");
  const std::string place = token.empty() ? "the file of the Hugging Face token" : "HF_TOKEN";
  if (token.empty()) {
    std::ifstream file(token_file(), std::ios::binary);
    std::getline(file, token);
  }
  const std::size_t begin = token.find_first_not_of(" \t\r\n");
  token = begin == std::string::npos
              ? ""
              : token.substr(begin, token.find_last_not_of(" \t\r\n") - begin + 1);
  for (const char c : token) {
    if (c <= 0x20 || c == 0x7f) {
      return fail(Errc::InvalidArgument, place + " holds a blank or a control character");
    }
  }
  return token;
}

int wrong_usage(const Error& error) {
  const pull::Words words = pull::split_words(error.message);
  print_error(words.message, words.next_step);
  return kWrongUsage;
}

Result<pull::Order> order_of(const PullOptions& options, const config::Config& config) {
  pull::Order order;
  order.endpoint = endpoint();
  if (!pull::parse_url(order.endpoint)) {
    return fail(Errc::InvalidArgument, "HF_ENDPOINT is not a web address");
  }
  auto source = pull::parse_source(options.source, order.endpoint);
  if (!source) {
    return fail(std::move(source.error()));
  }
  order.source = std::move(*source);
  if (!options.revision.empty()) {
    if (!order.source.on_hub()) {
      return fail(Errc::InvalidArgument, "--revision is for models on Hugging Face");
    }
    order.source.revision = options.revision;
  }
  if (!options.sha256.empty()) {
    order.sha256 = pull::normal_sha256(options.sha256);
    if (order.sha256.empty()) {
      return fail(Errc::InvalidArgument, "--sha256: expected 64 hexadecimal digits");
    }
  }
  auto token = hub_token();
  if (!token) {
    return fail(std::move(token.error()));
  }
  order.token = std::move(*token);
  if (!options.name.empty()) {
    if (const auto name = pull::checked_name(options.name, options.name); !name) {
      return fail(name.error());
    }
  }
  // As the curl program does.
  order.ca_file = variable("CURL_CA_BUNDLE");
  if (order.ca_file.empty()) {
    order.ca_file = variable("SSL_CERT_FILE");
  }
  order.name = options.name;
  order.projector = !options.no_projector;
  order.models_dir = config.models_dir;
  return order;
}

PullStyle style_of(const PullOptions& options, bool as_json) {
  if (as_json) {
    return PullStyle::Json;
  }
  if (options.quiet) {
    return PullStyle::Quiet;
  }
  return ::isatty(STDERR_FILENO) != 0 ? PullStyle::Bar : PullStyle::Lines;
}

TimePoint now() {
  return TimePoint(std::chrono::steady_clock::now().time_since_epoch());
}

int failed(PullView& view, Error error) {
  pull::Words words = pull::split_words(error.message);
  if (stop_asked) {
    words = {"stopped", "what was fetched is kept: the same command goes on there"};
  } else if (error.code == Errc::ResourceExhausted && words.next_step.empty()) {
    words.next_step = "make room; the same command then goes on where it ended";
  } else if ((error.code == Errc::Io || error.code == Errc::Timeout) && words.next_step.empty()) {
    words.next_step = "the same command goes on where it ended";
  } else if (error.code == Errc::Unavailable && words.next_step.empty()) {
    words.next_step = "is the network up? Behind a proxy, set https_proxy";
  }
  view.error(Error(error.code, words.message), words.next_step);
  return kFailed;
}

// A table of the configuration may give that name to another file.
Status check_configured(const config::Config& config, const pull::Plan& plan) {
  const config::ModelConfig* model = config::find_model(config, plan.name);
  const fs::path& target = plan.files.front().item.target;
  if (model != nullptr && (model->name != plan.name || (model->path && *model->path != target))) {
    return fail(Errc::AlreadyExists, "the configuration calls another model " + plan.name +
                                         "\ncall the new one differently: --name NAME");
  }
  return {};
}

int run_with(const PullOptions& options, const config::Config& config, pull::Order order,
             PullStyle style) {
  PullView view(style);
  pull::Watcher watcher;
  watcher.progress = [&view](const pull::Progress& progress) { view.progress(progress, now()); };
  watcher.note = [&view](const std::string& text) { view.note(text); };
  watcher.stopped = [] { return stop_asked.load(); };
  watcher.now = now;
  pull::Pull pull(std::move(order), std::move(watcher));
  auto plan = pull.plan();
  if (!plan) {
    return failed(view, std::move(plan.error()));
  }
  if (Status free = check_configured(config, *plan); !free) {
    return failed(view, std::move(free.error()));
  }
  view.plan(*plan, options.dry_run);
  if (options.dry_run) {
    return kGood;
  }
  auto files = pull.fetch_all(*plan);
  if (!files) {
    return failed(view, std::move(files.error()));
  }
  view.done(*plan, *files, engine::check_up(config, find_running_server()));
  return kGood;
}

int run_pull(const PullOptions& options, bool as_json) {
  const auto file = options.config_file.empty() ? config::find_config_file()
                                                : std::optional<fs::path>(options.config_file);
  const Result<config::Config> config = file ? config::load_config(*file, options.overrides)
                                             : config::default_config(options.overrides);
  if (!config) {
    print_error("the configuration is not usable\n" + config.error().message);
    return kWrongUsage;
  }
  auto order = order_of(options, *config);
  if (!order) {
    return wrong_usage(order.error());
  }
  stop_on_signals();
  return run_with(options, *config, std::move(*order), style_of(options, as_json));
}

}  // namespace

void add_pull(CLI::App& app, Choice& choice) {
  CLI::App* command = app.add_subcommand(
      "pull", "Fetch a model into models_dir, from Hugging Face or by its address");
  command->footer(
      "SOURCE is org/repo, org/repo:Q4_K_M or org/repo/path/file.gguf of Hugging Face (also "
      "behind\n"
      "hf.co/ or hf://, or as the address of its page), or the https:// address of a .gguf file.\n"
      "Without a quantisation Q4_K_M is taken, else Q4_0, else Q8_0, else the only one. Split "
      "models\n"
      "come with all parts, models that see or hear with their projector. What was interrupted "
      "goes\n"
      "on where it ended when the command is given again.\n"
      "HF_TOKEN (or the file of the hub's own tools) is sent to the hub alone; HF_ENDPOINT names "
      "a\n"
      "mirror; https_proxy and no_proxy are honoured.\n"
      "Example: holdfast pull Qwen/Qwen2.5-0.5B-Instruct-GGUF:Q4_K_M");
  const auto options = std::make_shared<PullOptions>();
  command->add_option("SOURCE", options->source, "A name on Hugging Face, or an address")
      ->required();
  command->add_option("--name", options->name, "What to call the model (default: as its file)");
  command->add_option("--sha256", options->sha256,
                      "The checksum it must have (Hugging Face states it by itself)");
  command->add_option("--revision", options->revision,
                      "Branch, tag or commit on Hugging Face (default: main)");
  command->add_option("--config", options->config_file,
                      "Configuration file (default: HOLDFAST_CONFIG, ./holdfast.toml, …)");
  command->add_option("--models-dir", options->overrides.models_dir, "Folder to put it into");
  command->add_flag("--no-mmproj", options->no_projector, "Leave the projector out");
  command->add_flag("--dry-run", options->dry_run, "Show what would be fetched, and fetch nothing");
  command->add_flag("--quiet", options->quiet, "Print the model's name alone");
  command->callback([&choice, options] {
    choice.run = [&choice, options] { return run_pull(*options, choice.json); };
  });
}

}  // namespace hf::app
