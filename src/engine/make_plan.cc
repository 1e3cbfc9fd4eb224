#include "engine/make_plan.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/assert.h"
#include "config/engine_flags.h"
#include "engine/card_plan.h"
#include "gguf/architecture.h"
#include "gguf/compute_size.h"
#include "gguf/kind.h"

namespace hf::engine {
namespace {

ModelKind plan_kind(const gguf::Header& header) {
  switch (gguf::kind_of(header)) {
    case gguf::Kind::Embedding:
      return ModelKind::Embedding;
    case gguf::Kind::Reranker:
      return ModelKind::Reranker;
    case gguf::Kind::Chat:
    case gguf::Kind::Completion:
      break;
  }
  return ModelKind::Chat;
}

gguf::TensorType cache_type(config::CacheType type) {
  const auto known = gguf::tensor_type_named(config::to_text(type));
  HF_ASSERT(known.has_value(), "a cache type that the engine's table lacks");
  return *known;
}

// The value of the last of these flags among the administrator's, as the engine reads them.
std::optional<std::string> argument(const RunPlan& plan,
                                    std::initializer_list<std::string_view> names) {
  std::optional<std::string> value;
  for (std::size_t i = 0; i + 1 < plan.extra.size(); ++i) {
    const std::string flag = config::canonical_flag(plan.extra[i]);
    if (std::find(names.begin(), names.end(), flag) != names.end()) {
      value = plan.extra[i + 1];
    }
  }
  return value;
}

// The engine's words for "no" (common_arg_utils::is_falsey).
bool is_off(const std::string& value) {
  return value == "off" || value == "disabled" || value == "false" || value == "0";
}

// Tokens of a batch, as the engine reads them: what is not above zero is no limit.
std::uint32_t batch_argument(const RunPlan& plan, std::initializer_list<std::string_view> names,
                             std::uint32_t otherwise) {
  const auto text = argument(plan, names);
  std::int64_t count = 0;
  if (!text ||
      std::from_chars(text->data(), text->data() + text->size(), count).ec != std::errc{}) {
    return otherwise;  // the engine refuses what is no number
  }
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::uint32_t>(count > 0 ? std::min(count, kMost) : kMost);
}

// As a count of at least 1, or `otherwise`. The engine refuses what is no number.
std::uint32_t count_argument(const RunPlan& plan, std::initializer_list<std::string_view> names,
                             std::uint32_t otherwise) {
  const auto text = argument(plan, names);
  std::uint32_t count = 0;
  const auto parsed = text ? std::from_chars(text->data(), text->data() + text->size(), count)
                           : std::from_chars_result{};
  return text && parsed.ec == std::errc{} && count > 0 ? count : otherwise;
}

// Half the cores, so that two models can compute at the same time: the engine's threads spin while
// they wait for each other, and more of them than cores slow everybody down a hundredfold (ADR 6).
int default_threads() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
}

// The checkpoints of a model without sliding windows or recurrent layers cost nothing, because the
// engine makes none; with a full-size window cache they are not needed.
constexpr int kCheckpoints = 4;
// The engine makes two at the end of each prompt, which is where the next one usually goes on.
constexpr int kWindowCheckpoints = 2;

// The default leaves nothing over that a whole prompt could not use: what is reserved is used. At
// least one whole prompt must fit for that.
Bytes cache_of(const config::ModelConfig& settings, const gguf::Header& header,
               const RunPlan& plan) {
  if (plan.kind != ModelKind::Chat) {
    return Bytes(0);  // the engine keeps prompts of completions only
  }
  if (settings.cache_ram) {
    return *settings.cache_ram;
  }
  const Bytes most = gguf::default_cache_ram(header.tensors.total);
  const Bytes prompt = gguf::prompt_bytes(header, cost_options(plan, Bytes(0)));
  if (prompt.count == 0 || prompt > most) {
    return most;
  }
  const std::int64_t whole = most.count / prompt.count * prompt.count;
  return Bytes((whole + kMiB.count - 1) / kMiB.count * kMiB.count);  // the engine counts MiB
}

// The engine's own choice of rows.
constexpr int kDefaultBatch = 512;

// For the engine: as many tokens as one input or picture may have, where it must fit into one
// batch. 0: that does not matter.
int batch_of(const gguf::Header& header, const gguf::ProjectorShape& projector,
             const RunPlan& plan) {
  if (!gguf::reads_at_one_go(header)) {
    const auto context = static_cast<std::uint32_t>(plan.context);
    const auto tokens = static_cast<int>(gguf::largest_picture(projector, context).tokens);
    return gguf::takes_picture_at_one_go(projector) && tokens > kDefaultBatch ? tokens : 0;
  }
  const auto trained = static_cast<int>(
      std::min<std::uint32_t>(header.context_length, std::numeric_limits<std::int32_t>::max()));
  return trained > 0 ? std::min(plan.context, trained) : plan.context;
}

// Of a projector on a card: its weights, and what it computes with.
Bytes on_card(const PlanFacts& facts, const gguf::RunOptions& options) {
  return facts.mmproj + gguf::picture_memory(facts.projector, facts.mmproj, options).compute;
}

void add_pictures(gguf::Cost& cost, const PlanFacts& facts, const RunPlan& plan) {
  if (facts.mmproj_path.empty()) {
    return;
  }
  const gguf::PictureMemory pictures =
      gguf::picture_memory(facts.projector, facts.mmproj, cost_options(plan, Bytes(0)));
  cost.compute += plan.cards.empty() ? pictures.all_on_host() : pictures.host;
}

// A draft model is run in the same process with as many slots of the same context. It is counted
// as if it were a child, on the host: too much by a program's pages.
void add_side_files(gguf::Cost& cost, const PlanFacts& facts, const RunPlan& plan) {
  cost.weights += facts.adapters;
  if (!facts.draft) {
    return;
  }
  gguf::RunOptions options = cost_options(plan, Bytes(0));
  options.cache_type_k = options.cache_type_v = gguf::TensorType::F16;
  options.cache_ram = Bytes(0);  // its states lie in the model's
  options.gpu_layers = 0;
  options.embeddings = false;
  const gguf::Cost draft = gguf::predict_cost(*facts.draft, options);
  cost.weights += draft.weights;
  cost.kv_cache += draft.kv_cache;
  cost.compute += draft.compute;
  cost.checkpoints += draft.checkpoints;
  cost.process_overhead += draft.process_overhead;
}

}  // namespace

