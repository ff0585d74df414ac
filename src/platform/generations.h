// The configurations that were in force, so that there is a way back: of each, everything that its stack was read from,
// the code of functions and the objects of buckets among it, as it was then. `securebase rollback` reads from here.
//
//   <state>/generations/7/generation.json   number, digest, since when, and where its files were
//   <state>/generations/7/tree/...          those files, below their own absolute paths; files that the generation
//                                           before has too are hard links to it, symbolic links are kept as such
//
// The manifest is written last, when all files are on disk: a folder without one was torn by a crash, and goes at the
// next open. Threads: one at a time (the platform's mutex).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "platform/kept_files.h"
#include "platform/platform.h"
#include "stack/plan.h"
#include "stack/stack.h"

namespace securebase::platform {

struct Generation {
  std::uint64_t number = 0;
  std::string digest;  // of the files' paths from the stack's directory, their contents, and the variables
  base::TimePoint since;
  std::uint64_t back_to = 0;  // made by a rollback to that one; 0: by files
  StackSource source;         // as it was given, with canonical paths and the TF_VAR_ variables of then
  KeptFiles files;

  std::string name() const;  // "generation 7 (c0ffee00c0ff)"
};

class Generations {
 public:
  static constexpr std::size_t kMost = 10;

  // What cannot be read but is not torn is left where it is, left out, and told in the log.
  static Result<Generations> open(std::filesystem::path directory);

  // Where the directory could not be read.
  static Generations nothing_kept(std::filesystem::path directory) { return Generations(std::move(directory)); }

  // Keeps what `stack` was read from, as the newest, unless the one in force is the same. kLimit: too large; kIo. In
  // both cases nothing is kept, and nothing goes.
  Result<std::uint64_t> keep(const stack::Stack& stack, const StackSource& source, base::TimePoint now);
  // As the newest, what the older one has.
  Result<std::uint64_t> keep_again(const Generation& older, base::TimePoint now);
  // Which one came into force; nullopt: a configuration that could not be kept. Only then do the oldest go, and never
  // this one.
  void in_force(std::optional<std::uint64_t> number);
  // What was kept for a change that then was not made.
  void drop(std::uint64_t number);

  const std::vector<Generation>& all() const { return all_; }  // oldest first
  const Generation* find(std::uint64_t number) const;
  const Generation* current() const { return current_ ? find(*current_) : nullptr; }
  // The one that a rollback goes back to: the newest that differs from the one in force. Null: there is none.
  const Generation* earlier() const;

  // Where the stack of a generation is read from. kIo, kMalformed: a kept file is not what it was.
  Result<StackSource> kept_source(const Generation& generation) const;
  // kUnsupported: a resource names a file by its absolute path, so what would be read is the file of today.
  Result<Done> check_read_back(const Generation& generation, const stack::Stack& stack) const;

  // Takes out of a plan what only says that files lie elsewhere, and out of a text where they are kept.
  void forget_places(stack::Plan& plan) const;
  std::string without_places(std::string text) const;

 private:
  explicit Generations(std::filesystem::path directory) : directory_(std::move(directory)) {}
  std::filesystem::path folder(std::uint64_t number) const { return directory_ / std::to_string(number); }
  std::filesystem::path tree(const Generation& generation) const { return folder(generation.number) / "tree"; }
  // `from`: the tree that the files are copied from; empty: from where they are.
  Result<std::uint64_t> add(Generation generation, const std::filesystem::path& from);

  std::filesystem::path directory_;
  std::vector<Generation> all_;
  std::optional<std::uint64_t> current_;
};

}  // namespace securebase::platform
