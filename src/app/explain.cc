// `holdfast explain MODEL`: why it is loaded, waiting or gone.
#include <cstdio>
#include <memory>
#include <string>

#include "app/commands.h"
#include "app/explain_text.h"
#include "app/server_link.h"
#include "net/client.h"

namespace hf::app {
namespace {

int run_explain(const std::string& model, bool as_json) {
  const auto answer = ask(Question{"GET", "/api/v1/explain?model=" + net::percent_encode(model)});
  if (!answer) {
    return answer.error();
  }
  if (!answer->good()) {
    return report(*answer);
  }
  if (as_json) {
    std::fputs(answer->body.c_str(), stdout);
    return kGood;
  }
  std::fputs(explain_text(answer->value).c_str(), stdout);
  return kGood;
}

}  // namespace

void add_explain(CLI::App& app, Choice& choice) {
  CLI::App* command = app.add_subcommand("explain", "Why a model is loaded, waiting or gone");
  const auto model = std::make_shared<std::string>();
  command->add_option("MODEL", *model, "Name or alias")->required();
  command->callback([&choice, model] {
    choice.run = [&choice, model] { return run_explain(*model, choice.json); };
  });
}

}  // namespace hf::app
