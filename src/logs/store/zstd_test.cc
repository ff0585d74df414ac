#include "logs/store/zstd.h"

#include <gtest/gtest.h>
#include <zstd_errors.h>

namespace securebase::logs {
namespace {

// A block that is taken for damaged is left out until the next start: a moment without memory must not do that.
TEST(Zstd, AMomentWithoutMemoryIsNoDamage) {
  const auto code = [](ZSTD_ErrorCode error) { return static_cast<std::size_t>(-static_cast<std::ptrdiff_t>(error)); };
  EXPECT_EQ(decompression_error(code(ZSTD_error_memory_allocation)).code, Errc::kLimit);
  EXPECT_EQ(decompression_error(code(ZSTD_error_checksum_wrong)).code, Errc::kMalformed);
  EXPECT_EQ(decompression_error(code(ZSTD_error_corruption_detected)).code, Errc::kMalformed);
}

TEST(Zstd, WhatIsNotWhatWasWrittenIsMalformed) {
  const auto packed = compress(std::string(1000, 'a') + "b");
  std::string into;
  ASSERT_TRUE(decompress(packed, 1001, into));
  EXPECT_EQ(into.size(), 1001u);
  EXPECT_EQ(decompress(packed, 1002, into).error().code, Errc::kMalformed);
  auto rotten = packed;
  rotten.back() = static_cast<char>(rotten.back() ^ 1);
  EXPECT_EQ(decompress(rotten, 1001, into).error().code, Errc::kMalformed);
}

}  // namespace
}  // namespace securebase::logs
