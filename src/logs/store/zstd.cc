#include "logs/store/zstd.h"

#include <fmt/format.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <memory>

namespace securebase::logs {

namespace {

constexpr int kLevel = 3;  // 1 is a third faster and a tenth larger on function logs

constexpr std::size_t kLeastPiece = 512;  // a shorter one goes with what stands before it
constexpr std::size_t kCostOfCut = 64;    // a block's head, at most, and what zstd rounds up

struct FreeZstd {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

std::string compress(std::string_view bytes, std::span<const std::size_t> cuts) {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeZstd> context = [] {
    std::unique_ptr<ZSTD_CCtx, FreeZstd> made(ZSTD_createCCtx());
    check(made != nullptr, "zstd has memory");
    ZSTD_CCtx_setParameter(made.get(), ZSTD_c_compressionLevel, kLevel);
    ZSTD_CCtx_setParameter(made.get(), ZSTD_c_checksumFlag, 1);
    return made;
  }();
  std::string out(ZSTD_compressBound(bytes.size()) + cuts.size() * kCostOfCut, '\0');
  ZSTD_CCtx_reset(context.get(), ZSTD_reset_session_only);
  ZSTD_CCtx_setPledgedSrcSize(context.get(), bytes.size());
  ZSTD_outBuffer into{out.data(), out.size(), 0};
  std::size_t begin = 0;
  const auto put = [&](std::size_t end, ZSTD_EndDirective directive) {
    ZSTD_inBuffer from{bytes.data() + begin, end - begin, 0};
    const auto left = ZSTD_compressStream2(context.get(), &into, &from, directive);
    check(left == 0, "zstd compresses into a buffer of its own bound");
    begin = end;
  };
  for (const auto cut : cuts) {
    if (cut >= begin + kLeastPiece && cut + kLeastPiece <= bytes.size()) put(cut, ZSTD_e_flush);
  }
  put(bytes.size(), ZSTD_e_end);
  out.resize(into.pos);
  out.shrink_to_fit();
  return out;
}

Error decompression_error(std::size_t code) {
  const auto what = fmt::format("compressed log columns cannot be read: {}", ZSTD_getErrorName(code));
  return {ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation ? Errc::kLimit : Errc::kMalformed, what};
}

Result<Done> decompress(std::string_view bytes, std::size_t raw_bytes, std::string& into) {
  thread_local std::unique_ptr<ZSTD_DCtx, FreeZstd> context;
  if (!context) context.reset(ZSTD_createDCtx());
  if (!context) return Error{Errc::kLimit, "compressed log columns cannot be read: there is no memory for it"};
  into.resize(raw_bytes);
  const auto size = ZSTD_decompressDCtx(context.get(), into.data(), into.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size)) return decompression_error(size);
  if (size != raw_bytes) {
    return Error{Errc::kMalformed, fmt::format("compressed log columns hold {} bytes, not {}", size, raw_bytes)};
  }
  return Done{};
}

}  // namespace securebase::logs
