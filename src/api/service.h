#pragma once
// Holdfast's HTTP interface: net hands it requests, it asks the engine and answers. What may be
// refused by the header alone (site, key, path, method) is, before a body is read. Loop thread.

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "api/access.h"
#include "api/context.h"
#include "api/site.h"
#include "engine/engine.h"
#include "net/exchange.h"

namespace hf::api {

class Service final : public net::Service {
 public:
  // Borrows the engine, which must outlive every exchange.
  Service(engine::Engine& engine, std::shared_ptr<const config::Config> config, After after);

  // How POST /api/v1/reload does it. Requires: set before the first request.
  void on_reload(Reload reload) { context_.reload = std::move(reload); }
  // How a model's server is asked something for ourselves. Without it, texts that are too long to
  // be embedded are refused. Requires: set before the first request.
  void on_call_upstream(CallUpstream call) { context_.call_upstream = std::move(call); }
  // From now on this configuration counts, for requests whose head has not been checked yet.
  void use(std::shared_ptr<const config::Config> config);

  std::optional<net::Reply> check_head(const net::RequestHead& head) override;
  std::uint64_t body_limit(const net::RequestHead& head) const override;
  std::uint64_t bodies_limit() const override;
  net::Reply too_large(const net::RequestHead& head, std::uint64_t limit) override;
  net::Reply unfit(net::Unfit reason, const net::RequestHead* head, std::string_view why) override;
  void handle(std::shared_ptr<net::Exchange> exchange) override;

 private:
  void use_people(const config::Config& config);
  std::optional<net::Reply> refusal_of(const net::RequestHead& head) const;
  void answer_view(const Call& call, const Route& route);
  void answer_model(const Call& call, const Route& route, const std::string& name);

  Context context_;
  Access access_;
  Site site_;
};

}  // namespace hf::api
