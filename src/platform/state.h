// The state directory: one platform at a time, one folder to a room. docs/state.md lists what lies where.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace securebase::platform {

class State {
 public:
  // Makes the directory where it is missing, and locks it for the life of the State. kConflict: another platform runs
  // on it, named by its process id. kDenied: it is another user's.
  static Result<State> open(std::filesystem::path directory);
  State(State&& other) noexcept;
  State& operator=(State&&) = delete;
  ~State();

  const std::filesystem::path& directory() const { return directory_; }
  // The folder of a room.
  std::filesystem::path of(std::string_view room) const { return directory_ / room; }

 private:
  State(std::filesystem::path directory, int lock) : directory_(std::move(directory)), lock_(lock) {}
  std::filesystem::path directory_;
  int lock_;
};

}  // namespace securebase::platform
