#include "app/pull_view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstdio>

#include "app/terminal.h"
#include "base/units.h"

namespace hf::app {
namespace {

namespace json = boost::json;

constexpr Duration kBarEvery = std::chrono::milliseconds(150);
constexpr Duration kLineEvery = std::chrono::seconds(10);
constexpr Duration kJsonEvery = std::chrono::seconds(1);
constexpr std::size_t kColumnsElse = 80;

// Asked each time: a window may be resized meanwhile.
std::size_t columns() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kColumnsElse;
}

void print_json(const json::object& object) {
  std::fputs((json::serialize(object) + "\n").c_str(), stdout);
  std::fflush(stdout);  // a reader behind a pipe follows it
}

json::value number_or_null(const std::optional<Bytes>& bytes) {
  return bytes ? json::value(bytes->count) : json::value(nullptr);
}

json::object progress_object(const pull::Progress& progress) {
  json::object object{{"event", "progress"},
                      {"file", progress.file},
                      {"number", progress.number},
                      {"of", progress.count},
                      {"stage", progress.stage == pull::Stage::Checking ? "checking" : "fetching"},
                      {"bytes", progress.done.count},
                      {"bytes_total", number_or_null(progress.total)},
                      {"bytes_per_second", nullptr},
                      {"eta_s", nullptr}};
  if (progress.bytes_per_second) {
    object["bytes_per_second"] = std::llround(*progress.bytes_per_second);
  }
  if (const auto left = progress.left()) {
    object["eta_s"] = std::llround(std::ceil(seconds_of(*left)));
  }
  return object;
}

const engine::ModelCheck* find_check(const engine::Checkup& checkup, const std::string& name) {
  const auto found =
      std::find_if(checkup.models.begin(), checkup.models.end(),
                   [&](const auto& model) { return model.file.source.settings.name == name; });
  return found == checkup.models.end() ? nullptr : &*found;
}

json::object done_object(const pull::Plan& plan, const std::vector<pull::PulledFile>& files,
                         const engine::Checkup& checkup) {
  json::array list;
  std::int64_t bytes = 0;
  for (const pull::PulledFile& file : files) {
    bytes += file.size.count;
    list.push_back(json::object{{"file", file.file.generic_string()},
                                {"bytes", file.size.count},
                                {"sha256", file.sha256},
                                {"checked", file.checked},
                                {"downloaded", file.downloaded}});
  }
  json::object object{{"event", "done"}, {"name", plan.name},      {"bytes", bytes},
                      {"files", list},   {"needs_bytes", nullptr}, {"budget_bytes", nullptr},
                      {"fits", nullptr}, {"problem", nullptr}};
  const bool budget_known = checkup.budget_source != engine::BudgetSource::Unknown;
  if (budget_known) {
    object["budget_bytes"] = checkup.budget.count;
  }
  if (const engine::ModelCheck* model = find_check(checkup, plan.name)) {
    object["needs_bytes"] = model->file.cost.count;
    object["fits"] = budget_known ? json::value(model->fits) : json::value(nullptr);
    if (!model->file.problem.empty()) {
      object["problem"] = model->file.problem;
    }
  }
  return object;
}

std::string cost_line(const pull::Plan& plan, const engine::Checkup& checkup) {
  const engine::ModelCheck* model = find_check(checkup, plan.name);
  if (model == nullptr) {
    return coloured(Colour::Yellow,
                    "  The file is no model by itself (an adapter, for example), so the server "
                    "does not offer it.\n");
  }
  const engine::ModelFile& file = model->file;
  if (!file.problem.empty()) {
    return coloured(Colour::Yellow,
                    "  It cannot be served: " + file.problem + "; " + file.next_step + ".\n");
  }
  std::string text = "  It needs " + format_bytes(file.cost);
  if (checkup.budget_source != engine::BudgetSource::Unknown) {
    text += " of " + format_bytes(checkup.budget);
  }
  text += " (context " + std::to_string(file.plan.context) + ", " +
          std::to_string(file.plan.parallel) + " at a time).\n";
  if (!model->fits && checkup.budget_source != engine::BudgetSource::Unknown) {
    text += coloured(Colour::Yellow,
                     "  That does not fit: take a smaller quantisation, or see holdfast doctor.\n");
  }
  return text;
}

}  // namespace

void PullView::clear_bar() {
  if (bar_shown_) {
    std::fputs("\r\x1b[K", stderr);
    bar_shown_ = false;
  }
}

