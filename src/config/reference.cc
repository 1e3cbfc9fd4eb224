#include "config/reference.h"

#include <string_view>

#include "config/settings.h"

namespace hf::config {
namespace {

constexpr std::string_view kHead = R"(# Configuration: `holdfast.toml`

<!-- Written from src/config/settings.cc. To change it, change that file and run the tests
with HF_UPDATE=1. -->

`holdfast serve --config FILE` reads FILE. Without the flag: `$HOLDFAST_CONFIG`, else the first
that exists of `./holdfast.toml`, `$XDG_CONFIG_HOME/holdfast/holdfast.toml` (`~/.config/…`) and
`/etc/holdfast/holdfast.toml`, else the defaults below. Flags such as `--listen`, `--models-dir`
and `--budget` replace what the file says. `holdfast config check FILE` reads a file and prints
every mistake in it as `FILE:LINE:COLUMN: …`; unknown keys are mistakes.

```toml
listen = "127.0.0.1:11435"
models_dir = "/srv/models"

[memory]
budget = "48GiB"

[defaults]
parallel = 4

[models."qwen3/30b"]
aliases = ["big"]
context = 16384
ttl = "2h"
```

* **size**: `"5GiB"`, `"48GB"`, `"512 MiB"`; KB, MB, GB, TB count in thousands, KiB, MiB, GiB, TiB
  in 1024; a bare number is bytes.
* **duration**: `"500ms"`, `"30s"`, `"5m"`, `"2h"`, `"1d"`; always with its unit.
* **path**: `~/` is your home folder. Relative paths start at the folder of the file they stand in;
  a model's `path` and `mmproj` start at `models_dir`; in flags they start at the working directory.
* A default that begins with *auto* or *off* may be written so too: `"auto"`, `"off"`.

The running server reads its file again on SIGHUP, `holdfast reload` or `POST /api/v1/reload`. It
looks for the file as at the start (once it has used one, it stays with that one), flags still win,
and a mistake changes nothing. Only what changed is touched:

* A model whose process would run with something else (`path`, `mmproj`, `context`, `parallel`,
  `gpu_layers`, `gpus`, `cache_ram`, `cache_type_k`, `cache_type_v`, `swa_full`, `embeddings`,
  `load_mode`, `args`, `command`, `bytes`, `gpu_bytes`, `ready`, `env`) is drained: running answers
  end on the old process, newcomers get the next one. A model that is gone is drained too, and its
  name answers 404. A context that only the budget decides about follows a new budget from the next
  load on.
* A `pin` that is taken out of the file unpins the model, unless somebody pinned it by hand. One
  that does not fit is tried again when the budget grows or another pin goes, and a load
  that failed after a pause that grows from 5 s to 10 minutes; until then `/health` warns of it.
* The file must be a regular one of at most 4 MiB. Another `models_dir` that cannot be read refuses
  the whole reload, because every model of the present one would go.
* Everything else counts at once. A longer `patience`, `turn` or `request_limit` waits until nobody
  waits who was promised less; a key that is gone is refused from the next request on.
* What is *read at the start only* stays as it is; the answer names it under `restart_needed`.
)";

// A number with the unit it is counted in, or nothing where a setting has no limits to speak of.
std::string type_cell(const SettingInfo& info) {
  std::string cell(info.type);
  const bool counted = info.type == "whole number" || info.type == "percent";
  if (counted) {
    cell += ", " + std::to_string(static_cast<long long>(info.limits.least)) + " to " +
            std::to_string(static_cast<long long>(info.limits.most));
  }
  return cell;
}

std::string default_cell(const SettingInfo& info) {
  if (info.initial.starts_with('(')) {
    return std::string(info.initial.substr(1, info.initial.size() - 2));
  }
  return "`" + std::string(info.initial) + "`";
}

// A bar would end the table's cell, even inside code.
std::string escaped(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    cell += c == '|' ? "\\|" : std::string(1, c);
  }
  return cell;
}

}  // namespace

std::string render_reference_markdown() {
  std::string page(kHead);
  for (const SectionInfo& section : all_sections()) {
    if (section.table == "defaults") {
      continue;  // described together with [models."NAME"]
    }
    page += "\n## ";
    if (section.table.empty()) {
      page += "Top of the file";
    } else {
      page += section.table == "models" ? "`[defaults]` and `" : "`";
      page += std::string(section.heading) + "`";
    }
    page += "\n\n" + std::string(section.about) + "\n\n";
    page += "| key | type | default | why |\n|---|---|---|---|\n";
    for (const SettingInfo& info : section.settings) {
      page += "| `" + std::string(info.key) + "` | " + type_cell(info) + " | " +
              default_cell(info) + " | " + escaped(info.why) +
              (info.at_start ? " Read at the start only." : "") + " |\n";
    }
  }
  return page;
}

}  // namespace hf::config
