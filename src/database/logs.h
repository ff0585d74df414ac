// The server's log files, by the names that RDS gives them:
//   error/postgresql.log                what the server says, as it says it, and .1, the file before
//   slowquery/postgresql-slowquery.log  of it, the statements that took longer than log_min_duration_statement, and .1
//
// The server appends to the first itself; the second is made of it by catch_up(), which resumes where it stopped, also
// after a crash of the platform (at worst, one batch is there twice).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace securebase::database {

// "%t:%r:%u@%d:[%p]:", RDS's own, by which entries are told apart.
extern const char* const kLogLinePrefix;

// Picks the entries of slow statements from the lines of a log. Lines that begin with a tab continue a message
// (PostgreSQL writes every line break within one so), and DETAIL, CONTEXT and the like of the same process belong to
// it; so no statement can forge an entry.
class SlowEntries {
 public:
  // Of a whole line, with or without its line break: is it part of a slow statement's entry?
  bool take(std::string_view line);

 private:
  bool within_ = false;
  std::string prefix_;  // of the entry, up to "[pid]:"
};

// When the entry that begins with this line was written; nullopt: it has no stamp of kLogLinePrefix.
std::optional<base::TimePoint> time_of_entry(std::string_view line);

class Logs {
 public:
  // Told of each slow statement's whole entry once it is in the slow query log; without its last line break.
  using OnEntry = std::function<void(std::string_view entry)>;
  // `directory` holds postgresql.log, which the server writes.
  explicit Logs(std::filesystem::path directory, std::uint64_t slow_file_bytes = std::uint64_t{16} << 20,
                OnEntry on_entry = {});

  struct File {
    std::string name;
    base::TimePoint written;
    std::uint64_t bytes = 0;
  };
  // By name.
  std::vector<File> list() const;

  struct Portion {
    std::string text;    // UTF-8; control characters are '?'
    std::string marker;  // where the next portion begins
    bool more = false;
  };
  // From `marker` on ("0": the begin), at most `lines` and 1 MiB. Without a marker, the last lines. kNotFound: no such
  // file. kMalformed: no marker of this file.
  Result<Portion> read(std::string_view name, const std::optional<std::string>& marker,
                       std::optional<std::size_t> lines) const;

  // Brings the slow query log up to date. Any thread.
  Result<Done> catch_up();

 private:
  Result<Done> copy_slow(const std::filesystem::path& from, std::uint64_t& at);
  Result<Done> append(const std::string& entries);
  void tell(std::string_view entries) const;
  std::optional<std::filesystem::path> path_of(std::string_view name) const;

  const std::filesystem::path directory_;
  const std::uint64_t slow_file_bytes_;
  const OnEntry on_entry_;
  std::mutex mutex_;  // guards what follows
  SlowEntries entries_;
  std::optional<std::uint64_t> at_;  // in postgresql.log; nullopt: not yet known
  std::uint64_t kept_at_ = 0;        // what the file of the position says
};

}  // namespace securebase::database
