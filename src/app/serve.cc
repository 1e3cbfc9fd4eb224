// `holdfast serve`: the server. The main thread is the loop's thread and the one that spawns
// children, because a child dies with the thread that made it.
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "api/service.h"
#include "app/commands.h"
#include "app/logging.h"
#include "app/reloader.h"
#include "app/terminal.h"
#include "app/tls_files.h"
#include "base/units.h"
#include "config/load.h"
#include "engine/engine.h"
#include "net/loop.h"
#include "net/server.h"

namespace hf::app {
namespace {

// After the last model has stopped only refusals and views are under way; they get this long.
constexpr Duration kLastAnswers = std::chrono::seconds(2);
constexpr Duration kLook = std::chrono::milliseconds(20);

struct ServeOptions {
  std::string config_file;
  config::Overrides overrides;
};

// Every connection, child and pipe is a descriptor; the usual soft limit of 1,024 is soon reached.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
      spdlog::warn("the limit of open files stays at its soft value");
    }
  }
}

net::ServerOptions server_options(const config::Config& config) {
  net::ServerOptions options;
  for (const config::SocketAddress& address : config.listen) {
    options.listen.push_back(net::ListenAddress{address.ip, address.port});
  }
  return options;
}

class Serving {
 public:
  Serving(ConfigSource source, std::shared_ptr<const config::Config> config, Tls tls)
      : config_(std::move(config)),
        engine_(loop_.context(), config_),
        service_(engine_, config_,
                 [this](Duration delay, std::function<void()> action) {
                   loop_.after(delay, std::move(action));
                 }),
        reloader_(std::move(source), engine_, config_,
                  [this](const std::shared_ptr<const config::Config>& now, Tls certificate) {
                    use(now, std::move(certificate));
                  }),
        server_(loop_.context(), service_, server_options(*config_)) {
    service_.on_call_upstream([this](net::UpstreamCall call, net::UpstreamCallback done) {
      net::call_upstream(loop_.context(), std::move(call), std::move(done));
    });
    use_tls(std::move(tls));
    service_.on_reload([this](engine::ReloadCallback done) { reloader_.reload(std::move(done)); });
  }

  int run() {
    // The port first: a second server must end here, before it touches what the first one uses.
    if (const Status bound = server_.start(); !bound) {
      print_error(bound.error().message,
                  bound.error().code == Errc::Unavailable
                      ? "a server may run there already (holdfast ps shows it); "
                        "or choose another port: --listen 127.0.0.1:PORT"
                      : "choose another address: --listen HOST:PORT");
      return kFailed;
    }
    const Result<void> started = engine_.start();
    if (!started) {
      print_error(started.error().message, "docs/config.md names every setting");
      server_.stop_accepting();
      server_.close_all();
      loop_.run_ready();
      threads_ended_ = engine_.end_threads();
      return kFailed;
    }
    loop_.on_signal({SIGTERM, SIGINT, SIGHUP}, [this](int number) { on_signal(number); });
    announce();
    loop_.run();
    loop_.run_ready();
    threads_ended_ = engine_.end_threads();
    spdlog::info("stopped");
    return kGood;
  }
  // False: one of them lives on, whatever becomes of this object.
  [[nodiscard]] bool threads_ended() const { return threads_ended_; }

 private:
  void announce() const {
    const std::vector<std::uint16_t> ports = server_.ports();
    for (std::size_t i = 0; i < ports.size(); ++i) {
      const config::SocketAddress real{config_->listen[i].ip, ports[i]};
      const bool plain = !encrypted_ || config::is_loopback(real);
      spdlog::info("listening on {}://{}{}", plain ? "http" : "https", config::to_text(real),
                   plain && encrypted_ ? " (and https)" : "");
    }
  }

  void on_signal(int number) {
    if (number == SIGHUP) {
      return reloader_.reload({});
    }
    if (stopping_) {
      spdlog::warn("second signal: running answers are cut");
    } else {
      spdlog::info(
          "shutting down: running answers have {} to finish; a second signal ends them now",
          format_duration(config_->drain));
    }
    stopping_ = true;
    engine_.shutdown([this] { on_engine_stopped(); });
  }

