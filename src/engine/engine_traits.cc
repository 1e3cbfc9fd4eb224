// What the engine knows of a model as such, what its file says, and the one command that every user
// has.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "engine/impl.h"

namespace hf::engine {
namespace {

struct DescriptionJob {
  std::filesystem::path model;      // "": a command, whose file may be anything
  std::filesystem::path projector;  // "": none
  gguf::Detail detail = gguf::Detail::Brief;
  DescriptionText text;
};

// Beside the loop.
Result<std::string> described(const DescriptionJob& job) {
  Result<gguf::Description> model =
      job.model.empty() ? gguf::Description{} : gguf::read_description(job.model, job.detail);
  if (!model) {
    return fail(std::move(model).error());
  }
  FileDescription found{std::move(*model), std::nullopt};
  if (!job.projector.empty()) {
    if (auto projector = gguf::read_description(job.projector, gguf::Detail::Brief)) {
      found.projector = std::move(*projector);
    }
  }
  return job.text(found);
}

}  // namespace

ModelTraits Engine::traits_of(ModelId model) const {
  return impl_->traits_of(model);
}

std::optional<SideJobId> Engine::describe(ModelId model, DescriptionOf what,
                                          DescribeCallback callback) {
  return impl_->describe(model, std::move(what), std::move(callback));
}

std::optional<SideJobId> Engine::beside_loop(SideJob job) {
  return impl_->side_jobs().add(std::move(job));
}

void Engine::give_up(SideJobId id) {
  impl_->side_jobs().give_up(id);
}

void Engine::let_go(ModelId model, bool allowed, std::string who,
                    std::function<void(bool)> callback) {
  impl_->let_go(model, allowed, std::move(who), std::move(callback));
}

ModelTraits Engine::Impl::traits_of(ModelId model) const {
  const ModelFile& file = catalog_.at(model).file;
  ModelTraits traits;
  traits.kind = file.plan.kind;
  traits.architecture = file.architecture;
  traits.weights = file.weights;
  traits.quantisation = file.quantisation;
  traits.has_chat_template = file.has_chat_template;
  traits.takes_images = hf::engine::abilities_of(file).sees;
  // The engine gives no request more than the model was trained for.
  traits.context = file.trained_context > 0 ? std::min(file.plan.context, file.trained_context)
                                            : file.plan.context;
  traits.trained_context = file.trained_context;
  // One token less than the context: some models stop right there.
  traits.embedding_input = std::min<std::int64_t>(file.plan.batch_rows, traits.context - 1);
  if (traits.kind == ModelKind::Command) {
    // Its own server knows what it can, and says so.
    traits.has_chat_template = true;
    traits.context = traits.embedding_input = 0;
  }
  traits.file_key = file_key(file);
  traits.file_size = file.file_size;
  traits.modified_unix_s = file.modified_unix_s;
  traits.ttl = file.source.settings.ttl;
  return traits;
}

std::optional<SideJobId> Engine::Impl::describe(ModelId model, DescriptionOf what,
                                                DescribeCallback callback) {
  const ModelFile& file = catalog_.at(model).file;
  DescriptionJob job{file.source.path, file.plan.mmproj_path, what.detail, std::move(what.text)};
  if (file.plan.kind == ModelKind::Command) {
    job.model.clear();
  }
  const auto text_of =
      std::make_shared<Result<std::string>>(fail(Errc::ResourceExhausted, "memory"));
  SideJob side;
  side.user = what.user;
  side.work = [text_of, job = std::move(job)] { *text_of = described(job); };
  side.done = [text_of, callback = std::move(callback)] { callback(std::move(*text_of)); };
  return side_jobs_.add(std::move(side));
}

// Looked at and done in one step, so that no pin can come between.
void Engine::Impl::let_go(ModelId model, bool allowed, std::string who,
                          std::function<void(bool)> callback) {
  boost::asio::post(io_, [this, model, allowed, who = std::move(who),
                          callback = std::move(callback), alive = alive_] {
    if (*alive) {
      callback(unload_if_free(model, allowed, who));
    }
  });
}

bool Engine::Impl::unload_if_free(ModelId model, bool allowed, const std::string& who) {
  using core::State;
  const core::ModelView view = scheduler_->view(model);
  if (view.state == State::Absent || view.state == State::Failed || view.state == State::Stopping) {
    return true;
  }
  const bool idle = view.state == State::Ready && view.leases == 0 && view.waiting == 0;
  if (!allowed || !idle || view.pinned || catalog_.at(model).file.source.settings.pin) {
    return false;
  }
  const std::uint64_t number = next_command();
  note_command("unload", model, who, false);
  commands_.emplace(number, [](const CommandResult&) {});
  feed(core::event::Unload{number, model, core::UnloadMode::IfIdle});
  return true;
}

}  // namespace hf::engine