void PullView::progress(const pull::Progress& progress, TimePoint now) {
  const Duration every = style_ == PullStyle::Bar     ? kBarEvery
                         : style_ == PullStyle::Lines ? kLineEvery
                                                      : kJsonEvery;
  const bool whole = progress.total && progress.done == *progress.total;
  bool due = now - last_ >= every;
  if (progress.file != last_file_ || progress.stage != last_stage_) {
    last_file_ = progress.file;
    last_stage_ = progress.stage;
    last_ = now;
    whole_told_ = false;
    due = style_ != PullStyle::Lines;  // a log's first line comes after the usual time
  }
  if (style_ == PullStyle::Quiet || (!due && (!whole || whole_told_))) {
    return;
  }
  last_ = now;
  whole_told_ = whole;
  if (style_ == PullStyle::Json) {
    return print_json(progress_object(progress));
  }
  if (style_ == PullStyle::Lines) {
    const std::string line = progress.file + ": " + pull::progress_words(progress) + "\n";
    std::fputs(line.c_str(), stderr);
    return;
  }
  std::fputs(("\r\x1b[K" + pull::progress_bar(progress, columns())).c_str(), stderr);
  bar_shown_ = true;
}

void PullView::note(const std::string& text) {
  clear_bar();
  if (style_ == PullStyle::Json) {
    return print_json(json::object{{"event", "note"}, {"message", text}});
  }
  if (style_ != PullStyle::Quiet) {
    std::fputs((text + "\n").c_str(), stderr);
  }
}

void PullView::plan(const pull::Plan& plan, bool dry_run) {
  if (style_ == PullStyle::Json) {
    json::array files;
    for (const pull::PlannedFile& file : plan.files) {
      files.push_back(json::object{{"file", file.item.file.generic_string()},
                                   {"source", file.item.source},
                                   {"bytes", number_or_null(file.item.size)},
                                   {"sha256", file.item.sha256},
                                   {"bytes_there", file.part.count},
                                   {"there", file.there}});
    }
    return print_json(json::object{{"event", "plan"},
                                   {"name", plan.name},
                                   {"files", files},
                                   {"bytes_missing", number_or_null(plan.missing)},
                                   {"bytes_free", plan.room.count}});
  }
  if (style_ == PullStyle::Quiet) {
    return;
  }
  std::string text;
  for (const pull::PlannedFile& file : plan.files) {
    text += file.item.source + "\n  -> " + file.item.target.string();
    text += file.item.size ? ", " + format_bytes(*file.item.size) : ", of unknown size";
    text += file.there ? ", there already\n" : "\n";
  }
  if (dry_run) {
    text += "Nothing was fetched. " + (plan.missing ? format_bytes(*plan.missing) : "?") +
            " would be, " + format_bytes(plan.room) + " are free; the model would be called " +
            plan.name + ".\n";
  }
  std::fputs(text.c_str(), dry_run ? stdout : stderr);
}

void PullView::done(const pull::Plan& plan, const std::vector<pull::PulledFile>& files,
                    const engine::Checkup& checkup) {
  clear_bar();
  if (style_ == PullStyle::Json) {
    return print_json(done_object(plan, files, checkup));
  }
  if (style_ == PullStyle::Quiet) {
    std::fputs((plan.name + "\n").c_str(), stdout);
    return;
  }
  const bool any =
      std::any_of(files.begin(), files.end(), [](const auto& file) { return file.downloaded; });
  std::string text =
      coloured(Colour::Green, plan.name + (any ? " is there" : " was there already"));
  Bytes sum;
  for (const pull::PulledFile& file : files) {
    sum += file.size;
  }
  text += ": " + format_bytes(sum) +
          (files.size() > 1 ? " in " + std::to_string(files.size()) + " files" : std::string());
  const bool checked =
      std::all_of(files.begin(), files.end(), [](const auto& file) { return file.checked; });
  if (checked) {
    text += ", its checksum is right\n";
  } else if (!files.front().sha256.empty()) {
    text += "\n  SHA-256 " + files.front().sha256 + " (nobody said what it should be)\n";
  } else {
    text += ", compared by its size only\n";
  }
  text += cost_line(plan, checkup);
  text += checkup.server && checkup.server->here
              ? "  The running server finds it by itself if it serves this folder; ask for \"" +
                    plan.name + "\".\n"
              : "  holdfast serve offers it as \"" + plan.name + "\".\n";
  std::fputs(text.c_str(), stdout);
}

void PullView::error(const Error& error, const std::string& next_step) {
  clear_bar();
  if (style_ == PullStyle::Json) {
    print_json(
        json::object{{"event", "error"}, {"message", error.message}, {"next_step", next_step}});
  }
  print_error(error.message, next_step);
}

}  // namespace hf::app
