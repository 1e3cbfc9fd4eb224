// `holdfast user add|list|remove`: who may use a server. They change the configuration file and
// nothing else, and never ask a server: a key is made where the file is, not over the network.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/api_key.h"
#include "app/commands.h"
#include "app/terminal.h"
#include "config/change_file.h"
#include "config/edit_users.h"
#include "config/load.h"

namespace hf::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using config::Config;
using config::Role;
using config::UserConfig;

struct Options {
  std::string name;
  std::string role = "user";
  int max_active = 0;  // 0: no limit
  std::string file;    // "": the one that a server would find
};

int report_failure(const Error& error, std::string_view next = {}) {
  print_error(error.message, next);
  return error.code == Errc::InvalidArgument ? kWrongUsage : kFailed;
}

// nullopt: there is none.
std::optional<fs::path> existing_file(const Options& options) {
  return options.file.empty() ? config::find_config_file() : std::optional<fs::path>(options.file);
}

Role role_of(const std::string& word) {
  if (word == to_text(Role::Admin)) {
    return Role::Admin;
  }
  return word == to_text(Role::Operator) ? Role::Operator : Role::User;
}

bool has_user(const Config& config, std::string_view name) {
  return std::any_of(config.users.begin(), config.users.end(),
                     [name](const UserConfig& user) { return user.name == name; });
}

json::object as_json(const UserConfig& user) {
  json::object object{{"name", user.name}, {"role", to_text(user.role)}};
  object["max_active"] = user.max_active ? json::value(*user.max_active) : json::value(nullptr);
  return object;
}

void note(const std::string& text) {
  std::fputs((text + "\n").c_str(), stderr);
}

Result<Config> add_to_file(const fs::path& file, const UserConfig& user) {
  return config::change_file(file, [&](std::string_view text) -> Result<std::string> {
    const auto before = config::parse_config(text, file.string());
    if (before && has_user(*before, user.name)) {
      return fail(Errc::AlreadyExists,
                  "there is a user " + user.name + " in " + file.string() + " already");
    }
    return config::with_user(text, user);
  });
}

// The key goes to standard output and all else to standard error, so that it can be piped.
bool print_key(const UserConfig& user, const std::string& key, const fs::path& file,
               bool json_wanted) {
  std::string text = key;
  if (json_wanted) {
    json::object object = as_json(user);
    object["key"] = key;
    object["config_file"] = file.string();
    text = json::serialize(object);
  }
  text += '\n';
  return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
}

bool is_administered(const Config& config) {
  return std::any_of(config.users.begin(), config.users.end(),
                     [](const UserConfig& user) { return user.role == Role::Admin; });
}

void explain_addition(const Config& config) {
  note("The key is shown this once; the file holds only its SHA-256.");
  if (config.users.size() == 1) {
    note("From the next reload on, every request needs a key.");
  }
  if (!is_administered(config)) {
    note("Nobody is an administrator yet: holdfast user add NAME --role admin");
  }
  note("Next, if a server runs: holdfast reload (or SIGHUP)");
}

int run_add(const Options& options, bool json_wanted) {
  if (!config::is_user_name(options.name)) {
    print_error("that is no name for a user",
                "expected 1 to 100 bytes without control characters, for example: "
                "holdfast user add ann");
    return kWrongUsage;
  }
  std::optional<fs::path> file = existing_file(options);
  if (!file) {
    const auto place = config::place_for_new_file();
    if (!place) {
      return report_failure(place.error());
    }
    file = *place;
  }
  const Result<std::string> key = api::new_api_key();
  if (!key) {
    return report_failure(key.error());
  }
  UserConfig user{options.name, api::to_hex(api::hash_of_key(*key)), role_of(options.role), {}};
  if (options.max_active > 0) {
    user.max_active = options.max_active;
  }
  const Result<Config> config = add_to_file(*file, user);
  if (!config) {
    return report_failure(config.error(), config.error().code == Errc::AlreadyExists
                                              ? "for a new key: holdfast user remove NAME, then add"
                                              : "");
  }
  note("added " + user.name + " (" + options.role + ") to " + file->string());
  if (!print_key(user, *key, *file, json_wanted)) {
    print_error("the key could not be printed and is lost",
                "holdfast user remove NAME, then add again");
    return kFailed;
  }
  explain_addition(*config);
  return kGood;
}

