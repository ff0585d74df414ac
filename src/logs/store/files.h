// System calls on files with their errors as values.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"

namespace securebase::logs {

// All of it, however often the system wants to be asked.
Result<Done> write_fully(int file, std::string_view bytes, const std::filesystem::path& path);
// What a rename or an unlink in it needs to outlast a power cut.
Result<Done> sync_directory(const std::filesystem::path& directory);

}  // namespace securebase::logs
