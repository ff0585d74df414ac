// Which SecureBase this is. The build defines SECUREBASE_VERSION from the project's own number (CMakeLists.txt).
#pragma once

namespace securebase::cli {
inline constexpr const char* kVersion = SECUREBASE_VERSION;
}  // namespace securebase::cli
