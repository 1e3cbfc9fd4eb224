// A libnvidia-ml.so.1 without a driver, for tests: it tells of the cards that a text file beside it
// (LIBRARY.state) describes, read anew at each look. Its lines:
//
//   card UUID BUS_ID TOTAL USED NAME…      bytes; the next card, counted from 0
//   process CARD PID BYTES                 -1: the driver does not say how much
//   graphics CARD PID BYTES
//   fail FUNCTION CODE                     that function returns CODE
//   delay FUNCTION MILLISECONDS            that function takes so long
//   hang FUNCTION                          that function never returns; LIBRARY.hangs then exists
//
// Built in three kinds: with the functions of today, with those of an old driver only
// (HF_FAKE_NVML_OLD), and without the one that tells a card's memory (HF_FAKE_NVML_BARE).

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Process {
  unsigned pid = 0;
  unsigned long long used = 0;
};
struct Card {
  std::string uuid, bus_id, name;
  unsigned long long total = 0, used = 0;
  std::vector<Process> computing, drawing;
};
struct State {
  std::vector<Card> cards;
  std::map<std::string, int> codes;
  std::map<std::string, int> delays;
  std::set<std::string> hangs;
};

// Where this library lies.
std::string own_path() {
  static const int kHere = 0;
  Dl_info info{};
  return ::dladdr(&kHere, &info) == 0 ? std::string() : info.dli_fname;
}

State read_state() {
  State state;
  std::ifstream file(own_path() + ".state");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "card") {
      Card card;
      words >> card.uuid >> card.bus_id >> card.total >> card.used >> std::ws;
      std::getline(words, card.name);
      state.cards.push_back(card);
    } else if (verb == "process" || verb == "graphics") {
      std::size_t card = 0;
      Process process;
      long long used = 0;
      words >> card >> process.pid >> used;
      process.used = static_cast<unsigned long long>(used);
      if (card < state.cards.size()) {
        Card& on = state.cards[card];
        (verb == "process" ? on.computing : on.drawing).push_back(process);
      }
    } else if (verb == "hang") {
      std::string function;
      words >> function;
      state.hangs.insert(function);
    } else if (verb == "fail" || verb == "delay") {
      std::string function;
      int number = 0;
      words >> function >> number;
      (verb == "fail" ? state.codes : state.delays)[function] = number;
    }
  }
  return state;
}

// What the state wants of a function before it answers: a delay, and a code other than 0.
int begin(const State& state, const char* function) {
  if (state.hangs.contains(function)) {
    std::ofstream(own_path() + ".hangs").flush();
    for (;;) {
      ::pause();
    }
  }
  if (const auto delay = state.delays.find(function); delay != state.delays.end()) {
    std::this_thread::sleep_for(  // tidy: allow(test-sleep) the slow driver that is tested for
        std::chrono::milliseconds(delay->second));
  }
  const auto code = state.codes.find(function);
  return code == state.codes.end() ? 0 : code->second;
}

// A handle is the number of the card, from 1.
const Card* find(const State& state, void* handle) {
  const auto number = reinterpret_cast<std::size_t>(handle);
  return number >= 1 && number <= state.cards.size() ? &state.cards[number - 1] : nullptr;
}

constexpr int kInvalidArgument = 2;
constexpr int kInsufficientSize = 7;

int copy_text(const std::string& text, char* out, unsigned size) {
  if (text.size() + 1 > size) {
    return kInsufficientSize;
  }
  std::memcpy(out, text.c_str(), text.size() + 1);
  return 0;
}

template <class Info>
int list(const std::vector<Process>& processes, unsigned* count, Info* infos) {
  const unsigned room = *count;
  *count = static_cast<unsigned>(processes.size());
  if (processes.size() > room) {
    return kInsufficientSize;
  }
  for (std::size_t i = 0; i < processes.size(); ++i) {
    infos[i].pid = processes[i].pid;
    infos[i].used = processes[i].used;
  }
  return 0;
}

int count_cards(const char* function, unsigned* count) {
  const State state = read_state();
  *count = static_cast<unsigned>(state.cards.size());
  return begin(state, function);
}

