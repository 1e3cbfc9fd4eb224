#include "app/reloader.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "app/tls_files.h"
#include "engine/words.h"

namespace hf::app {

ConfigSource::ConfigSource(const std::string& file, config::Overrides overrides)
    : overrides_(std::move(overrides)) {
  if (!file.empty()) {
    file_ = file;
  }
}

Result<config::Config> ConfigSource::first() {
  if (!file_) {
    file_ = config::find_config_file();
  }
  return file_ ? config::load_config(*file_, overrides_) : config::default_config(overrides_);
}

Result<engine::ConfigReader> ConfigSource::again(std::shared_ptr<Tls> tls) {
  if (!file_) {
    file_ = config::find_config_file();
  }
  if (!file_) {
    return fail(Errc::NotFound,
                "the server runs without a configuration file, and there is none now");
  }
  const std::string shown = file_->filename().string();
  return engine::ConfigReader{
      shown,
      [file = *file_, shown, overrides = overrides_, tls = std::move(tls),
       environment = config::Environment::of_process()]() -> Result<config::Config> {
        auto config = config::load_config(file, overrides, environment, shown);
        if (!config) {
          return fail(Errc::InvalidArgument, std::move(config.error().message));
        }
        Result<Tls> context = load_tls(config->tls);
        if (!context) {
          return fail(Errc::InvalidArgument, shown + ": " + context.error().message);
        }
        *tls = std::move(*context);
        return config;
      }};
}

Reloader::Reloader(ConfigSource source, engine::Engine& engine,
                   std::shared_ptr<const config::Config> running, Use use)
    : source_(std::move(source)),
      engine_(engine),
      running_(std::move(running)),
      use_(std::move(use)) {}

void Reloader::reload(engine::ReloadCallback done) {
  auto tls = std::make_shared<Tls>();
  Result<engine::ConfigReader> reader = source_.again(tls);
  if (!reader) {
    return refuse(std::move(reader.error()), done);
  }
  engine_.reload(std::move(*reader),
                 [this, tls, done = std::move(done)](Result<engine::Reloaded> result) {
                   if (!result) {
                     return refuse(std::move(result.error()), done);
                   }
                   running_ = result->config;
                   use_(running_, std::move(*tls));
                   spdlog::info("{}", engine::reload_line(running_->log.language, *result));
                   if (done) {
                     done(std::move(result));
                   }
                 });
}

void Reloader::refuse(Error error, const engine::ReloadCallback& done) const {
  spdlog::warn("{}", engine::reload_refused_line(running_->log.language, error.message));
  if (done) {
    done(fail(std::move(error)));
  }
}

}  // namespace hf::app
