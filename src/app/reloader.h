#pragma once
// Where the running server's configuration comes from, at the start and again. It exists so that
// SIGHUP and POST /api/v1/reload do the same: read the file with the flags of the command line on
// top, hand it to the engine, and let everybody else change with it. Loop thread, but for the
// reading of the file, which the engine has done on its worker.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "config/config.h"
#include "config/load.h"
#include "engine/engine.h"
#include "net/tls_context.h"

namespace hf::app {

// The certificate that came with a configuration; null: none is configured.
using Tls = std::shared_ptr<const net::TlsContext>;

class ConfigSource {
 public:
  // `file`: --config, or empty: searched for.
  ConfigSource(const std::string& file, config::Overrides overrides);

  // At the start: without a file the defaults run.
  Result<config::Config> first();
  // Later: a file that was used once is the one to use; until then it is searched for as at the
  // start. Errors: NotFound if there is none. The reader's: InvalidArgument if the file cannot be
  // read or has mistakes, each named by the file's own name, without its folder, and if its
  // certificate cannot be used. That is left in `tls` before the reader returns.
  Result<engine::ConfigReader> again(std::shared_ptr<Tls> tls);

 private:
  std::optional<std::filesystem::path> file_;
  config::Overrides overrides_;
};

class Reloader {
 public:
  // Borrows the engine. `use` is called with each configuration that begins to count, and with the
  // certificate as it is on the disk now, which may be another one although no setting changed.
  using Use = std::function<void(const std::shared_ptr<const config::Config>&, Tls)>;
  Reloader(ConfigSource source, engine::Engine& engine,
           std::shared_ptr<const config::Config> running, Use use);

  // Logs what came of it and calls `done`, which may be empty; from the loop if there is a file,
  // else before it returns.
  void reload(engine::ReloadCallback done);

 private:
  void refuse(Error error, const engine::ReloadCallback& done) const;

  ConfigSource source_;
  engine::Engine& engine_;
  std::shared_ptr<const config::Config> running_;
  Use use_;
};

}  // namespace hf::app
