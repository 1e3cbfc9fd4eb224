#include "app/logging.h"

#include <fmt/chrono.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <string>

namespace hf::app {
namespace {

namespace json = boost::json;

std::string_view level_name(spdlog::level::level_enum level) {
  const auto name = spdlog::level::to_string_view(level);
  return {name.data(), name.size()};
}

// A pattern cannot escape the message, so this is a formatter of its own.
class JsonLines final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    using namespace std::chrono;
    const auto millis = duration_cast<milliseconds>(message.time.time_since_epoch()).count();
    const std::string time =
        fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                    fmt::gmtime(static_cast<std::time_t>(millis / 1000)), millis % 1000);
    json::object line{{"time", time}, {"level", level_name(message.level)}};
    line["message"] = json::string_view(message.payload.data(), message.payload.size());
    const std::string text = json::serialize(line) + "\n";
    out.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<formatter> clone() const override {
    return std::make_unique<JsonLines>();
  }
};

spdlog::level::level_enum level_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::Debug:
      return spdlog::level::debug;
    case config::LogLevel::Info:
      return spdlog::level::info;
    case config::LogLevel::Warning:
      return spdlog::level::warn;
    case config::LogLevel::Error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// The logger's level is atomic and its sink locks, so this may happen at any time.
void shape(spdlog::logger& logger, const config::LogConfig& config) {
  if (config.format == config::LogFormat::Json) {
    logger.set_formatter(std::make_unique<JsonLines>());
  } else {
    logger.set_pattern("%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %v");
  }
  logger.set_level(level_of(config.level));
}

}  // namespace

void change_logging(const config::LogConfig& config) {
  shape(*spdlog::default_logger(), config);
}

void start_logging(const config::LogConfig& config) {
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>("holdfast", std::move(sink));
  shape(*logger, config);
  logger->flush_on(spdlog::level::trace);  // a crash must not swallow the lines that explain it
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace hf::app
