// Bytes that change no more, shared by all copies of this: a stored response's body, or a part of one.
//
// Few lie in a string. Many lie in a memory file, sealed against changes (memfd_create(2), F_ADD_SEALS) and mapped for
// reading: a plain connection sends them with sendfile(2), which hands the file's pages to the socket instead of
// copying them. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace securebase::net {

// Where in a file bytes lie too. Below 0: in none.
struct FilePlace {
  int descriptor = -1;
  std::uint64_t offset = 0;

  explicit operator bool() const { return descriptor >= 0; }
};

class SharedBytes {
 public:
  // From here on a file is worth its two system calls more (measured: docs/http.md).
  static constexpr std::size_t kLeastInFile = std::size_t{32} << 10;

  SharedBytes() = default;
  SharedBytes(std::string bytes);                                      // NOLINT: implicit by design
  SharedBytes(const char* bytes) : SharedBytes(std::string(bytes)) {}  // NOLINT
  // What somebody else made; never in a file.
  SharedBytes(std::shared_ptr<const std::string> bytes);  // NOLINT
  // One after the other.
  static SharedBytes joined(std::span<const std::string_view> pieces);

  std::string_view bytes() const { return bytes_; }
  operator std::string_view() const { return bytes_; }  // NOLINT
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  friend bool operator==(const SharedBytes& a, std::string_view b) { return a.bytes_ == b; }

  // As std::string_view::substr; shares the memory.
  SharedBytes part(std::size_t offset, std::size_t length) const;
  // Where bytes() begins in a file, as long as a copy of this lives.
  FilePlace file() const;
  // What the memory behind it takes, also of the bytes that are not in this part.
  std::size_t memory() const;

 private:
  struct Memory;
  SharedBytes(std::shared_ptr<const Memory> memory, std::string_view bytes);

  std::shared_ptr<const Memory> memory_;  // null: no bytes
  std::string_view bytes_;
};

}  // namespace securebase::net
