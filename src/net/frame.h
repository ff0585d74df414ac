// Memory of coroutine frames: freed frames are kept in small per-thread lists by size and given out again, since every
// request makes the same few. What a thread keeps is bounded.
#pragma once

#include <cstddef>

namespace securebase::net {

void* allocate_frame(std::size_t bytes);
void free_frame(void* frame, std::size_t bytes) noexcept;

}  // namespace securebase::net
