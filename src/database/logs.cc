#include "database/logs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fstream>

#include "base/file.h"

namespace securebase::database {

namespace fs = std::filesystem;

const char* const kLogLinePrefix = "%t:%r:%u@%d:[%p]:";

namespace {

constexpr std::size_t kPieceBytes = 1 << 20;  // RDS's own limit of a portion, and how much is looked at at once
constexpr std::size_t kMostLines = 10'000;    // RDS's own
constexpr const char* kServerLog = "postgresql.log";
constexpr const char* kSlowLog = "slowquery.log";
constexpr const char* kPosition = "slowquery.position";

// RDS's name and ours.
constexpr std::array<std::pair<std::string_view, const char*>, 4> kFiles = {{
    {"error/postgresql.log", "postgresql.log"},
    {"error/postgresql.log.1", "postgresql.log.1"},
    {"slowquery/postgresql-slowquery.log", "slowquery.log"},
    {"slowquery/postgresql-slowquery.log.1", "slowquery.log.1"},
}};

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// "2026-01-24 00:00:00 UTC:127.0.0.1(5):user@db:[812]:" of a line, or nothing. A role or database may hold any
// character, so the first "[digits]:" that a severity follows ends it.
std::string_view prefix_of(std::string_view line) {
  if (line.size() < 24 || !is_digit(line[0]) || line[4] != '-' || line[7] != '-' || line[10] != ' ') return {};
  for (auto at = line.find(":["); at != std::string_view::npos; at = line.find(":[", at + 1)) {
    auto end = at + 2;
    while (end < line.size() && is_digit(line[end])) ++end;
    const bool closes = end > at + 2 && line.substr(end, 2) == "]:";
    if (closes && end + 2 < line.size() && std::isupper(static_cast<unsigned char>(line[end + 2])) != 0) {
      return line.substr(0, end + 2);
    }
  }
  return {};
}

// postgres.c, check_log_duration: "duration: 123.456 ms  statement: ..." and "  execute name: ...". What log_duration
// alone makes ends behind "ms".
bool is_slow_statement(std::string_view message) {
  constexpr std::string_view kStart = "LOG:  duration: ";
  if (!message.starts_with(kStart)) return false;
  const auto unit = message.find(" ms  ", kStart.size());
  if (unit == std::string_view::npos) return false;
  const auto number = message.substr(kStart.size(), unit - kStart.size());
  return number.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool continues(std::string_view message) {
  for (const char* word : {"DETAIL:", "HINT:", "CONTEXT:", "STATEMENT:", "QUERY:"}) {
    if (message.starts_with(word)) return true;
  }
  return false;
}

Result<std::string> read_piece(const fs::path& path, std::uint64_t from, std::size_t most) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return system_error(errno, "open", path.native());
  std::string piece(most, '\0');
  const ssize_t got = pread(file, piece.data(), piece.size(), static_cast<off_t>(from));
  const int failure = errno;
  close(file);
  if (got < 0) return system_error(failure, "read", path.native());
  piece.resize(static_cast<std::size_t>(got));
  return piece;
}

std::uint64_t size_of(const fs::path& path) {
  std::error_code failure;
  const auto size = fs::file_size(path, failure);
  return failure ? 0 : size;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// How many bytes of well-formed UTF-8 begin here; 0: none (RFC 3629 §4, without overlong forms and surrogates).
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (at(i) & 0xc0U) == 0x80U; };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (first == 0xe0 && at(1) < 0xa0) return 0;
    if (first == 0xed && at(1) > 0x9f) return 0;
    return follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (first == 0xf0 && at(1) < 0x90) return 0;
    if (first == 0xf4 && at(1) > 0x8f) return 0;
    return follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

std::string printable(std::string_view text) {
  std::string made;
  made.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = utf8_length(text.substr(i));
    const bool control = (byte < 0x20 && byte != '\n' && byte != '\t' && byte != '\r') || byte == 0x7f;
    if (length == 0 || control) {
      made += '?';
      ++i;
    } else {
      made += text.substr(i, length);
      i += length;
    }
  }
  return made;
}

}  // namespace

