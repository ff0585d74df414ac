// Code that came through the API: zips in <state>/functions/code, each named by the SHA-256 of its bytes, so that the
// same code lies there once. What put() gave is on disk. Any thread; blocks.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace securebase::functions {

class CodeStore {
 public:
  explicit CodeStore(std::filesystem::path directory);

  // Held while the code is not yet, or not surely, part of a configuration: collect() leaves it.
  class Pin {
   public:
    Pin(CodeStore& store, std::filesystem::path file) : store_(&store), file_(std::move(file)) {}
    Pin(Pin&& other) noexcept : store_(std::exchange(other.store_, nullptr)), file_(std::move(other.file_)) {}
    Pin& operator=(Pin&&) = delete;
    ~Pin();
    const std::filesystem::path& file() const { return file_; }

   private:
    CodeStore* store_;
    std::filesystem::path file_;
  };

  Result<Pin> put(std::string_view zip);
  // Removes what is not among `used` and not pinned.
  void collect(const std::set<std::filesystem::path>& used);

 private:
  const std::filesystem::path directory_;
  std::mutex mutex_;
  std::map<std::filesystem::path, int> pinned_;  // guarded by mutex_
};

}  // namespace securebase::functions
