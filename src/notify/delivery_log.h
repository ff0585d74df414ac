// One line of JSON for each attempt, as SNS's delivery status logs have it, in <logs>/notify/deliveries.log. Bounded:
// beyond half of its size the file becomes deliveries.log.1, and the one before goes.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "net/event.h"

namespace securebase::notify {

class DeliveryLog {
 public:
  // `pool` outlives it.
  DeliveryLog(const std::filesystem::path& directory, std::size_t bytes, net::Pool& pool);
  ~DeliveryLog();  // writes what is there

  // Any thread, never waits; when the disk does not keep up, lines are dropped and counted.
  void write(const base::Json& line);
  std::uint64_t dropped() const;

  // The newest lines that `fits`, oldest first. Writes what waits, and reads both files.
  Result<std::vector<base::Json>> newest(std::size_t most, const std::function<bool(const base::Json&)>& fits) const;

 private:
  struct Shared;
  static void flush(Shared& shared);
  std::shared_ptr<Shared> shared_;  // with work that waits in the pool
  net::Pool& pool_;
};

}  // namespace securebase::notify
