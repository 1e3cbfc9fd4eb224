#pragma once
// A model of kind command, looked at before anything is started: whether its program and its files
// are there, and what it declares to hold. The counterpart of model_file.h, which calls it.
// Blocking (looks at files); at start or on the worker thread.

#include <string>

#include "engine/model_file.h"

namespace hf::engine {

// Requires: the source's settings have a command.
ModelFile inspect_command(const ModelSource& source, const CardRoom& cards);

// True if its program or its file has changed on disk, has come or gone. Of a folder only that it
// is the same one counts: engines write into it.
bool command_has_changed(const ModelFile& file);

}  // namespace hf::engine
