// The door of the prober: whether the platform answers, as somebody outside its process sees it.
//
//   platform --starts--> prober (a process of its own) --GET each second--> the edge's port
//                           | appends a line for each probe
//                           v
//                        <state>/uptime/probes.<n>  <--reads-- Journal reader in the platform --> metrics
//
// A platform that hangs is found out because the prober is another process and writes its journal itself. A platform
// that is killed takes its prober with it: for that there is the heartbeat, a time stamp on disk that is renewed each
// second; the gap that a start finds is the outage, unless an orderly stop stands behind it (an operator may stop what
// is his; that is no failure).
//
// Threads: a value or an object for one thread at a time; everything here blocks on files.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace securebase::prober {

// What is asked: one GET on a new connection, as a viewer who comes for the first time.
struct Target {
  std::string name;  // "portal": letters, digits, '-' and '_'
  std::string url;   // "http://127.0.0.1:8080/api/v1/health"
  std::string host;  // the Host field, where it is not the URL's
  bool operator==(const Target&) const = default;
};

struct Probe {
  std::string target;  // its name
  base::TimePoint begin;
  int status = 0;                           // of the answer; 0: none came
  std::chrono::microseconds first_byte{0};  // from the beginning, connection included, to the end of the answer's head
  std::chrono::microseconds total{0};       // to its last byte, or to the failure
  // An answer with a status below 400, within the time limit.
  bool succeeded() const { return status >= 200 && status < 400; }
  bool operator==(const Probe&) const = default;
};

// --- the journal --------------------------------------------------------------------------------------------------

// Lines of text: probes ("1795733347680123 portal 200 812 1204"), or runs of canaries (canary.h). Two files that take
// turns: the older is emptied when the newer has grown to `kJournalBytes`, some hours of probes, far more than a reader
// is ever behind. Their names begin with `prefix`.
inline constexpr std::string_view kProbes = "probes.";
inline constexpr std::string_view kRuns = "runs.";
inline constexpr std::size_t kJournalBytes = std::size_t{4} << 20;

class JournalWriter {
 public:
  static Result<JournalWriter> open(const std::filesystem::path& directory, std::string_view prefix = kProbes);
  JournalWriter(JournalWriter&& other) noexcept;
  JournalWriter& operator=(JournalWriter&& other) noexcept;
  ~JournalWriter();
  // One write(2): a reader sees the line whole or not at all, save after a crash of the machine.
  Result<Done> append(const Probe& probe);
  Result<Done> append_line(const std::string& line);

 private:
  JournalWriter(std::filesystem::path directory, std::string_view prefix, std::uint64_t number, int file);
  std::filesystem::path directory_;
  std::string_view prefix_;
  std::uint64_t number_ = 0;
  int file_ = -1;
  std::size_t bytes_ = 0;
};

// Follows a journal. Where it is, is kept by whoever reads (Position), so that nothing is read twice over restarts.
struct Position {
  std::uint64_t file = 0;
  std::uint64_t offset = 0;
  bool operator==(const Position&) const = default;
};
// As whoever reads keeps it in a file, "3 81920"; a file that is none is the journal's beginning. It is kept when what
// was read before it is on disk where it went: a kill in between makes that be read again, rather than lost.
Position read_position(const std::filesystem::path& file);
Result<Done> write_position(const std::filesystem::path& file, const Position& position);

class JournalReader {
 public:
  JournalReader(std::filesystem::path directory, Position position, std::string_view prefix = kProbes);
  // What has come since; at most `most`. Lines that are none are counted in skipped() and left out.
  Result<std::vector<Probe>> read(std::size_t most = 4096);
  Result<std::vector<std::string>> read_lines(std::size_t most = 4096);
  Position position() const { return position_; }
  std::uint64_t skipped() const { return skipped_; }

 private:
  std::filesystem::path directory_;
  std::string_view prefix_;
  Position position_;
  std::uint64_t skipped_ = 0;
};

std::string to_line(const Probe& probe);
// nullopt: not a line of a journal.
std::optional<Probe> from_line(std::string_view line);

// --- the heartbeat ------------------------------------------------------------------------------------------------

struct Outage {
  base::TimePoint from;  // the last beat
  base::TimePoint to;    // the start that found it
  bool operator==(const Outage&) const = default;
};

class Heartbeat {
 public:
  // Reads what the last run left. `outage()` tells the gap, if the last run ended without stop() more than `kTolerance`
  // ago; then the file stays as it is until the first beat(), which comes when the outage is on disk: a start that is
  // killed before finds it again. Without a gap it beats at once.
  static constexpr std::chrono::seconds kTolerance{2};
  static Result<Heartbeat> begin(const std::filesystem::path& file, base::TimePoint now);
  const std::optional<Outage>& outage() const { return outage_; }
  Result<Done> beat(base::TimePoint now);
  // An orderly stop: the gap that follows is none.
  Result<Done> stop(base::TimePoint now);

 private:
  explicit Heartbeat(std::filesystem::path file) : file_(std::move(file)) {}
  std::filesystem::path file_;
  std::optional<Outage> outage_;
};

// --- the process --------------------------------------------------------------------------------------------------

struct Settings {
  std::filesystem::path directory;  // of the journal
  std::chrono::milliseconds interval{1000};
  std::chrono::milliseconds limit{5000};  // of one probe; beyond, it has failed
  std::vector<Target> targets;            // each is asked once in every interval
  std::filesystem::path canaries;         // the file of the canaries (canary.h); runs are kept beside it. Empty: none
};

// The words of a command line that helper_main() understands, behind the program's name.
std::vector<std::string> arguments(const Settings& settings);
// The first thing in main(), beside the warden's: when this process was started to be the prober, probes until SIGTERM
// and gives the exit code; nullopt otherwise, at once.
std::optional<int> prober_main(int argc, char** argv);

}  // namespace securebase::prober
