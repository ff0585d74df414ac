#include "net/frame.h"

#include <array>
#include <new>

namespace securebase::net {

namespace {

constexpr std::size_t kStep = 64;           // sizes are rounded up to this
constexpr std::size_t kClasses = 64;        // so frames up to 4 KiB are kept
constexpr std::size_t kKeptPerClass = 256;  // at most 256 * 4 KiB * 64 / 2 = 32 MiB a thread

struct FreeFrame {
  FreeFrame* next;
};

class Lists {
 public:
  ~Lists() {
    for (auto& list : lists_) {
      while (list.first) {
        FreeFrame* frame = list.first;
        list.first = frame->next;
        ::operator delete(frame);
      }
    }
  }

  void* take(std::size_t index) {
    auto& list = lists_[index];
    if (!list.first) return ::operator new((index + 1) * kStep);
    FreeFrame* frame = list.first;
    list.first = frame->next;
    --list.count;
    return frame;
  }

  void give(void* memory, std::size_t index) {
    auto& list = lists_[index];
    if (list.count == kKeptPerClass) {
      ::operator delete(memory);
      return;
    }
    list.first = new (memory) FreeFrame{list.first};
    ++list.count;
  }

 private:
  struct List {
    FreeFrame* first = nullptr;
    std::size_t count = 0;
  };
  std::array<List, kClasses> lists_;
};

thread_local Lists lists;

}  // namespace

#if defined(__SANITIZE_ADDRESS__)
// AddressSanitizer sees a use after free only if the memory is really freed.
void* allocate_frame(std::size_t bytes) { return ::operator new(bytes); }
void free_frame(void* frame, std::size_t) noexcept { ::operator delete(frame); }
#else
void* allocate_frame(std::size_t bytes) {
  const std::size_t index = (bytes - 1) / kStep;
  return index < kClasses ? lists.take(index) : ::operator new(bytes);
}

void free_frame(void* frame, std::size_t bytes) noexcept {
  const std::size_t index = (bytes - 1) / kStep;
  if (index < kClasses) {
    lists.give(frame, index);
  } else {
    ::operator delete(frame);
  }
}
#endif

}  // namespace securebase::net
