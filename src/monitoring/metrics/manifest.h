// Which files of the directory count, and from which ingest log on the samples are in none of them. Replaced whole, so
// that a flush or a merge happens at one moment or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/result.h"
#include "monitoring/metrics/segment.h"

namespace securebase::monitoring {

struct Manifest {
  std::uint64_t next_sequence = 1;
  std::uint64_t first_log = 1;
  std::vector<SegmentName> segments;
};

// A directory without one: an empty store.
Result<Manifest> read_manifest(const std::filesystem::path& directory);
// On disk when it returns.
Result<Done> write_manifest(const std::filesystem::path& directory, const Manifest& manifest);

}  // namespace securebase::monitoring