bool SlowEntries::take(std::string_view line) {
  if (line.starts_with('\t')) return within_;
  const auto prefix = prefix_of(line);
  const auto message = line.substr(prefix.size());
  if (within_ && !prefix.empty() && prefix == prefix_ && continues(message)) return true;
  within_ = !prefix.empty() && is_slow_statement(message);
  if (within_) prefix_ = prefix;
  return within_;
}

// "2026-01-24 00:00:00 UTC:": the server's log_timezone is UTC, as RDS's.
std::optional<base::TimePoint> time_of_entry(std::string_view line) {
  const auto prefix = prefix_of(line);
  if (prefix.size() < 24) return std::nullopt;
  const auto digits = [&](std::size_t at, std::size_t count) { return number_of(prefix.substr(at, count)); };
  const auto year = digits(0, 4);
  const auto month = digits(5, 2);
  const auto day = digits(8, 2);
  const auto hour = digits(11, 2);
  const auto minute = digits(14, 2);
  const auto second = digits(17, 2);
  if (!year || !month || !day || !hour || !minute || !second || prefix.substr(19, 5) != " UTC:") return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return base::TimePoint(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(*hour) +
                         std::chrono::minutes(*minute) + std::chrono::seconds(*second));
}

Logs::Logs(fs::path directory, std::uint64_t slow_file_bytes, OnEntry on_entry)
    : directory_(std::move(directory)), slow_file_bytes_(slow_file_bytes), on_entry_(std::move(on_entry)) {}

// An entry begins with a slow statement's line; what follows belongs to it.
void Logs::tell(std::string_view entries) const {
  if (!on_entry_) return;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < entries.size();) {
    const auto line = entries.substr(at, std::min(entries.find('\n', at), entries.size()) - at);
    const auto prefix = prefix_of(line);
    if (at > begin && !prefix.empty() && is_slow_statement(line.substr(prefix.size()))) {
      on_entry_(entries.substr(begin, at - 1 - begin));
      begin = at;
    }
    at += line.size() + 1;
  }
  auto last = entries.substr(begin);
  if (last.ends_with('\n')) last.remove_suffix(1);
  if (!last.empty()) on_entry_(last);
}

std::optional<fs::path> Logs::path_of(std::string_view name) const {
  for (const auto& [known, file] : kFiles) {
    if (known == name) return directory_ / file;
  }
  return std::nullopt;
}

std::vector<Logs::File> Logs::list() const {
  std::vector<File> files;
  for (const auto& [name, file] : kFiles) {
    struct stat found {};
    if (stat((directory_ / file).c_str(), &found) != 0) continue;
    const auto since_epoch =
        std::chrono::seconds(found.st_mtim.tv_sec) +
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::nanoseconds(found.st_mtim.tv_nsec));
    files.push_back({std::string(name), base::TimePoint(since_epoch), static_cast<std::uint64_t>(found.st_size)});
  }
  return files;
}

