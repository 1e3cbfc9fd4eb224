#include "engine/words.h"

#include "base/units.h"

namespace hf::engine {
namespace {

std::string joined(const std::vector<std::string>& names, char open, char close) {
  std::string text(1, open);
  for (const std::string& name : names) {
    if (text.size() > 1) {
      text += ", ";
    }
    text += '\'';
    for (const char c : name) {
      if (c == '\'' || c == '\\') {
        text += '\\';
      }
      text += c;
    }
    text += '\'';
  }
  text += close;
  return text;
}

std::string english(const core::action::Notice& notice, const NoticeNames& told) {
  using core::action::NoticeKind;
  const std::vector<std::string>& names = told.names;
  switch (notice.kind) {
    case NoticeKind::CriticalMemory:
      return "🚨 Critical memory shortage: " + format_percent(notice.percent);
    case NoticeKind::MemoryStall:
      return "⚠️ Tasks stand still for want of memory (PSI); memory in use: " +
             format_percent(notice.percent);
    case NoticeKind::StallGivenUp:
      return "⚠️ Tasks still stand still (PSI), but loads no longer wait for its end; "
             "memory in use: " +
             format_percent(notice.percent);
    case NoticeKind::EmergencyCleanup:
      return "🚨 EMERGENCY CLEANUP: unloading unused models from memory";
    case NoticeKind::Protected:
      return "🛡️ Protected from unloading (in use): " + name_set(names);
    case NoticeKind::Unloaded:
      return "🗑️ Model " + (names.empty() ? std::string("?") : names.front()) +
             " unloaded from memory";
    case NoticeKind::Kept:
      return "✅ Models kept: " + name_list(names) + " (protected: " + name_set(told.guarded) + ")";
    case NoticeKind::Pinned:
      return "🛡️ Pinned: " + name_set(names);
    case NoticeKind::AllInUse:
    case NoticeKind::AllInUseLong:
      if (!told.pinned.empty()) {
        return "⚠️ No model can be unloaded. Active: " + name_set(names) +
               "; pinned: " + name_set(told.pinned);
      }
      return "⚠️ All models are in use! No model can be unloaded. Active: " + name_set(names);
  }
  return {};
}

std::string russian(const core::action::Notice& notice, const NoticeNames& told) {
  using core::action::NoticeKind;
  const std::vector<std::string>& names = told.names;
  switch (notice.kind) {
    case NoticeKind::CriticalMemory:
      return "🚨 Критическая нехватка памяти: " + format_percent(notice.percent);
    case NoticeKind::MemoryStall:
      return "⚠️ Задачи простаивают из-за нехватки памяти "
             "(PSI); "
             "занято "
             "памяти: " +
             format_percent(notice.percent);
    case NoticeKind::StallGivenUp:
      return "⚠️ Задачи всё ещё простаивают (PSI), "
             "но загрузка моделей больше не ждёт; "
             "занято памяти: " +
             format_percent(notice.percent);
    case NoticeKind::EmergencyCleanup:
      return "🚨 ЭКСТРЕННАЯ ОЧИСТКА: выгружаем неиспользуемые модели из памяти";
    case NoticeKind::Protected:
      return "🛡️ Защищены от выгрузки (используются): " +
             name_set(names);
    case NoticeKind::Unloaded:
      return "🗑️ Модель " + (names.empty() ? std::string("?") : names.front()) +
             " выгружена из памяти";
    case NoticeKind::Kept:
      return "✅ Оставлены модели: " + name_list(names) + " (защищены: " + name_set(told.guarded) +
             ")";
    case NoticeKind::Pinned:
      return "🛡️ Закреплены: " + name_set(names);
    case NoticeKind::AllInUse:
    case NoticeKind::AllInUseLong:
      if (!told.pinned.empty()) {
        return "⚠️ Нельзя выгрузить ни одну модель. "
               "Активные: " +
               name_set(names) + "; закреплены: " + name_set(told.pinned);
      }
      return R"(⚠️ Все модели используются! Нельзя выгрузить ни одну модель. Активные: )" +
             name_set(names);
  }
  return {};
}

}  // namespace

std::string name_set(const std::vector<std::string>& names) {
  return joined(names, '{', '}');
}
std::string name_list(const std::vector<std::string>& names) {
  return joined(names, '[', ']');
}

std::string notice_line(Language language, const core::action::Notice& notice,
                        const NoticeNames& names) {
  return language == Language::Russian ? russian(notice, names) : english(notice, names);
}

std::string reload_line(Language language, const Reloaded& result) {
  const bool russian = language == Language::Russian;
  std::string parts;
  const auto add = [&](const char* english_word, const char* russian_word,
                       const std::vector<std::string>& names) {
    if (!names.empty()) {
      parts += (parts.empty() ? "" : "; ") + std::string(russian ? russian_word : english_word) +
               ": " + name_list(names);
    }
  };
  add("models added", "добавлены модели", result.added);
  add("models removed", "удалены модели", result.removed);
  add("models with other options", "другие параметры у моделей", result.restarted);
  add("models changed", "изменены модели", result.changed);
  add("settings", "настройки", result.settings);
  add("needs a restart of the server", "нужен перезапуск сервера", result.restart_needed);
  if (parts.empty()) {
    parts = russian ? "ничего не изменилось" : "nothing changed";
  }
  return (russian ? "🔄 Конфигурация перечитана: " : "🔄 Configuration read again: ") + parts;
}

std::string reload_refused_line(Language language, const std::string& why) {
  return (language == Language::Russian
              ? "⚠️ Конфигурация не применена, действует "
                "прежняя: "
              : "⚠️ The configuration was not applied, the old one goes on: ") +
         why;
}

namespace {

std::string russian_remedy(const Relief& relief) {
  std::string text;
  if (relief.yielded.count > 0) {
    text =
        "другие программы занимают на " + format_bytes(relief.yielded) + " больше, чем при запуске";
  }
  if (relief.more_needed.count > 0 || text.empty()) {
    text += (text.empty() ? "ещё " : "; ещё ") + format_bytes(relief.more_needed) +
            " памяти (бюджет " + format_bytes(relief.budget + relief.more_needed) + " вместо " +
            format_bytes(relief.budget) + ")";
  }
  return text + ", либо вариант модели " + relief.largest_in_use + " меньше её " +
         format_bytes(relief.largest_bytes);
}

std::string english_remedy(const Relief& relief) {
  std::string text;
  if (relief.yielded.count > 0) {
    text =
        "the " + format_bytes(relief.yielded) + " that other programs use more than at the start";
  }
  if (relief.more_needed.count > 0 || text.empty()) {
    text += (text.empty() ? "" : "; ") + format_bytes(relief.more_needed) +
            " more memory (a budget of " + format_bytes(relief.budget + relief.more_needed) +
            " instead of " + format_bytes(relief.budget) + ")";
  }
  return text + ", or a smaller variant of " + relief.largest_in_use + " (now " +
         format_bytes(relief.largest_bytes) + ")";
}

}  // namespace

std::string relief_line(Language language, const Relief& relief) {
  const std::string lasted = format_duration(relief.lasted);
  const std::string oldest = format_duration(relief.oldest_wait);
  const bool pins = !relief.pinned.empty();
  if (language == Language::Russian) {
    return (pins
                ? "⚠️ Все модели используются или закреплены "
                  "уже "
                : "⚠️ Все модели используются уже ") +
           lasted + ": " + name_set(relief.in_use) +
           (pins ? "; закреплены: " + name_set(relief.pinned) : "") +
           "; ждут: " + name_set(relief.waiting) + ", дольше всего " + oldest +
           ". Помогло бы: " + russian_remedy(relief) +
           ". Что дали бы другие бюджеты, показывает holdfast advise.";
  }
  return std::string("⚠️ All models have been in use ") + (pins ? "or pinned " : "") + "for " +
         lasted + ": " + name_set(relief.in_use) +
         (pins ? "; pinned: " + name_set(relief.pinned) : "") +
         "; waiting: " + name_set(relief.waiting) + ", the oldest for " + oldest +
         ". What would help: " + english_remedy(relief) +
         ". holdfast advise shows what other budgets would have given.";
}

}  // namespace hf::engine
