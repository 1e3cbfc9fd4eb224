#include <string>
#include <system_error>

#include "config/draft.h"

namespace hf::config {
namespace {

namespace fs = std::filesystem;

// The folder of the XDG base directory specification: the variable if it is an absolute path, as
// the specification demands, else its default below the home folder.
fs::path xdg_folder(const std::string& variable, const std::string& home, const char* below_home) {
  if (!variable.empty() && variable.front() == '/') {
    return variable;
  }
  return home.empty() ? fs::path("/var/lib") : fs::path(home) / below_home;
}

class Resolver {
 public:
  Resolver(const Environment& environment, Draft& draft)
      : environment_(environment),
        draft_(draft),
        file_folder_(environment.directory / fs::path(draft.file_name).parent_path()) {}

  // `base` for a value from the file; a flag's value starts at the working directory.
  void resolve(fs::path& path, std::string_view key, const fs::path& base) {
    const std::string text = path.string();
    if (text == "~" || text.starts_with("~/")) {
      if (environment_.home.empty()) {
        draft_.add_error_at(key, std::string(key) +
                                     ": \"~\" cannot be expanded because HOME is not set, expected "
                                     "an absolute path");
        return;
      }
      path = fs::path(environment_.home) / (text.size() > 2 ? text.substr(2) : std::string());
    }
    const auto place = draft_.places.find(key);
    const bool from_flag = place != draft_.places.end() && place->second.line == 0;
    path = ((from_flag ? environment_.directory : base) / path).lexically_normal();
  }

  const fs::path& file_folder() const { return file_folder_; }

 private:
  const Environment& environment_;
  Draft& draft_;
  fs::path file_folder_;
};

fs::path default_models_dir(const Environment& environment) {
  std::error_code ignored;
  fs::path here = environment.directory / "models";
  if (fs::is_directory(here, ignored)) {
    return here;
  }
  return xdg_folder(environment.xdg_data_home, environment.home, ".local/share") / "holdfast" /
         "models";
}

}  // namespace

void resolve_paths(const Environment& environment, Draft& draft) {
  Config& config = draft.config;
  Resolver resolver(environment, draft);
  const fs::path& folder = resolver.file_folder();
  if (config.models_dir.empty()) {
    config.models_dir = default_models_dir(environment);
  }
  resolver.resolve(config.models_dir, "models_dir", folder);
  resolver.resolve(config.memory.proc_root, "memory.proc_root", folder);
  if (config.store.path.empty()) {
    config.store.path = xdg_folder(environment.xdg_state_home, environment.home, ".local/state") /
                        "holdfast" / "history.db";
  }
  resolver.resolve(config.store.path, "store.path", folder);
  if (config.store.journal) {
    resolver.resolve(*config.store.journal, "store.journal", folder);
  }
  if (config.tls.certificate) {
    resolver.resolve(*config.tls.certificate, "tls.certificate", folder);
  }
  if (config.tls.key) {
    resolver.resolve(*config.tls.key, "tls.key", folder);
  }
  // A bare program name is left for the search on PATH.
  if (config.engine.llama_server && config.engine.llama_server->has_parent_path()) {
    resolver.resolve(*config.engine.llama_server, "engine.llama_server", folder);
  }
  for (ModelConfig& model : config.models) {
    const std::string prefix = "models.\"" + model.name + "\".";
    if (model.path) {
      resolver.resolve(*model.path, prefix + "path", config.models_dir);
    }
    if (model.mmproj) {
      resolver.resolve(*model.mmproj, prefix + "mmproj", config.models_dir);
    }
    if (!model.command.empty() && model.command.front().find('/') != std::string::npos) {
      fs::path program = model.command.front();
      resolver.resolve(program, prefix + "command", folder);
      model.command.front() = program.string();
    }
  }
}

}  // namespace hf::config
