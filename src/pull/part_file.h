#pragma once
// A file that is being fetched: NAME.gguf.part, which no server takes for a model, with what is
// remembered of it in NAME.gguf.part.json. It is locked while it is open, so that two downloads
// never write one file, and becomes NAME.gguf by one rename, once it is whole. Blocking; one
// thread.

#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "pull/digest.h"
#include "pull/part_state.h"

namespace hf::pull {

class PartFile {
 public:
  // Opens or makes the part of `target`, and the folders above it. Errors: Unavailable (another
  // process fetches it), AlreadyExists (the target is there), PermissionDenied, Io.
  static Result<PartFile> open(const std::filesystem::path& target);
  PartFile(PartFile&& other) noexcept;
  PartFile& operator=(PartFile&&) = delete;
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  ~PartFile();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] const std::filesystem::path& target() const { return target_; }
  [[nodiscard]] Bytes size() const { return size_; }

  [[nodiscard]] std::optional<PartState> state() const;
  // Replaces what was remembered, or leaves it whole. Errors: ResourceExhausted, PermissionDenied,
  // Io.
  Status remember(const PartState& state) const;

  // Feeds what is there to `digest`; `seen` is called with the bytes so far and may end it by
  // returning false (Unavailable). Errors: Io.
  Status read_into(Digest& digest, const std::function<bool(Bytes)>& seen) const;
  // Errors: ResourceExhausted (the disk is full), Io.
  Status append(std::string_view bytes);
  Status empty();

  // Makes it the target: on the disk first, then under its name. Errors: AlreadyExists, Io.
  Status finish();
  // Removes part and memory of it.
  void remove();
  // An empty part that was made by open() is of no use to anybody.
  void remove_if_empty();

 private:
  PartFile(std::filesystem::path target, int descriptor, Bytes size);

  std::filesystem::path target_;
  std::filesystem::path path_;
  std::filesystem::path state_path_;
  std::filesystem::path new_state_path_;
  int descriptor_;
  Bytes size_;
};

// Bytes that a download into that folder may fill: what is free, less a reserve that leaves the
// machine alive. The folder need not exist yet. Errors: Io.
Result<Bytes> room_for_downloads(const std::filesystem::path& folder);

// The length and SHA-256 of a file, as PartFile::read_into. Errors: NotFound, Io.
Result<std::string> sha256_of(const std::filesystem::path& path,
                              const std::function<bool(Bytes)>& seen);

}  // namespace hf::pull