int card_by_index(const char* function, unsigned index, void** handle) {
  const State state = read_state();
  if (index >= state.cards.size()) {
    return kInvalidArgument;
  }
  *handle = reinterpret_cast<void*>(std::size_t{index} + 1);
  return begin(state, function);
}

struct OldInfo {
  unsigned pid;
  unsigned long long used;
};
struct NewInfo {
  unsigned pid;
  unsigned long long used;
  unsigned gpu_instance, compute_instance;
};

template <class Info>
int processes(const char* function, void* handle, bool computing, unsigned* count, Info* infos) {
  const State state = read_state();
  const Card* card = find(state, handle);
  if (card == nullptr) {
    return kInvalidArgument;
  }
  const int code = begin(state, function);
  return code != 0 ? code : list(computing ? card->computing : card->drawing, count, infos);
}

}  // namespace

extern "C" {

int nvmlShutdown() {
  return begin(read_state(), "nvmlShutdown");
}

const char* nvmlErrorString(int code) {
  return code == 9 ? "Driver Not Loaded" : "the fake driver was told to fail";
}

#if defined(HF_FAKE_NVML_OLD)
int nvmlInit() {
  return begin(read_state(), "nvmlInit");
}
#else
int nvmlInit_v2() {
  return begin(read_state(), "nvmlInit_v2");
}
#endif

#if defined(HF_FAKE_NVML_OLD)
int nvmlDeviceGetCount(unsigned* count) {
  return count_cards("nvmlDeviceGetCount", count);
}
int nvmlDeviceGetHandleByIndex(unsigned index, void** handle) {
  return card_by_index("nvmlDeviceGetHandleByIndex", index, handle);
}
int nvmlDeviceGetComputeRunningProcesses(void* handle, unsigned* count, OldInfo* infos) {
  return processes("nvmlDeviceGetComputeRunningProcesses", handle, true, count, infos);
}
#else
int nvmlDeviceGetCount_v2(unsigned* count) {
  return count_cards("nvmlDeviceGetCount_v2", count);
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** handle) {
  return card_by_index("nvmlDeviceGetHandleByIndex_v2", index, handle);
}
int nvmlDeviceGetComputeRunningProcesses_v3(void* handle, unsigned* count, NewInfo* infos) {
  return processes("nvmlDeviceGetComputeRunningProcesses_v3", handle, true, count, infos);
}
int nvmlDeviceGetGraphicsRunningProcesses_v3(void* handle, unsigned* count, NewInfo* infos) {
  return processes("nvmlDeviceGetGraphicsRunningProcesses_v3", handle, false, count, infos);
}
struct PciInfo {
  char legacy[16];
  unsigned domain, bus, device, device_id, subsystem_id;
  char bus_id[32];
};
int nvmlDeviceGetPciInfo_v3(void* handle, PciInfo* info) {
  const State state = read_state();
  const Card* card = find(state, handle);
  if (card == nullptr) {
    return kInvalidArgument;
  }
  *info = {};
  copy_text(card->bus_id, info->bus_id, sizeof info->bus_id);
  return begin(state, "nvmlDeviceGetPciInfo_v3");
}
#endif

int nvmlDeviceGetName(void* handle, char* text, unsigned size) {
  const State state = read_state();
  const Card* card = find(state, handle);
  const int code = begin(state, "nvmlDeviceGetName");
  return card == nullptr ? kInvalidArgument : code != 0 ? code : copy_text(card->name, text, size);
}
int nvmlDeviceGetUUID(void* handle, char* text, unsigned size) {
  const State state = read_state();
  const Card* card = find(state, handle);
  const int code = begin(state, "nvmlDeviceGetUUID");
  return card == nullptr ? kInvalidArgument : code != 0 ? code : copy_text(card->uuid, text, size);
}
#if !defined(HF_FAKE_NVML_BARE)
struct MemoryInfo {
  unsigned long long total, free, used;
};
int nvmlDeviceGetMemoryInfo(void* handle, MemoryInfo* info) {
  const State state = read_state();
  const Card* card = find(state, handle);
  if (card == nullptr) {
    return kInvalidArgument;
  }
  *info = {card->total, card->total - std::min(card->used, card->total), card->used};
  return begin(state, "nvmlDeviceGetMemoryInfo");
}
#endif

}  // extern "C"
