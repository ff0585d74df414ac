#include "traces/store/frame.h"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "traces/store/id_filter.h"

namespace securebase::traces {

namespace {

constexpr int kLevel = 3;  // of zstd; 9 saves a tenth more and takes three times as long

std::uint32_t crc(std::string_view bytes, std::uint32_t before = 0) {
  return static_cast<std::uint32_t>(
      crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

std::string_view bytes_of(const std::vector<std::uint64_t>& words) {
  return {reinterpret_cast<const char*>(words.data()), words.size() * sizeof(std::uint64_t)};
}

}  // namespace

std::uint32_t head_checksum(const FrameHead& head, const std::vector<std::uint64_t>& filter) {
  return crc(bytes_of(filter), crc({reinterpret_cast<const char*>(&head), offsetof(FrameHead, checksum)}));
}

std::uint32_t payload_checksum(std::string_view payload) { return crc(payload); }

Result<Done> Store::read_at(const File& file, std::uint64_t at, char* into, std::size_t size) const {
  while (size > 0) {
    const auto got = settings_.read(file.file, into, size, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "pread", file.path.native());
    if (got == 0) return Error{Errc::kMalformed, fmt::format("{} is cut short", file.path.native())};
    at += static_cast<std::uint64_t>(got);
    into += got;
    size -= static_cast<std::size_t>(got);
  }
  return Done{};
}

Result<Done> write_at(int file, std::uint64_t at, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto wrote = pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return system_error(errno, "pwrite", "a file of traces");
    at += static_cast<std::uint64_t>(wrote);
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return Done{};
}

Store::File::~File() {
  if (file >= 0) close(file);
}

void Store::Frame::describe(const Records& records) {
  from = WallTime::max();
  to = WallTime::min();
  std::set<TraceId> ids;
  const auto see = [&](const TraceId& id, WallTime begin) {
    ids.insert(id);
    from = std::min(from, begin);
    to = std::max(to, begin);
  };
  for (const auto& record : records.hops) see(record.id, record.hops.empty() ? WallTime{} : record.hops.front().begin);
  for (const auto& document : records.documents) see(document.id, document.begin);
  traces = static_cast<std::uint32_t>(records.hops.size());
  filter = make_id_filter({ids.begin(), ids.end()}, kMostFilterWords);
}

Result<std::string> Store::Frame::write(std::string_view plain) {
  FrameHead head;
  std::string bytes(sizeof head, '\0');
  bytes += bytes_of(filter);
  payload_at = bytes.size();
  if (kind != FrameKind::kCovers) {
    bytes.resize(payload_at + ZSTD_compressBound(plain.size()));
    const auto size =
        ZSTD_compress(bytes.data() + payload_at, bytes.size() - payload_at, plain.data(), plain.size(), kLevel);
    if (ZSTD_isError(size)) return Error{Errc::kIo, fmt::format("zstd: {}", ZSTD_getErrorName(size))};
    bytes.resize(payload_at + size);
  }
  const std::string_view payload = std::string_view(bytes).substr(payload_at);
  payload_bytes = static_cast<std::uint32_t>(payload.size());
  payload_checksum = traces::payload_checksum(payload);
  head.kind = static_cast<std::uint16_t>(kind);
  head.filter_words = static_cast<std::uint16_t>(filter.size());
  head.payload_bytes = payload_bytes;
  head.payload_checksum = payload_checksum;
  head.from_ns = from.time_since_epoch().count();
  head.to_ns = to.time_since_epoch().count();
  head.traces = traces;
  head.checksum = head_checksum(head, filter);
  std::memcpy(bytes.data(), &head, sizeof head);
  return bytes;
}

namespace {

struct TimedHead {
  std::int64_t from_ns;
  std::int64_t to_ns;
  std::uint64_t bytes;
};

}  // namespace

void append_timed(std::string& payload, const TimedCounts& counts) {
  const TimedHead head{counts.from.time_since_epoch().count(), counts.to.time_since_epoch().count(),
                       counts.counts.size()};
  payload.append(reinterpret_cast<const char*>(&head), sizeof head);
  payload += counts.counts;
}

bool read_timed(std::string_view payload, std::vector<TimedCounts>& into) {
  while (!payload.empty()) {
    TimedHead head;
    if (payload.size() < sizeof head) return false;
    std::memcpy(&head, payload.data(), sizeof head);
    payload.remove_prefix(sizeof head);
    if (payload.size() < head.bytes) return false;
    into.push_back({WallTime{std::chrono::nanoseconds{head.from_ns}}, WallTime{std::chrono::nanoseconds{head.to_ns}},
                    payload.substr(0, head.bytes)});
    payload.remove_prefix(head.bytes);
  }
  return true;
}

}  // namespace securebase::traces
