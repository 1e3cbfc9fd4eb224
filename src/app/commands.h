#pragma once
// The subcommands of `holdfast`: each adds itself to the parser and, when chosen, leaves what to
// run in Choice. Exit codes: 0 good, 1 failed, 2 wrong usage or configuration.

#include <CLI/App.hpp>
#include <CLI/Config.hpp>  // the parts App declares and these define
#include <CLI/Formatter.hpp>
#include <functional>

namespace hf::app {

inline constexpr int kGood = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;

struct Choice {
  bool json = false;         // --json: machine-readable output
  std::function<int()> run;  // set by the subcommand that was chosen; returns the exit code
};

// Each borrows `choice`, which outlives the parsing.
void add_serve(CLI::App& app, Choice& choice);
void add_ps(CLI::App& app, Choice& choice);
void add_load(CLI::App& app, Choice& choice);
void add_unload(CLI::App& app, Choice& choice);
void add_pin(CLI::App& app, Choice& choice);
void add_unpin(CLI::App& app, Choice& choice);
void add_cleanup(CLI::App& app, Choice& choice);
void add_reload(CLI::App& app, Choice& choice);
void add_explain(CLI::App& app, Choice& choice);
void add_pull(CLI::App& app, Choice& choice);
void add_config(CLI::App& app, Choice& choice);
void add_user(CLI::App& app, Choice& choice);
void add_advise(CLI::App& app, Choice& choice);
void add_simulate(CLI::App& app, Choice& choice);
void add_doctor(CLI::App& app, Choice& choice);
void add_version(CLI::App& app, Choice& choice);

}  // namespace hf::app
