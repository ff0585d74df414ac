#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include "base/file.h"
#include "prober/prober.h"

namespace securebase::prober {

namespace {

namespace fs = std::filesystem;

fs::path file_of(const fs::path& directory, std::string_view prefix, std::uint64_t number) {
  return directory / fmt::format("{}{}", prefix, number);
}

template <class T>
bool read_number(std::string_view& line, T& number) {
  const auto [end, failure] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (failure != std::errc{}) return false;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  if (!line.empty()) {
    if (line.front() != ' ') return false;
    line.remove_prefix(1);
  }
  return true;
}

// The numbers of the files that are there, rising.
std::vector<std::uint64_t> numbers_in(const fs::path& directory, std::string_view prefix) {
  std::vector<std::uint64_t> numbers;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(directory, failure)) {
    const std::string name = entry.path().filename().native();
    if (!name.starts_with(prefix)) continue;
    std::uint64_t number = 0;
    const char* const end = name.data() + name.size();
    const auto [at, bad] = std::from_chars(name.data() + prefix.size(), end, number);
    if (bad == std::errc{} && at == end) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Result<int> open_for_append(const fs::path& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return system_error(errno, "open", path.native());
  return file;
}

// What a crash of the machine cut short would run into the next line.
Result<Done> end_torn_line(int file, const fs::path& path, std::size_t bytes) {
  if (bytes == 0) return Done{};
  const int reading = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (reading < 0) return system_error(errno, "open", path.native());
  char last = 0;
  const auto got = ::pread(reading, &last, 1, static_cast<off_t>(bytes - 1));
  ::close(reading);
  if (got == 1 && last != '\n' && ::write(file, "\n", 1) != 1) return system_error(errno, "write", path.native());
  return Done{};
}

}  // namespace

std::string to_line(const Probe& probe) {
  return fmt::format("{} {} {} {} {}\n", probe.begin.time_since_epoch().count(), probe.target, probe.status,
                     probe.first_byte.count(), probe.total.count());
}

std::optional<Probe> from_line(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  Probe probe;
  std::int64_t begin = 0;
  if (!read_number(line, begin)) return std::nullopt;
  const auto blank = line.find(' ');
  if (blank == std::string_view::npos || blank == 0) return std::nullopt;
  probe.target = line.substr(0, blank);
  line.remove_prefix(blank + 1);
  std::int64_t first_byte = 0;
  std::int64_t total = 0;
  if (!read_number(line, probe.status) || !read_number(line, first_byte) || !read_number(line, total) ||
      !line.empty()) {
    return std::nullopt;
  }
  if (begin < 0 || first_byte < 0 || total < 0 || probe.status < 0 || probe.status > 999) return std::nullopt;
  probe.begin = base::TimePoint{std::chrono::microseconds{begin}};
  probe.first_byte = std::chrono::microseconds{first_byte};
  probe.total = std::chrono::microseconds{total};
  return probe;
}

JournalWriter::JournalWriter(fs::path directory, std::string_view prefix, std::uint64_t number, int file)
    : directory_(std::move(directory)), prefix_(prefix), number_(number), file_(file) {}

JournalWriter::JournalWriter(JournalWriter&& other) noexcept
    : directory_(std::move(other.directory_)),
      prefix_(other.prefix_),
      number_(other.number_),
      file_(std::exchange(other.file_, -1)),
      bytes_(other.bytes_) {}

JournalWriter& JournalWriter::operator=(JournalWriter&& other) noexcept {
  std::swap(directory_, other.directory_);
  std::swap(prefix_, other.prefix_);
  std::swap(number_, other.number_);
  std::swap(file_, other.file_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

JournalWriter::~JournalWriter() {
  if (file_ >= 0) ::close(file_);
}

Result<JournalWriter> JournalWriter::open(const fs::path& directory, std::string_view prefix) {
  if (auto made = base::make_directory(directory); !made) return made.error();
  const auto numbers = numbers_in(directory, prefix);
  const std::uint64_t number = numbers.empty() ? 1 : numbers.back();
  const auto path = file_of(directory, prefix, number);
  auto file = open_for_append(path);
  if (!file) return file.error();
  JournalWriter writer(directory, prefix, number, *file);
  struct stat status {};
  if (::fstat(*file, &status) != 0) return system_error(errno, "fstat", path.native());
  writer.bytes_ = static_cast<std::size_t>(status.st_size);
  if (auto ended = end_torn_line(*file, path, writer.bytes_); !ended) return ended.error();
  return writer;
}

Result<Done> JournalWriter::append(const Probe& probe) { return append_line(to_line(probe)); }

Result<Done> JournalWriter::append_line(const std::string& line) {
  if (bytes_ >= kJournalBytes) {
    auto file = open_for_append(file_of(directory_, prefix_, number_ + 1));
    if (!file) return file.error();
    ::close(std::exchange(file_, *file));
    ++number_;
    bytes_ = 0;
    for (const auto old : numbers_in(directory_, prefix_)) {
      if (old + 1 < number_) ::unlink(file_of(directory_, prefix_, old).c_str());
    }
  }
  const auto written = ::write(file_, line.data(), line.size());
  if (written < 0) return system_error(errno, "write", file_of(directory_, prefix_, number_).native());
  if (static_cast<std::size_t>(written) == line.size()) {
    bytes_ += line.size();
    return Done{};
  }
  // Cut off again, else ended: what was taken in part must not run into the next line.
  if (::ftruncate(file_, static_cast<off_t>(bytes_)) != 0) {
    const auto ended = ::write(file_, "\n", 1);
    bytes_ += static_cast<std::size_t>(written + std::max<ssize_t>(ended, 0));
  }
  return Error{Errc::kIo, fmt::format("{} took {} of {} bytes; is the disk full?",
                                      file_of(directory_, prefix_, number_).native(), written, line.size())};
}

Position read_position(const fs::path& file) {
  Position position;
  const auto text = base::read_file(file, 4096);
  if (!text) return position;
  std::string_view line = *text;
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (!read_number(line, position.file) || !read_number(line, position.offset) || !line.empty()) return {};
  return position;
}

Result<Done> write_position(const fs::path& file, const Position& position) {
  return base::replace_file(file, fmt::format("{} {}\n", position.file, position.offset));
}

JournalReader::JournalReader(fs::path directory, Position position, std::string_view prefix)
    : directory_(std::move(directory)), prefix_(prefix), position_(position) {}

Result<std::vector<Probe>> JournalReader::read(std::size_t most) {
  auto lines = read_lines(most);
  if (!lines) return lines.error();
  std::vector<Probe> probes;
  for (const auto& line : *lines) {
    if (auto probe = from_line(line)) {
      probes.push_back(std::move(*probe));
    } else {
      ++skipped_;
    }
  }
  return probes;
}

Result<std::vector<std::string>> JournalReader::read_lines(std::size_t most) {
  std::vector<std::string> lines;
  for (const auto number : numbers_in(directory_, prefix_)) {
    if (number < position_.file || lines.size() >= most) continue;
    if (number > position_.file) position_ = {number, 0};
    const auto path = file_of(directory_, prefix_, number);
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) {
      if (errno == ENOENT) continue;  // the writer was quicker
      return system_error(errno, "open", path.native());
    }
    std::array<char, 64 << 10> bytes;
    while (lines.size() < most) {
      const auto got = ::pread(file, bytes.data(), bytes.size(), static_cast<off_t>(position_.offset));
      std::string_view text(bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
      const auto before = position_.offset;
      for (auto end = text.find('\n'); end != std::string_view::npos && lines.size() < most; end = text.find('\n')) {
        if (end > 0) lines.emplace_back(text.substr(0, end));
        position_.offset += end + 1;
        text.remove_prefix(end + 1);
      }
      if (position_.offset == before) break;  // nothing whole is left
    }
    ::close(file);
  }
  return lines;
}

}  // namespace securebase::prober
