#include "core/action.h"

namespace hf::core::action {

std::string_view name_of(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::CriticalMemory:
      return "critical_memory";
    case NoticeKind::MemoryStall:
      return "memory_stall";
    case NoticeKind::StallGivenUp:
      return "stall_given_up";
    case NoticeKind::EmergencyCleanup:
      return "emergency_cleanup";
    case NoticeKind::Protected:
      return "protected";
    case NoticeKind::Pinned:
      return "pinned";
    case NoticeKind::Unloaded:
      return "unloaded";
    case NoticeKind::Kept:
      return "kept";
    case NoticeKind::AllInUse:
      return "all_in_use";
    case NoticeKind::AllInUseLong:
      return "all_in_use_long";
  }
  return "?";
}

std::string_view name_of(AnswerCode code) {
  switch (code) {
    case AnswerCode::Done:
      return "done";
    case AnswerCode::Started:
      return "started";
    case AnswerCode::NotLoaded:
      return "not_loaded";
    case AnswerCode::InUse:
      return "in_use";
    case AnswerCode::NeverFits:
      return "never_fits";
    case AnswerCode::TooLarge:
      return "too_large";
    case AnswerCode::CardTaken:
      return "card_taken";
    case AnswerCode::Refused:
      return "refused";
  }
  return "?";
}

}  // namespace hf::core::action
