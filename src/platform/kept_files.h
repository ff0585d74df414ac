// The files that a stack was read from and that its resources name, found, fingerprinted and copied.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"
#include "platform/platform.h"
#include "stack/stack.h"

namespace securebase::platform {

// Absolute paths. Of a file: the SHA-256 of its content in hexadecimal digits; of a symbolic link: "-> " and what it
// holds.
using KeptFiles = std::map<std::filesystem::path, std::string>;

inline constexpr std::uint64_t kMostKeptBytes = std::uint64_t{8} << 30;
inline constexpr std::size_t kMostKeptFiles = 100'000;

// Every file below the stack's directory and the roots that it may read, or beside it by a relative path, that was read
// or that an attribute of a resource names; of a directory all that is in it. `source` has canonical paths. kLimit: too
// many, or too large.
Result<KeptFiles> files_of(const stack::Stack& stack, const StackSource& source);

// An absolute path within `tree`.
std::filesystem::path within(const std::filesystem::path& tree, const std::filesystem::path& absolute);

// Copies `files` into `to`, all on disk when it returns. They lie below `from`, or where they are when `from` is empty;
// those that are in `linked` with the same content become hard links to the tree `linked_tree`. What changed meanwhile
// is kept as it is now, and `files` says so.
Result<Done> copy_files(KeptFiles& files, const std::filesystem::path& from, const std::filesystem::path& to,
                        const KeptFiles& linked, const std::filesystem::path& linked_tree);

// Whether a tree still holds what it was given.
Result<Done> verify_files(const KeptFiles& files, const std::filesystem::path& tree);

}  // namespace securebase::platform
