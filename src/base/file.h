// Whole files, read and replaced. Blocking: not for a worker's thread while it serves.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace securebase::base {

// An error if the file is larger than `limit_bytes`.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit_bytes = std::size_t{256} << 20);

// Writes beside it, syncs, renames over: after a crash there is the old content or the new, never a part.
// `mode` is the new file's permissions, whatever the umask.
Result<Done> replace_file(const std::filesystem::path& path, std::string_view bytes, unsigned mode = 0644);

// With its parents. No error if it is there.
Result<Done> make_directory(const std::filesystem::path& path, unsigned mode = 0755);

// The regular files below `directory`, as sorted paths relative to it; symbolic links are not followed.
Result<std::vector<std::filesystem::path>> files_below(const std::filesystem::path& directory);

}  // namespace securebase::base
