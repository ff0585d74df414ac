// The door of Insights: queries over what Logs has stored (docs/insights.md).
//
// Threads: any. Queries run on threads of their own.
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace securebase::aws {
class Operations;
}

namespace securebase::logs {
class Logs;
}

namespace securebase::logs::insights {

class Insights {
 public:
  // `directory` keeps saved queries. `logs` and `clock` outlive it.
  static Result<std::unique_ptr<Insights>> open(std::filesystem::path directory, const Logs& logs,
                                                const base::Clock& clock = base::system_clock());
  ~Insights();  // cancels what runs

  // StartQuery, GetQueryResults and the others about queries. This outlives `operations`.
  void add_operations(aws::Operations& operations);
  // What the command line asks; ask.h says in which words.
  Result<base::Json> ask(const base::Json& question);

 private:
  struct Engine;
  explicit Insights(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

}  // namespace securebase::logs::insights
