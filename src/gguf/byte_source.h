#pragma once
// Where header bytes come from: a file or memory. Exists so that the parser can be fed by a fuzzer
// and by tests without a disk. Files are read by pread, never mapped: a mapped file that shrinks
// kills its reader. Not thread safe; use one from one thread at a time.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "base/result.h"

namespace hf::gguf {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Size of the whole file in bytes; what is checked against, not what must be readable.
  virtual std::uint64_t size() const = 0;
  // Reads up to into.size() bytes from `offset` and returns how many; 0 = nothing there (any more).
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) = 0;
};

// Bytes in memory, for tests and the fuzzer. `file_size` may exceed the bytes (a header without its
// tensors). The bytes must outlive it.
class MemorySource final : public ByteSource {
 public:
  MemorySource(std::span<const std::byte> bytes, std::uint64_t file_size)
      : bytes_(bytes), file_size_(file_size) {}
  std::uint64_t size() const override { return file_size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override;

 private:
  std::span<const std::byte> bytes_;
  std::uint64_t file_size_;
};

// A regular file. Owns its descriptor (close-on-exec). Errors of open: NotFound, PermissionDenied,
// Unsupported (not a regular file; a fifo is never waited for), Io.
class FileSource final : public ByteSource {
 public:
  static Result<FileSource> open(const std::filesystem::path& path);
  FileSource(FileSource&& other) noexcept;
  FileSource& operator=(FileSource&&) = delete;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override;

  int descriptor() const { return descriptor_; }
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override;

 private:
  FileSource(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
  int descriptor_;
  std::uint64_t size_;
};

}  // namespace hf::gguf
