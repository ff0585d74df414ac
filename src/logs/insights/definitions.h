// Queries that people have saved, in one file that is replaced whole. Any thread.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace securebase::logs::insights {

class Definitions {
 public:
  struct Definition {
    std::string id;
    std::string name;
    std::string text;
    std::vector<std::string> groups;
    base::TimePoint modified;
  };

  // Reads <directory>/insights-queries.json, if it is there.
  static Result<std::unique_ptr<Definitions>> open(std::filesystem::path directory);

  // An empty id makes a new one; gives its id. On disk when it returns. kNotFound: there is no such id. kLimit: there
  // are as many as may be.
  Result<std::string> put(Definition definition);
  Result<bool> remove(const std::string& id);
  // By name, those whose names begin with `prefix`.
  std::vector<Definition> list(std::string_view prefix) const;

 private:
  explicit Definitions(std::filesystem::path file) : file_(std::move(file)) {}
  Result<Done> save(const std::map<std::string, Definition>& definitions) const;

  const std::filesystem::path file_;
  mutable std::mutex mutex_;
  std::map<std::string, Definition> definitions_;  // by id; guarded by mutex_
};

}  // namespace securebase::logs::insights
