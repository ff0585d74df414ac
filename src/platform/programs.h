// The programs that `securebase env` puts in front of the PATH: names that people type against AWS, in <state>/bin.
// Each is a symbolic link to this program, which looks at the name it was called by (cli/main.cc).
#pragma once

#include <filesystem>

#include "base/result.h"

namespace securebase::platform {

// Makes what is missing or points elsewhere. Gives the directory.
Result<std::filesystem::path> lay_out_programs(const std::filesystem::path& state);

}  // namespace securebase::platform
