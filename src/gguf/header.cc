#include "gguf/header.h"

#include <algorithm>
#include <utility>

#include "gguf/cursor.h"
#include "gguf/metadata.h"
#include "gguf/tensors.h"

namespace hf::gguf {
namespace {

constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF", little endian
constexpr std::uint32_t kOldestVersion =
    2;  // version 1 had other widths; the engine refuses it too
constexpr std::uint32_t kNewestVersion = 3;
constexpr std::uint32_t kSwappedVersionMask = 0xFFFF;  // a small number in the other byte order

std::uint32_t take_version(Cursor& cursor) {
  if (const std::uint32_t magic = cursor.take_u32(); cursor.ok() && magic != kMagic) {
    cursor.fail_with(Errc::Corrupt, "not a GGUF file");
  }
  const std::uint32_t version = cursor.take_u32();
  if (!cursor.ok()) {
    return 0;
  }
  if (version != 0 && (version & kSwappedVersionMask) == 0) {
    cursor.fail_with(Errc::Unsupported, "a big-endian GGUF file");
  } else if (version < kOldestVersion || version > kNewestVersion) {
    cursor.fail_with(Errc::Unsupported, "GGUF version " + std::to_string(version));
  }
  return version;
}

}  // namespace

std::uint32_t PerLayer::at(std::uint32_t layer, std::uint32_t otherwise) const {
  if (values.size() == 1) {
    return values[0];
  }
  return layer < values.size() ? values[layer] : otherwise;
}

std::uint32_t PerLayer::largest() const {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

bool Header::has_recurrent_state() const {
  return ssm_inner_size != 0 || ssm_conv_kernel != 0 || wkv_head_size != 0 ||
         shortconv_l_cache != 0 || kda_head_dim != 0 || recurrent_layers.largest() != 0;
}

Result<Header> parse_header(ByteSource& source) {
  Cursor cursor(source);
  Header header;
  header.file_size = Bytes(static_cast<std::int64_t>(source.size()));
  header.version = take_version(cursor);
  const std::uint64_t tensor_count = cursor.take_u64();
  const std::uint64_t pair_count = cursor.take_u64();
  MetadataExtras extras;
  if (cursor.ok()) {
    extras = read_metadata(cursor, pair_count, header);
  }
  if (cursor.ok()) {
    read_tensors(cursor, tensor_count, extras.alignment, header);
  }
  if (!cursor.ok()) {
    return fail(cursor.error());
  }
  return header;
}

Result<Header> read_header(const std::filesystem::path& path) {
  auto file = FileSource::open(path);
  if (!file) {
    return fail(std::move(file).error());
  }
  return parse_header(*file);
}

}  // namespace hf::gguf
