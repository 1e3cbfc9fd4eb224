// `holdfast doctor`: can this machine serve, what would each model cost, and what is missing? It
// needs no server, and leaves one that runs alone.
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "app/commands.h"
#include "app/doctor_report.h"
#include "app/running_server.h"
#include "app/terminal.h"
#include "app/tls_files.h"
#include "config/load.h"

namespace hf::app {
namespace {

struct DoctorOptions {
  std::string config_file;
  config::Overrides overrides;
};

std::string kernel_name() {
  utsname name{};
  return ::uname(&name) == 0 ? std::string(name.sysname) + " " + name.release : "unknown kernel";
}

void check_tls(engine::Checkup& checkup, const config::TlsConfig& config) {
  const auto tls = load_tls(config);
  if (!tls) {
    checkup.findings.push_back({engine::Severity::Problem, tls.error().message, ""});
  } else {
    for (const std::string& warning : tls_warnings(tls->get())) {
      checkup.findings.push_back({engine::Severity::Warning, warning, ""});
    }
  }
  std::stable_sort(
      checkup.findings.begin(), checkup.findings.end(),
      [](const engine::Finding& a, const engine::Finding& b) { return a.severity > b.severity; });
}

int run_doctor(const DoctorOptions& options, bool as_json) {
  auto file = options.config_file.empty()
                  ? config::find_config_file()
                  : std::optional<std::filesystem::path>(options.config_file);
  Result<config::Config> config = file ? config::load_config(*file, options.overrides)
                                       : config::default_config(options.overrides);
  if (!config) {
    print_error("the configuration is not usable\n" + config.error().message);
    return kWrongUsage;
  }
  DoctorReport report;
  report.checkup = engine::check_up(*config, find_running_server());
  check_tls(report.checkup, config->tls);
  report.config = std::move(*config);
  report.config_file = file ? file->string() : "";
  report.kernel = kernel_name();
  report.cores = static_cast<int>(std::thread::hardware_concurrency());
  std::fputs((as_json ? doctor_json(report) : doctor_text(report)).c_str(), stdout);
  return report.checkup.can_serve() ? kGood : kFailed;
}

}  // namespace

void add_doctor(CLI::App& app, Choice& choice) {
  CLI::App* command = app.add_subcommand(
      "doctor", "Check this machine: engine, memory, models, and what is missing");
  const auto options = std::make_shared<DoctorOptions>();
  config::Overrides& set = options->overrides;
  command->add_option("--config", options->config_file,
                      "Configuration file (default: HOLDFAST_CONFIG, ./holdfast.toml, …)");
  command->add_option("--models-dir", set.models_dir, "Folder with .gguf files");
  command->add_option("--budget", set.budget, "Memory for models, for example 5GiB");
  command->add_option("--llama-server", set.llama_server, "The engine's program");
  command->callback([&choice, options] {
    choice.run = [&choice, options] { return run_doctor(*options, choice.json); };
  });
}

}  // namespace hf::app
