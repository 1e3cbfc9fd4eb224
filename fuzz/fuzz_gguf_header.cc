// Feeds arbitrary bytes to the readers of GGUF files and what they accept to the cost model. Build
// and run:
//   clang++-14 -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -Isrc fuzz/fuzz_gguf_header.cc
//     src/gguf/{architecture,byte_source,cache_size,compute_size,cost,cursor,description}.cc
//     src/gguf/{file_type,header,identity,kind,metadata,repack,tensor_type,tensors}.cc
//     src/base/assert.cc -o fuzz_gguf_header
//   ./fuzz_gguf_header -max_total_time=30 -max_len=65536

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/assert.h"
#include "gguf/cost.h"
#include "gguf/description.h"
#include "gguf/header.h"
#include "gguf/kind.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hf::gguf;
  // The first byte says how much larger the file is than its bytes: headers often come without
  // data.
  const std::uint64_t beyond = size > 0 ? std::uint64_t{1} << (data[0] % 40U) : 0;
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(size > 0 ? 1 : 0);
  for (const Detail detail : {Detail::Brief, Detail::Whole}) {
    MemorySource described(bytes, bytes.size() + beyond);
    if (const auto description = parse_description(described, detail)) {
      HF_ASSERT(detail == Detail::Whole || description->tensors.empty(), "tensors in brief");
    }
  }
  MemorySource source(bytes, bytes.size() + beyond);
  const auto header = parse_header(source);
  if (!header) {
    return 0;
  }
  HF_ASSERT(header->tensors.total <= header->file_size, "tensors larger than their file");
  RunOptions options;
  options.context = default_context(*header);
  options.embeddings = kind_of(*header) == Kind::Embedding;
  options.cache_ram = default_cache_ram(header->tensors.total);
  options.ctx_checkpoints = 8;
  options.repack = Repack::Amx;
  HF_ASSERT(predict_cost(*header, options).total() > header->tensors.total,
            "a cost below its weights");
  return 0;
}
