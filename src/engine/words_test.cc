#include "engine/words.h"

#include <gtest/gtest.h>

namespace hf::engine {
namespace {

using core::action::Notice;
using core::action::NoticeKind;

std::string line(Language language, NoticeKind kind, double percent = 0) {
  Notice notice;
  notice.kind = kind;
  notice.percent = percent;
  return notice_line(language, notice, {{"a", "b"}, {"a", "b"}, {}});
}

TEST(NoticeLine, IsTheDocumentsRussianToTheLetter) {
  const auto ru = Language::Russian;
  EXPECT_EQ(line(ru, NoticeKind::CriticalMemory, 96.2), "🚨 Критическая нехватка памяти: 96.2%");
  EXPECT_EQ(
      line(ru, NoticeKind::Protected),
      "🛡️ Защищены от выгрузки (используются): {'a', 'b'}");
  EXPECT_EQ(line(ru, NoticeKind::Unloaded),
            "🗑️ Модель a выгружена из памяти");
  EXPECT_EQ(line(ru, NoticeKind::Kept), "✅ Оставлены модели: ['a', 'b'] (защищены: {'a', 'b'})");
  EXPECT_EQ(line(ru, NoticeKind::EmergencyCleanup),
            "🚨 ЭКСТРЕННАЯ ОЧИСТКА: выгружаем неиспользуемые модели из памяти");
  EXPECT_EQ(
      line(ru, NoticeKind::AllInUse),
      R"(⚠️ Все модели используются! Нельзя выгрузить ни одну модель. Активные: {'a', 'b'})");
}

TEST(NoticeLine, IsTheDesignsEnglishToTheLetter) {
  const auto en = Language::English;
  EXPECT_EQ(line(en, NoticeKind::CriticalMemory, 96.2), "🚨 Critical memory shortage: 96.2%");
  EXPECT_EQ(line(en, NoticeKind::Protected),
            "🛡️ Protected from unloading (in use): {'a', 'b'}");
  EXPECT_EQ(line(en, NoticeKind::Unloaded), "🗑️ Model a unloaded from memory");
  EXPECT_EQ(line(en, NoticeKind::Kept), "✅ Models kept: ['a', 'b'] (protected: {'a', 'b'})");
  EXPECT_EQ(line(en, NoticeKind::EmergencyCleanup),
            "🚨 EMERGENCY CLEANUP: unloading unused models from memory");
  EXPECT_EQ(line(en, NoticeKind::AllInUse),
            "⚠️ All models are in use! No model can be unloaded. Active: {'a', 'b'}");
}

TEST(NoticeLine, DoesNotCallInUseWhatIsOnlyPinned) {
  EXPECT_EQ(line(Language::English, NoticeKind::Pinned), "🛡️ Pinned: {'a', 'b'}");
  EXPECT_EQ(line(Language::Russian, NoticeKind::Pinned),
            "🛡️ Закреплены: {'a', 'b'}");
  Notice notice;
  notice.kind = NoticeKind::AllInUse;
  EXPECT_EQ(notice_line(Language::English, notice, {{"a"}, {}, {"b"}}),
            "⚠️ No model can be unloaded. Active: {'a'}; pinned: {'b'}");
  EXPECT_EQ(
      notice_line(Language::Russian, notice, {{}, {}, {"b"}}),
      "⚠️ Нельзя выгрузить ни одну модель. Активные: {}; "
      "закреплены: "
      "{'b'}");
}

TEST(NoticeLine, SaysThatItIsAStallAndNotAPercentageThatPresses) {
  EXPECT_EQ(line(Language::English, NoticeKind::MemoryStall, 61),
            "⚠️ Tasks stand still for want of memory (PSI); memory in use: 61.0%");
  EXPECT_EQ(
      line(Language::Russian, NoticeKind::MemoryStall, 61),
      "⚠️ Задачи простаивают из-за нехватки памяти (PSI); "
      "занято "
      "памяти: "
      "61.0%");
}

TEST(NoticeLine, SaysThatAStallCountsNoLonger) {
  EXPECT_EQ(line(Language::English, NoticeKind::StallGivenUp, 61),
            "⚠️ Tasks still stand still (PSI), but loads no longer wait for its end; "
            "memory in use: 61.0%");
  EXPECT_EQ(line(Language::Russian, NoticeKind::StallGivenUp, 61),
            "⚠️ Задачи всё ещё простаивают (PSI), "
            "но загрузка моделей больше не ждёт; "
            "занято памяти: 61.0%");
}

TEST(NoticeLine, EscapesQuotesInNames) {
  EXPECT_EQ(name_set({"it's"}), "{'it\\'s'}");
}

TEST(ReliefLine, SaysHowMuchMoreWouldHelp) {
  Relief relief;
  relief.lasted = std::chrono::seconds(60);
  relief.in_use = {"a"};
  relief.waiting = {"b"};
  relief.budget = 4 * kGiB;
  relief.more_needed = 2 * kGiB;
  relief.largest_in_use = "a";
  relief.largest_bytes = 3 * kGiB;
  const std::string text = relief_line(Language::English, relief);
  EXPECT_NE(text.find("2.00 GiB more memory (a budget of 6.00 GiB instead of 4.00 GiB)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("holdfast advise shows what other budgets would have given."),
            std::string::npos);
  EXPECT_NE(relief_line(Language::Russian, relief).find("показывает holdfast advise."),
            std::string::npos);
  EXPECT_EQ(text.find("pinned"), std::string::npos) << text;
  relief.pinned = {"p"};
  EXPECT_NE(relief_line(Language::English, relief)
                .find("in use or pinned for 60.0 s: {'a'}; pinned: {'p'}; waiting: {'b'}"),
            std::string::npos);
  EXPECT_NE(relief_line(Language::Russian, relief).find("закреплены: {'p'}; ждут: {'b'}"),
            std::string::npos);
  EXPECT_NE(relief_line(Language::Russian, relief).find("ещё 2.00 GiB памяти"), std::string::npos);
}

TEST(ReliefLine, DoesNotAdviseASmallerBudgetThanTheOneThatOthersHaveTaken) {
  Relief relief;
  relief.budget = 4 * kGiB;
  relief.yielded = 3 * kGiB;
  relief.largest_in_use = "a";
  const std::string text = relief_line(Language::English, relief);
  EXPECT_NE(text.find("the 3.00 GiB that other programs use more than at the start, or a smaller"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("a budget of"), std::string::npos) << text;
  EXPECT_NE(relief_line(Language::Russian, relief).find("на 3.00 GiB больше, чем при запуске"),
            std::string::npos);
}

TEST(ReloadLine, NamesWhatChangedAndNothingElse) {
  Reloaded result;
  EXPECT_EQ(reload_line(Language::English, result), "🔄 Configuration read again: nothing changed");
  EXPECT_EQ(reload_line(Language::Russian, result),
            "🔄 Конфигурация перечитана: ничего не изменилось");
  result.removed = {"a"};
  result.settings = {"queue.patience", "users"};
  result.restart_needed = {"listen"};
  EXPECT_EQ(reload_line(Language::English, result),
            "🔄 Configuration read again: models removed: ['a']; settings: ['queue.patience', "
            "'users']; needs a restart of the server: ['listen']");
  EXPECT_EQ(reload_line(Language::Russian, result),
            "🔄 Конфигурация перечитана: удалены модели: ['a']; настройки: ['queue.patience', "
            "'users']; нужен перезапуск сервера: ['listen']");
}

TEST(ReloadLine, ARefusalSaysThatTheOldOneGoesOn) {
  EXPECT_EQ(reload_refused_line(Language::English, "x"),
            "⚠️ The configuration was not applied, the old one goes on: x");
  EXPECT_EQ(
      reload_refused_line(Language::Russian, "x"),
      "⚠️ Конфигурация не применена, действует прежняя: "
      "x");
}

}  // namespace
}  // namespace hf::engine
