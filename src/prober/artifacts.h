// What canaries' scripts leave: pictures and files, of the last runs, and of bounded size.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace securebase::prober {

struct ArtifactLimits {
  std::uint64_t bytes = std::uint64_t{64} << 20;  // of one run
  std::size_t files = 1000;
  std::size_t runs = 5;  // of a canary
};

// Moves what a run made to `place`/`run`, and removes the oldest runs there. Files beyond the limits are left out, in
// the order of their names; a link, a socket and the like as well, for nothing of it is the run's. How many were left
// out. Blocks.
std::size_t keep_artifacts(const std::filesystem::path& made, const std::filesystem::path& place,
                           const std::string& run, const ArtifactLimits& limits = {});

}  // namespace securebase::prober