  // In the step in which the engine begins to go by it.
  void use(const std::shared_ptr<const config::Config>& config, Tls tls) {
    config_ = config;
    service_.use(config_);
    change_logging(config_->log);
    use_tls(std::move(tls));
  }

  // For new connections.
  void use_tls(Tls tls) {
    if (tls != nullptr) {
      spdlog::info("certificate for {}", net::facts_text(tls->facts()));
    } else if (encrypted_) {
      spdlog::warn("new connections are not encrypted any more: tls.certificate is not set");
    }
    for (const std::string& warning : tls_warnings(tls.get())) {
      spdlog::warn("{}", warning);
    }
    encrypted_ = tls != nullptr;
    server_.use_tls(std::move(tls));
  }

  // New connections were taken up to here, so that /health could be asked during the drain.
  void on_engine_stopped() {
    if (!std::exchange(engine_stopped_, true)) {
      server_.stop_accepting();
      finish(kLastAnswers);
    }
  }

  void finish(Duration left) {
    if (server_.open_connections() == 0) {
      return loop_.stop();
    }
    if (left <= Duration::zero()) {
      server_.close_all();
      return loop_.stop();
    }
    loop_.after(kLook, [this, left] { finish(left - kLook); });
  }

  std::shared_ptr<const config::Config> config_;
  net::Loop loop_;
  engine::Engine engine_;
  api::Service service_;
  Reloader reloader_;
  net::Server server_;
  bool encrypted_ = false;
  bool stopping_ = false;
  bool engine_stopped_ = false;
  bool threads_ended_ = true;
};

int run_serve(const ServeOptions& options) {
  ConfigSource source(options.config_file, options.overrides);
  Result<config::Config> config = source.first();
  if (!config) {
    print_error("the configuration is not usable\n" + config.error().message);
    return kWrongUsage;
  }
  Result<Tls> tls = load_tls(config->tls);
  if (!tls) {
    print_error("the configuration is not usable\n" + tls.error().message);
    return kWrongUsage;
  }
  start_logging(config->log);
  raise_descriptor_limit();
  int status = kFailed;
  bool alone = true;
  {
    Serving serving(std::move(source), std::make_shared<const config::Config>(std::move(*config)),
                    std::move(*tls));
    status = serving.run();
    alone = serving.threads_ended();
  }
  if (!alone) {
    // A thread may come back from a driver at any moment, and what is static, here and in the
    // driver's library, must not be destroyed under it. Each line of the log was flushed.
    std::_Exit(status);
  }
  return status;
}

}  // namespace

void add_serve(CLI::App& app, Choice& choice) {
  CLI::App* command = app.add_subcommand(
      "serve",
      "Run the server; SIGHUP (or: holdfast reload) makes it read its configuration again");
  const auto options = std::make_shared<ServeOptions>();
  config::Overrides& set = options->overrides;
  command->add_option("--config", options->config_file,
                      "Configuration file (default: HOLDFAST_CONFIG, ./holdfast.toml, …)");
  command->add_option("--models-dir", set.models_dir, "Folder with .gguf files");
  command->add_option("--listen", set.listen, "HOST:PORT (default 127.0.0.1:11435)");
  command->add_option("--budget", set.budget, "Memory for models, for example 5GiB");
  command->add_option("--llama-server", set.llama_server, "The engine's program");
  command->add_option("--store", set.store, "Database file of the use history");
  command->add_option("--journal", set.journal, "File for one JSON line per event and decision");
  command->add_option("--log-level", set.log_level, "debug, info, warning or error");
  command->add_option("--log-language", set.log_language, "en or ru");
  command->add_option("--log-format", set.log_format, "text or json");
  command->callback([&choice, options] { choice.run = [options] { return run_serve(*options); }; });
}

}  // namespace hf::app
