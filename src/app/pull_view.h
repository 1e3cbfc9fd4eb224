#pragma once
// What `holdfast pull` shows while it works and at its end: a bar on a terminal, a line every ten
// seconds elsewhere, JSON lines for programs, or nothing. Progress goes to standard error, so that
// standard output stays the result; JSON lines are all of it. One thread.

#include <string>

#include "base/time.h"
#include "engine/checkup.h"
#include "pull/progress.h"
#include "pull/pull.h"

namespace hf::app {

enum class PullStyle { Bar, Lines, Json, Quiet };

class PullView {
 public:
  explicit PullView(PullStyle style) : style_(style) {}
  PullView(const PullView&) = delete;
  PullView& operator=(const PullView&) = delete;
  ~PullView() { clear_bar(); }

  void progress(const pull::Progress& progress, TimePoint now);
  void note(const std::string& text);
  // What would be done (--dry-run), or is about to be.
  void plan(const pull::Plan& plan, bool dry_run);
  // `checkup`: what the model costs is taken from it.
  void done(const pull::Plan& plan, const std::vector<pull::PulledFile>& files,
            const engine::Checkup& checkup);
  // The message with the next step behind a line end. For JSON also on standard output.
  void error(const Error& error, const std::string& next_step);

 private:
  void clear_bar();

  PullStyle style_;
  bool bar_shown_ = false;
  std::string last_file_;
  pull::Stage last_stage_ = pull::Stage::Fetching;
  TimePoint last_{};
  bool whole_told_ = false;
};

}  // namespace hf::app
