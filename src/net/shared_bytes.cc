#include "net/shared_bytes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <variant>

#include "base/check.h"
#include "base/descriptor.h"

namespace securebase::net {

namespace {

constexpr std::size_t kPage = 4096;

// A quarter of the descriptors that the process may have, and of the mappings that a kernel gives (vm.max_map_count).
std::size_t most_files() {
  static const std::size_t most = [] {
    constexpr rlim_t kMappings = 65'530;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::size_t{0};
    return static_cast<std::size_t>(std::min(limit.rlim_cur, kMappings) / 4);
  }();
  return most;
}

std::atomic<std::size_t> files{0};

// Sealed and mapped.
class MemoryFile {
 public:
  MemoryFile() = default;
  MemoryFile(MemoryFile&& other) noexcept
      : descriptor_(std::move(other.descriptor_)), begin_(std::exchange(other.begin_, nullptr)), size_(other.size_) {}
  MemoryFile& operator=(MemoryFile&&) = delete;
  ~MemoryFile() {
    if (!begin_) return;
    ::munmap(begin_, size_);
    files.fetch_sub(1, std::memory_order_relaxed);
  }

  // False: the system gives none (any more), and nothing is left behind.
  bool fill(std::span<const std::string_view> pieces, std::size_t size) {
    if (files.fetch_add(1, std::memory_order_relaxed) >= most_files() || !write(pieces) || !map(size)) {
      files.fetch_sub(1, std::memory_order_relaxed);
      return false;
    }
    return true;
  }

  int descriptor() const { return descriptor_.number(); }
  std::string_view bytes() const { return {static_cast<const char*>(begin_), size_}; }

 private:
  bool write(std::span<const std::string_view> pieces) {
    descriptor_ = base::Descriptor(::memfd_create("securebase", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!descriptor_) return false;
    for (auto piece : pieces) {
      while (!piece.empty()) {
        const auto taken = ::write(descriptor_.number(), piece.data(), piece.size());
        if (taken < 0 && errno == EINTR) continue;
        if (taken <= 0) return false;
        piece.remove_prefix(static_cast<std::size_t>(taken));
      }
    }
    return ::fcntl(descriptor_.number(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
  }
  bool map(std::size_t size) {
    void* begin = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor_.number(), 0);
    if (begin == MAP_FAILED) return false;
    begin_ = begin;
    size_ = size;
    return true;
  }

  base::Descriptor descriptor_;
  void* begin_ = nullptr;  // null: not mapped
  std::size_t size_ = 0;
};

}  // namespace

struct SharedBytes::Memory {
  explicit Memory(std::string text) : held(std::move(text)) {}
  explicit Memory(std::shared_ptr<const std::string> text) : held(std::move(text)) {}
  explicit Memory(MemoryFile file) : held(std::move(file)) {}

  std::variant<std::string, std::shared_ptr<const std::string>, MemoryFile> held;
};

SharedBytes::SharedBytes(std::shared_ptr<const Memory> memory, std::string_view bytes)
    : memory_(std::move(memory)), bytes_(bytes) {}

SharedBytes::SharedBytes(std::string bytes) {
  if (bytes.empty()) return;
  if (bytes.size() >= kLeastInFile) {
    const std::string_view whole = bytes;
    *this = joined({&whole, 1});
    return;
  }
  memory_ = std::make_shared<const Memory>(std::move(bytes));
  bytes_ = std::get<std::string>(memory_->held);
}

SharedBytes::SharedBytes(std::shared_ptr<const std::string> bytes) {
  if (!bytes) return;
  bytes_ = *bytes;
  memory_ = std::make_shared<const Memory>(std::move(bytes));
}

SharedBytes SharedBytes::joined(std::span<const std::string_view> pieces) {
  std::size_t size = 0;
  for (const auto piece : pieces) size += piece.size();
  if (size == 0) return {};
  if (size >= kLeastInFile) {
    MemoryFile file;
    if (file.fill(pieces, size)) {
      const auto bytes = file.bytes();
      return {std::make_shared<const Memory>(std::move(file)), bytes};
    }
  }
  std::string text;
  text.reserve(size);
  for (const auto piece : pieces) text += piece;
  auto memory = std::make_shared<const Memory>(std::move(text));
  const std::string_view bytes = std::get<std::string>(memory->held);
  return {std::move(memory), bytes};
}

SharedBytes SharedBytes::part(std::size_t offset, std::size_t length) const {
  return {memory_, bytes_.substr(offset, length)};
}

FilePlace SharedBytes::file() const {
  const auto* file = memory_ ? std::get_if<MemoryFile>(&memory_->held) : nullptr;
  if (!file) return {};
  return {file->descriptor(), static_cast<std::uint64_t>(bytes_.data() - file->bytes().data())};
}

std::size_t SharedBytes::memory() const {
  if (!memory_) return 0;
  constexpr std::size_t kAround = sizeof(Memory) + 32;
  if (const auto* file = std::get_if<MemoryFile>(&memory_->held)) {
    return kAround + (file->bytes().size() + kPage - 1) / kPage * kPage;
  }
  if (const auto* text = std::get_if<std::string>(&memory_->held)) return kAround + text->capacity();
  return kAround + std::get<std::shared_ptr<const std::string>>(memory_->held)->capacity();
}

}  // namespace securebase::net
