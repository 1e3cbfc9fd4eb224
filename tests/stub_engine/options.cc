#include "stub_engine/options.h"

#include <cstdlib>
#include <string_view>

namespace hf::stub {

const char* const kHelp = R"(----- common params -----

-h,    --help, --usage                  print usage and exit
--version                               show version and build info
-c,    --ctx-size N                     size of the prompt context
-m,    --model FNAME                    model path to load
-lm,   --load-mode MODE                 model loading mode
-fit,  --fit [on|off]                   whether to adjust unset arguments
-ngl,  --gpu-layers, --n-gpu-layers N   layers to store in VRAM
-dev,  --device <dev1,dev2,..>          devices to use for offloading
--list-devices                          print list of available devices and exit
-sm,   --split-mode {none,layer,row}    how to split the model across multiple GPUs
-ts,   --tensor-split N0,N1,N2,...      fraction of the model to offload to each GPU
-mg,   --main-gpu INDEX                 the GPU to use for the model
-mm,   --mmproj FILE                    path to a multimodal projector file
--offline                               Offline mode
--swa-full                              use full-size SWA cache
-np,   --parallel N                     number of server slots
-ctxcp, --ctx-checkpoints, --swa-checkpoints N
                                        max number of context checkpoints
-cram, --cache-ram N                    set the maximum cache size in MiB
--cache-idle-slots, --no-cache-idle-slots
                                        save idle slots
-kvu,  --kv-unified, -no-kvu, --no-kv-unified
                                        use single unified KV buffer
-a,    --alias STRING                   set model name aliases
--host HOST                             ip address, or unix socket if it ends with .sock
--embedding, --embeddings               restrict to embeddings
--pooling TYPE                          pooling type for embeddings
--ui,  --webui, --no-ui, --no-webui     whether to enable the Web UI
--metrics                               enable prometheus metrics
--slots, --no-slots                     expose slots monitoring endpoint
--slot-save-path PATH                   path to save slot kv cache
)";

Options parse_options(int argc, char** argv) {
  Options options;
  options.program = argv[0];
  options.all.assign(argv + 1, argv + argc);
  for (std::size_t i = 0; i < options.all.size(); ++i) {
    const std::string_view name = options.all[i];
    const std::string value = i + 1 < options.all.size() ? options.all[i + 1] : "";
    if (name == "-m" || name == "--model") {
      options.model = value;
    } else if (name == "--host") {
      options.host = value;
    } else if (name == "-a" || name == "--alias") {
      options.alias = value;
    } else if (name == "--slot-save-path") {
      options.slot_save_path = value.ends_with('/') ? value : value + "/";
    } else if (name == "-c" || name == "--ctx-size") {
      options.context = std::atoi(value.c_str());
    } else if (name == "-np" || name == "--parallel") {
      options.parallel = std::atoi(value.c_str());
    } else if (name == "--help") {
      options.help = true;
    } else if (name == "--list-devices") {
      options.list_devices = true;
    } else if (name == "--version") {
      options.version = true;
    }
  }
  if (options.alias.empty()) {
    options.alias = options.model;
  }
  return options;
}

}  // namespace hf::stub
