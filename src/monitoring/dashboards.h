// Dashboards: bodies in CloudWatch's JSON (API reference, "Dashboard Body Structure and Syntax"), checked when they are
// put, one file to each. Any thread; put and remove block on the disk and are there when they return.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "monitoring/alarms.h"

namespace securebase::monitoring {

struct DashboardMessage {
  std::string path;  // "/widgets/0/properties/metrics"
  std::string message;
};
struct DashboardCheck {
  std::vector<DashboardMessage> errors;    // it is not taken
  std::vector<DashboardMessage> warnings;  // it is, and this will not show as meant
};
DashboardCheck check_dashboard(std::string_view body);

class Dashboards {
 public:
  struct Entry {
    std::string name;
    std::string body;
    base::TimePoint modified;
    bool from_stack = false;
  };

  static Result<std::unique_ptr<Dashboards>> open(std::filesystem::path directory,
                                                  const base::Clock& clock = base::system_clock());

  // What the check says; kMalformed: the name, or the check has errors (which are in `check`). kLimit: too many.
  Result<Done> put(const std::string& name, const std::string& body, DashboardCheck& check);
  // All or none. kNotFound.
  Result<Done> remove(const std::vector<std::string>& names);
  std::optional<Entry> find(const std::string& name) const;
  std::vector<Entry> list(std::string_view prefix = {}) const;  // by name

  // Puts back what the stack says, and takes away what it said before and does not any more.
  Result<Done> apply(const AlarmsConfig& config);
  std::vector<stack::Drifted> drift() const;  // of the last apply, as Alarms::drift()

 private:
  Dashboards(std::filesystem::path directory, const base::Clock& clock)
      : directory_(std::move(directory)), clock_(clock) {}
  Result<Done> write(const Entry& entry);
  Result<Done> erase(const std::string& name);

  const std::filesystem::path directory_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::string> applied_;  // bodies, by name
};

}  // namespace securebase::monitoring