int run_list(const Options& options, bool json_wanted) {
  const std::optional<fs::path> file = existing_file(options);
  std::vector<UserConfig> users;
  if (file) {
    Result<Config> config = config::load_config(*file);
    if (!config) {
      return report_failure(config.error());
    }
    users = std::move(config->users);
  }
  if (json_wanted) {
    json::array list;
    for (const UserConfig& user : users) {
      list.push_back(as_json(user));
    }
    json::object object{{"users", std::move(list)}};
    object["config_file"] = file ? json::value(file->string()) : json::value(nullptr);
    std::fputs((json::serialize(object) + "\n").c_str(), stdout);
    return kGood;
  }
  if (users.empty()) {
    std::fputs("no users: everybody on this machine may do everything\n", stdout);
    return kGood;
  }
  Table table({{"NAME"}, {"ROLE"}, {"MAX ACTIVE", true}});
  for (const UserConfig& user : users) {
    table.add({user.name, std::string(to_text(user.role)),
               user.max_active ? std::to_string(*user.max_active) : "-"});
  }
  std::fputs(table.text().c_str(), stdout);
  return kGood;
}

void explain_removal(const Config& config) {
  if (config.users.empty() || is_administered(config)) {
    note("The key works until the server has read the file again: holdfast reload (or SIGHUP)");
  } else {
    note("Nobody is an administrator any more: holdfast user add NAME --role admin");
    note(
        "The key works until the server has read the file again. Whoever has no administrator's "
        "key sends SIGHUP to the server or restarts it; holdfast reload is refused.");
  }
  if (config.users.empty()) {
    note(
        "Nobody is left: from then on everybody on this machine may do everything, without a key.");
  }
}

int run_remove(const Options& options, bool json_wanted) {
  const std::optional<fs::path> file = existing_file(options);
  if (!file) {
    print_error("there is no configuration file, so there are no users",
                "name it: holdfast user remove NAME --config FILE");
    return kFailed;
  }
  const Result<Config> config = config::change_file(*file, [&options](std::string_view text) {
    return config::without_user(text, options.name);
  });
  if (!config) {
    return report_failure(config.error(), config.error().code == Errc::NotFound
                                              ? "holdfast user list shows who is there"
                                              : "");
  }
  if (json_wanted) {
    const json::object object{{"removed", options.name}, {"config_file", file->string()}};
    std::fputs((json::serialize(object) + "\n").c_str(), stdout);
  }
  note("removed " + options.name + " from " + file->string());
  explain_removal(*config);
  return kGood;
}

CLI::App* add_subcommand(CLI::App& user, const char* name, const char* about,
                         const std::shared_ptr<Options>& options, bool names_one) {
  CLI::App* command = user.add_subcommand(name, about);
  if (names_one) {
    command->add_option("NAME", options->name, "Who")->required();
  }
  command->add_option("--config", options->file,
                      "Configuration file (default: the one that a server would find)");
  return command;
}

}  // namespace

void add_user(CLI::App& app, Choice& choice) {
  CLI::App* user = app.add_subcommand(
      "user", "Add, list or remove those who may use a server, in its configuration file");
  user->require_subcommand(1);
  const auto options = std::make_shared<Options>();

  CLI::App* add =
      add_subcommand(*user, "add", "Make a key, print it once, and store its hash", options, true);
  add->add_option("--role", options->role, "user, operator or admin (default user)")
      ->check(CLI::IsMember({"user", "operator", "admin"}));
  add->add_option("--max-active", options->max_active,
                  "Requests at the same time, waiting and running (default: no limit)")
      ->check(CLI::Range(1, 100000));
  add->callback([&choice, options] {
    choice.run = [&choice, options] { return run_add(*options, choice.json); };
  });

  CLI::App* list = add_subcommand(*user, "list", "Who has a key, and what for", options, false);
  list->callback([&choice, options] {
    choice.run = [&choice, options] { return run_list(*options, choice.json); };
  });

  CLI::App* remove = add_subcommand(*user, "remove", "Take a user's key away", options, true);
  remove->callback([&choice, options] {
    choice.run = [&choice, options] { return run_remove(*options, choice.json); };
  });
}

}  // namespace hf::app
