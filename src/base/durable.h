// What has to be there after a power cut: bytes written to the end, and names that outlast it. All of it blocks: not
// for a worker's thread while it serves. Errors name the system call and the path.
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "base/result.h"

namespace securebase::base {

// All of it, however often the system wants to be asked. `path` is for the error.
Result<Done> write_all(int file, std::string_view bytes, const std::filesystem::path& path);

// What a name that was made, changed or removed in `directory` needs to outlast a power cut. An empty path is the
// working directory, as parent_path() of a plain name says it. One that may be written but not read cannot be asked to:
// that is no error.
Result<Done> sync_directory(const std::filesystem::path& directory);

// The file's name is gone, and stays gone. No error if it was not there.
Result<Done> remove_file(const std::filesystem::path& path);

// As replace_file of base/file.h, for what is too large to be in memory at once: `write` gives the new content to the
// function that it is given, piece by piece; an error of it leaves the old content. Only an error of the disk itself
// when the new name is synced leaves it open which of the two outlasts a power cut.
using TakePiece = std::function<Result<Done>(std::string_view piece)>;
Result<Done> replace_file_by_pieces(const std::filesystem::path& path,
                                    const std::function<Result<Done>(const TakePiece&)>& write, unsigned mode = 0644);

}  // namespace securebase::base
