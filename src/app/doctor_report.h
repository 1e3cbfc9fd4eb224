#pragma once
// A check-up as `holdfast doctor` prints it: for people, and as JSON. Pure; any thread.

#include <string>

#include "config/config.h"
#include "engine/checkup.h"

namespace hf::app {

struct DoctorReport {
  engine::Checkup checkup;
  config::Config config;
  std::string config_file;  // "": none, the defaults
  std::string kernel;       // "Linux 6.1.0"
  int cores = 0;
};

std::string doctor_text(const DoctorReport& report);
std::string doctor_json(const DoctorReport& report);  // one line

}  // namespace hf::app
