#include "advise/words.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "sim/replay_report.h"

namespace hf::advise {
namespace {

struct Both {
  std::string_view english;
  std::string_view russian;
};

template <class... Values>
std::string say(Language language, const Both& format, const Values&... values) {
  return fmt::vformat(language == Language::Russian ? format.russian : format.english,
                      fmt::make_format_args(values...));
}

std::string quoted(const Case& history, const std::vector<std::size_t>& models) {
  std::string text;
  for (const std::size_t model : models) {
    text += (text.empty() ? "'" : ", '") + history.trace.models[model] + "'";
  }
  return text;
}

std::string span_text(const Case& history, Language language) {
  const double hours = static_cast<double>(history.to_ms - history.from_ms) / 3.6e6;
  if (hours >= 48) {
    return say(language, {"{:.0f} days", "{:.0f} дн."}, hours / 24);
  }
  return format_duration(duration_of_seconds(hours * 3600));
}

// "312 instead of 1,840 cold loads, …"; what could not be served at all comes first.
std::string compared(const Case& history, const Advice& advice, std::size_t index,
                     Language language) {
  const Figures& now = advice.now();
  const Figures& other = advice.replayed[index].figures;
  std::string text;
  if (other.unserved != now.unserved) {
    text = say(language,
               {"{} instead of {} requests not served, ", "запросов без ответа {} вместо {}, "},
               count_text(other.unserved, language), count_text(now.unserved, language));
  }
  text += say(language,
              {"{} instead of {} cold loads, {} instead of {} of waiting",
               "холодных загрузок {} вместо {}, ожидания {} вместо {}"},
              count_text(other.loads, language), count_text(now.loads, language),
              format_duration(other.waited), format_duration(now.waited));
  return text + say(language, {" in {}", " за {}"}, span_text(history, language));
}

std::string compared(const Case& history, const Advice& advice, std::optional<std::size_t> index,
                     Language language, const Both& format) {
  const Scenario& scenario = advice.replayed[*index].scenario;
  const std::string what = scenario.kind == Kind::Budget
                               ? format_bytes(budget_of(history, scenario).total())
                           : scenario.kind == Kind::Policy ? name_of(history, scenario, language)
                                                           : quoted(history, scenario.models);
  return say(language, format, what, compared(history, advice, *index, language));
}

std::string about_memory(const Case& history, const Advice& advice, Language language) {
  const std::string now = format_bytes(history.limits.budget.total());
  if (!advice.more_memory) {
    return say(language,
               {"More memory than {} would change next to nothing ({} cold loads, {} of waiting).",
                "Больше памяти, чем {}, почти ничего бы не дало (загрузок {}, ожидания {})."},
               now, count_text(advice.now().loads, language), format_duration(advice.now().waited));
  }
  const Scenario& more = advice.replayed[*advice.more_memory].scenario;
  return say(language, {"With {} instead of {}: {}.", "С бюджетом {} вместо {}: {}."},
             format_bytes(budget_of(history, more).total()), now,
             compared(history, advice, *advice.more_memory, language));
}

bool was_tried(const Advice& advice, Kind kind) {
  return std::any_of(advice.replayed.begin(), advice.replayed.end(),
                     [kind](const Replayed& one) { return one.scenario.kind == kind; });
}

}  // namespace

std::string count_text(std::uint64_t count, Language language) {
  std::string text = std::to_string(count);
  // In Russian a narrow no-break space.
  const char* const separator = language == Language::Russian ? "\u202f" : ",";
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, separator);
  }
  return text;
}

std::string name_of(const Case& history, const Scenario& scenario, Language language) {
  switch (scenario.kind) {
    case Kind::Budget:
      return fmt::format("×{:g}", scenario.factor);
    case Kind::Pin:
      return say(language, {"pin {}", "закрепить {}"}, quoted(history, scenario.models));
    case Kind::Quantisation:
      return say(language, {"{} as q4_k_m", "{} в q4_k_m"}, quoted(history, scenario.models));
    case Kind::Policy:
      return std::string(sim::name_of(scenario.policy));
  }
  return {};
}