Result<Logs::Portion> Logs::read(std::string_view name, const std::optional<std::string>& marker,
                                 std::optional<std::size_t> lines) const {
  const auto path = path_of(name);
  if (!path || !fs::exists(*path)) return Error{Errc::kNotFound, fmt::format("there is no log file \"{}\"", name)};
  const std::uint64_t size = size_of(*path);
  const std::size_t most_lines = std::min(lines.value_or(kMostLines), kMostLines);
  std::uint64_t from = size > kPieceBytes ? size - kPieceBytes : 0;
  if (marker) {
    const auto given = number_of(*marker);
    if (!given) return Error{Errc::kMalformed, fmt::format("\"{}\" is no marker of {}", *marker, name)};
    from = *given > size ? 0 : *given;  // the file was cut since
  }
  auto piece = read_piece(*path, from, kPieceBytes);
  if (!piece) return piece.error();
  std::string_view text = *piece;
  if (!marker && from > 0) {  // begins within a line
    const auto cut = std::min(text.find('\n') + 1, text.size());
    text.remove_prefix(cut);
    from += cut;
  }
  if (from + text.size() < size) {
    if (const auto last = text.rfind('\n'); last != std::string_view::npos) text = text.substr(0, last + 1);
  }
  if (marker) {
    std::size_t end = 0;
    for (std::size_t i = 0; i < most_lines && end < text.size(); ++i) {
      end = std::min(text.find('\n', end), text.size() - 1) + 1;
    }
    text = text.substr(0, end);
  } else {
    std::size_t begin = text.size();
    for (std::size_t i = 0; i < most_lines && begin > 0; ++i) {
      const auto before = begin < 2 ? std::string_view::npos : text.rfind('\n', begin - 2);
      begin = before == std::string_view::npos ? 0 : before + 1;
    }
    from += begin;
    text.remove_prefix(begin);
  }
  const std::uint64_t end = from + text.size();
  return Portion{printable(text), std::to_string(end), end < size};
}

Result<Done> Logs::catch_up() {
  const std::lock_guard lock(mutex_);
  const fs::path log = directory_ / kServerLog;
  if (!fs::exists(log)) return Done{};
  if (!fs::exists(directory_ / kSlowLog)) {
    if (auto made = append(""); !made) return made;  // it is there from the begin on, as RDS' is
  }
  if (!at_) {
    auto text = base::read_file(directory_ / kPosition, 64);
    at_ = kept_at_ = text ? number_of(*text).value_or(0) : 0;
  }
  const std::uint64_t slow_before = size_of(directory_ / kSlowLog);
  if (size_of(log) < *at_) {
    // It was copied to .1 and cut: what had not been looked at is at the copy's end.
    if (auto rest = copy_slow(log.native() + ".1", *at_); !rest) return rest;
    at_ = 0;
  }
  if (auto done = copy_slow(log, *at_); !done) return done;
  // What holds no slow statement may be looked at twice: its position is not worth a write each time.
  const bool copied = size_of(directory_ / kSlowLog) != slow_before;
  if (!copied && *at_ >= kept_at_ && *at_ - kept_at_ < kPieceBytes) return Done{};
  kept_at_ = *at_;
  return base::replace_file(directory_ / kPosition, std::to_string(*at_), 0600);
}

Result<Done> Logs::copy_slow(const fs::path& from, std::uint64_t& at) {
  while (size_of(from) > at) {
    auto piece = read_piece(from, at, kPieceBytes);
    if (!piece) return piece.error();
    std::string_view text = *piece;
    const auto last = text.rfind('\n');
    if (last != std::string_view::npos) {
      text = text.substr(0, last + 1);
    } else if (text.size() < kPieceBytes) {
      return Done{};  // a line that is still being written
    }
    const std::uint64_t taken = text.size();
    std::string slow;
    while (!text.empty()) {
      const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
      if (entries_.take(text.substr(0, end))) slow += text.substr(0, end);
      text.remove_prefix(end);
    }
    if (!slow.empty()) {
      if (auto done = append(slow); !done) return done;
      tell(slow);
    }
    at += taken;
  }
  return Done{};
}

Result<Done> Logs::append(const std::string& entries) {
  const fs::path path = directory_ / kSlowLog;
  if (size_of(path) + entries.size() > slow_file_bytes_ && size_of(path) > 0) {
    std::error_code failure;
    fs::rename(path, path.native() + ".1", failure);
    if (failure) return system_error(failure.value(), "rename", path.native());
  }
  const int file = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (file < 0) return system_error(errno, "open", path.native());
  std::string_view left = entries;
  while (!left.empty()) {
    const ssize_t wrote = write(file, left.data(), left.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      const int failure = errno;
      close(file);
      return system_error(failure, "write", path.native());
    }
    left.remove_prefix(static_cast<std::size_t>(wrote));
  }
  close(file);
  return Done{};
}

}  // namespace securebase::database
