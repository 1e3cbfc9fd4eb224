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

// On the worker.
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

void Engine::describe(ModelId model, gguf::Detail detail, DescriptionText text,
                      DescribeCallback callback) {
  impl_->describe(model, detail, std::move(text), std::move(callback));
}

void Engine::on_worker(std::function<void()> job, std::function<void()> done) {
  impl_->on_worker(std::move(job), std::move(done));
}

void Engine::let_go(ModelId model, std::string who, std::function<void(bool)> callback) {
  impl_->let_go(model, std::move(who), std::move(callback));
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

void Engine::Impl::describe(ModelId model, gguf::Detail detail, DescriptionText text,
                            DescribeCallback callback) {
  const ModelFile& file = catalog_.at(model).file;
  DescriptionJob job{file.source.path, file.plan.mmproj_path, detail, std::move(text)};
  if (file.plan.kind == ModelKind::Command) {
    job.model.clear();
  }
  const auto text_of =
      std::make_shared<Result<std::string>>(fail(Errc::ResourceExhausted, "memory"));
  on_worker([text_of, job = std::move(job)] { *text_of = described(job); },
            [text_of, callback = std::move(callback)] { callback(std::move(*text_of)); });
}

void Engine::Impl::on_worker(std::function<void()> job, std::function<void()> done) {
  // It stays on the loop: what it holds must not be destroyed on the worker.
  const std::uint64_t number = ++last_job_;
  jobs_.emplace(number, std::move(done));
  worker_.run([this, number, job = std::move(job), alive = alive_] {
    attempt([&job] {
      job();
      return true;
    });
    boost::asio::post(io_, [this, number, alive] {
      if (!*alive) {
        return;
      }
      const auto found = jobs_.find(number);
      const std::function<void()> next = std::move(found->second);
      jobs_.erase(found);
      next();
    });
  });
}

// Looked at and done in one step, so that no pin can come between.
void Engine::Impl::let_go(ModelId model, std::string who, std::function<void(bool)> callback) {
  boost::asio::post(
      io_, [this, model, who = std::move(who), callback = std::move(callback), alive = alive_] {
        if (*alive) {
          callback(unload_if_free(model, who));
        }
      });
}

bool Engine::Impl::unload_if_free(ModelId model, const std::string& who) {
  using core::State;
  const core::ModelView view = scheduler_->view(model);
  if (view.state == State::Absent || view.state == State::Failed || view.state == State::Stopping) {
    return true;
  }
  const bool idle = view.state == State::Ready && view.leases == 0 && view.waiting == 0;
  if (!idle || view.pinned || catalog_.at(model).file.source.settings.pin) {
    return false;
  }
  const std::uint64_t number = next_command();
  note_command("unload", model, who, false);
  commands_.emplace(number, [](const CommandResult&) {});
  feed(core::event::Unload{number, model, core::UnloadMode::IfIdle});
  return true;
}

}  // namespace hf::engine
