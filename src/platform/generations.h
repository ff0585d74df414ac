// The configurations that were in force, so that there is a way back: of each, everything that its stack was read from,
// the code of functions and the objects of buckets among it, as it was then. `securebase rollback` reads from here.
//
//   <state>/generations/7/generation.json   number, fingerprint, since when, and where its files were
//   <state>/generations/7/tree/...          those files, below their own absolute paths; files that the generation
//                                           before has too are links to it
//
// A generation without generation.json was torn by a crash, and is taken away at the next open.
// Threads: one at a time (the platform's mutex).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "platform/platform.h"
#include "stack/plan.h"
#include "stack/stack.h"

namespace securebase::platform {

struct Generation {
  std::uint64_t number = 0;
  std::string digest;  // of the files' paths from the stack's directory, their contents, and the variables
  base::TimePoint since;
  std::uint64_t back_to = 0;                           // made by a rollback to that one; 0: by files
  StackSource source;                                  // as it was given
  std::map<std::filesystem::path, std::string> files;  // absolute; with the SHA-256 of each

  std::string name() const;  // "generation 7 (c0ffee00c0ff)"
};

class Generations {
 public:
  static constexpr std::size_t kMost = 10;
  static constexpr std::uint64_t kMostBytes = std::uint64_t{2} << 30;  // of one

  static Result<Generations> open(std::filesystem::path directory);

  // Keeps what `stack` was read from, unless the newest generation is the same. kLimit: too large to be kept.
  Result<Done> keep(const stack::Stack& stack, const StackSource& source, base::TimePoint now);
  // As the newest, what the older one has.
  Result<Done> keep_again(const Generation& older, base::TimePoint now);

  const std::vector<Generation>& all() const { return all_; }  // oldest first
  const Generation* find(std::uint64_t number) const;
  // The one that a rollback goes back to: the newest that differs from the one in force. Null: there is none.
  const Generation* earlier() const;

  // To read the stack of a generation from where it is kept.
  StackSource kept_source(const Generation& generation) const;
  // Takes out of a plan what only says that files lie elsewhere.
  void forget_places(stack::Plan& plan) const;

 private:
  explicit Generations(std::filesystem::path directory) : directory_(std::move(directory)) {}
  std::filesystem::path folder(std::uint64_t number) const { return directory_ / std::to_string(number); }
  std::filesystem::path tree(const Generation& generation) const { return folder(generation.number) / "tree"; }
  Result<Done> add(Generation generation, const Generation* copied_from);
  Result<Done> copy_files(const Generation& generation, const Generation* from) const;

  std::filesystem::path directory_;
  std::vector<Generation> all_;
};

// The files that a stack was read from, and those that its resources name: absolute paths below the stack's directory
// and the roots that it may read, or beside it by a relative path.
std::vector<std::filesystem::path> files_of(const stack::Stack& stack, const StackSource& source);

}  // namespace securebase::platform