gguf::RunOptions cost_options(const RunPlan& plan, Bytes mmproj) {
  gguf::RunOptions options;
  options.context = static_cast<std::uint32_t>(plan.context);
  options.parallel = static_cast<std::uint32_t>(plan.parallel);
  options.cache_type_k = cache_type(plan.cache_type_k);
  options.cache_type_v = cache_type(plan.cache_type_v);
  options.cache_ram = plan.cache_ram;
  options.ctx_checkpoints = static_cast<std::uint32_t>(plan.context_checkpoints);
  options.swa_full = plan.swa_full;
  options.flash_attention = !is_off(argument(plan, {"-fa", "--flash-attn"}).value_or("auto"));
  options.load_mode =
      plan.load_mode == config::LoadMode::None || plan.load_mode == config::LoadMode::Dio
          ? gguf::LoadMode::Read
          : gguf::LoadMode::Mapped;
  // Children run with --no-repack (command_line.cc), unless the administrator said otherwise.
  const bool repacks =
      std::find(plan.extra.begin(), plan.extra.end(), "--repack") != plan.extra.end();
  options.repack = repacks ? gguf::host_repack() : gguf::Repack::Off;
  if (plan.cards_counted) {
    options.gpu_layers = static_cast<std::uint32_t>(plan.gpu_layers.value_or(0));
  }
  if (plan.batch > 0) {
    options.batch = options.ubatch = static_cast<std::uint32_t>(plan.batch);
    options.unified_cache = true;
  }
  options.batch = batch_argument(plan, {"-b", "--batch-size"}, options.batch);
  options.ubatch = batch_argument(plan, {"-ub", "--ubatch-size"}, options.ubatch);
  const auto threads = static_cast<std::uint32_t>(std::max(1, plan.threads));
  options.threads = std::max(count_argument(plan, {"-t", "--threads"}, threads),
                             count_argument(plan, {"-tb", "--threads-batch"}, threads));
  options.embeddings = plan.kind != ModelKind::Chat || plan.embeddings_reserved;
  options.mmproj = mmproj;
  return options;
}

PlannedRun make_plan(const config::ModelConfig& settings, const gguf::Header& header,
                     const PlanFacts& facts, Bytes budget, const CardRoom& cards,
                     const RunPlan* before) {
  PlannedRun run;
  RunPlan& plan = run.plan;
  plan.model_path = facts.model_path;
  plan.mmproj_path = facts.mmproj_path;
  plan.name = settings.name;
  plan.kind = plan_kind(header);
  plan.parallel = settings.parallel;
  plan.cache_type_k = settings.cache_type_k;
  plan.cache_type_v = settings.cache_type_v;
  plan.embeddings = settings.embeddings.value_or(true);
  plan.embeddings_reserved = settings.embeddings.value_or(false);
  const bool windows = gguf::needs_swa_full(header);
  plan.swa_full = windows && settings.swa_full.value_or(true);
  if (header.has_recurrent_state()) {
    plan.context_checkpoints = kCheckpoints;
  } else if (windows && !plan.swa_full) {
    plan.context_checkpoints = kWindowCheckpoints;
  }
  plan.load_mode = settings.load_mode;
  plan.threads = default_threads();
  plan.extra = settings.args;
  if (settings.gpu_layers) {
    plan.gpu_layers = settings.gpu_layers->count;
  }
  plan.context = settings.context.value_or(static_cast<int>(gguf::default_context(header)));
  run.wanted_context = plan.context;
  const auto settle = [&] {
    plan.batch = batch_of(header, facts.projector, plan);
    plan.cache_ram = cache_of(settings, header, plan);
    if (cards.counted) {
      const gguf::RunOptions alone = cost_options(plan, Bytes(0));
      const DeviceNeed need = device_need(header, alone, on_card(facts, alone));
      const OnCards placed = place_on_cards(plan, settings, need, cards, before);
      run.on_cards = placed.bytes;
      run.fits_cards = placed.fit;
    }
    // The projector goes to the first card.
    const gguf::RunOptions options =
        cost_options(plan, plan.cards.empty() ? facts.mmproj : Bytes(0));
    plan.batch_rows = static_cast<int>(gguf::batch_rows(options));
    run.cost = gguf::predict_cost(header, options);
    add_pictures(run.cost, facts, plan);
    add_side_files(run.cost, facts, plan);
  };
  settle();
  while (!settings.context && (run.cost.total() > budget || !run.fits_cards) &&
         plan.context / 2 >= kLeastContext) {
    plan.context /= 2;
    settle();
  }
  return run;
}

}  // namespace hf::engine