std::vector<std::string> verdict(const Case& history, const Advice& advice, Language language) {
  std::vector<std::string> lines{about_memory(history, advice, language)};
  const auto add = [&](std::optional<std::size_t> choice, const Both& format) {
    lines.push_back(compared(history, advice, choice, language, format));
  };
  if (advice.less_memory) {
    add(advice.less_memory, {"{} would have done as well: {}.", "Хватило бы и {}: {}."});
  }
  if (advice.pin) {
    add(advice.pin, {"Pinning {} would give: {}.", "Если закрепить {}: {}."});
  } else if (was_tried(advice, Kind::Pin)) {
    lines.push_back(
        say(language, {"Pinning a model would not help.", "Закреплять модели незачем."}));
  }
  if (advice.quantisation) {
    add(advice.quantisation, {"{} as q4_k_m would give: {}.", "Если взять {} в q4_k_m: {}."});
  } else if (was_tried(advice, Kind::Quantisation)) {
    lines.push_back(say(language, {"A smaller quantisation would not help.",
                                   "Квантование поменьше не помогло бы."}));
  }
  if (advice.policy) {
    add(advice.policy, {"With memory.policy = \"{}\": {}.", "С memory.policy = \"{}\": {}."});
  }
  return lines;
}

std::string basis(const Case& history, Language language) {
  return say(language,
             {"From {} of history: requests {}, models {}, users {}, a budget of {}.",
              "По записи за {}: запросов {}, моделей {}, пользователей {}, бюджет {}."},
             span_text(history, language), count_text(history.trace.rows.size(), language),
             history.models.size(), history.trace.users,
             format_bytes(history.limits.budget.total()));
}

std::string trust_line(const Case& history, const Advice& advice, Language language) {
  Both judged;
  switch (advice.trust) {
    case Trust::Good:
      judged = {"close", "совпадает хорошо"};
      break;
    case Trust::Fair:
      judged = {"fair, trust the order of magnitude", "совпадает примерно, верьте порядку величин"};
      break;
    case Trust::Poor:
      judged = {
          "poor; something else than memory made people wait, or models were loaded and unloaded "
          "by hand or under pressure",
          "не совпадает: ждать заставляла не только память, или модели загружали и выгружали "
          "вручную или под давлением"};
      break;
  }
  return say(language,
             {"How far to trust this: the replay at the present budget gives {} cold loads and {} "
              "of waiting, recorded were {} and {}: {}.",
              "Насколько этому верить: повтор с нынешним бюджетом даёт загрузок {} и ожидания {}, "
              "записано {} и {}: {}."},
             count_text(advice.now().loads, language), format_duration(advice.now().waited),
             count_text(history.recorded.loads, language), format_duration(history.recorded.waited),
             say(language, judged));
}

std::vector<std::string> notes(const Case& history, Language language) {
  std::vector<std::string> lines;
  if (history.older > 0) {
    lines.push_back(
        say(language,
            {"{} older requests were left out.", "Более старые запросы не учтены, их ещё {}."},
            count_text(history.older, language)));
  }
  lines.push_back(say(language, {"A load takes what it took on average for that model, an answer "
                                 "what it took then.",
                                 "Загрузка длится столько, сколько в среднем длилась у этой "
                                 "модели, ответ столько, сколько длился тогда."}));
  lines.push_back(
      say(language,
          {"q4_k_m: {} bits a weight; loads and answers are taken to be faster in the "
           "same measure.",
           "q4_k_m: {} бита на вес; загрузки и ответы считаются быстрее в той же мере."},
          kSmallBits));
  return lines;
}

std::string too_little(const Case& history, Language language) {
  return say(language,
             {"There is too little history yet: {} requests. Advice needs at least {}; the server "
              "records them by itself unless [store] history is \"off\".",
              "Записей пока мало, запросов: {}. Для совета нужно хотя бы {}; сервер записывает их "
              "сам, если [store] history не \"off\"."},
             history.trace.rows.size(), kLeastRequests);
}

std::vector<std::string> headings(Language language) {
  if (language == Language::Russian) {
    return {"ВАРИАНТ", "БЮДЖЕТ", "ЗАГРУЗКИ", "ОЖИДАНИЕ", "СРЕДНЕЕ", "P95", "БЕЗ ОТВЕТА"};
  }
  return {"WHAT", "BUDGET", "COLD LOADS", "WAITING", "MEAN", "P95", "NOT SERVED"};
}

}  // namespace hf::advise
