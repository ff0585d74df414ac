#include "rum/view_journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <utility>

#include "base/file.h"
#include "base/log.h"

namespace securebase::rum {

namespace fs = std::filesystem;
using base::Json;

namespace {

constexpr std::string_view kFilePrefix = "views.";
constexpr std::string_view kAll = R"({"all":true})";  // a first line: all that was before is in this file
constexpr std::size_t kMostFileBytes = std::size_t{64} << 20;

struct Timing {
  std::string_view name;
  std::optional<double> Timings::*value;
};
constexpr std::array<Timing, 7> kTimings{{{"first_byte", &Timings::first_byte},
                                          {"first_paint", &Timings::first_paint},
                                          {"largest_paint", &Timings::largest_paint},
                                          {"dom_content_loaded", &Timings::dom_content_loaded},
                                          {"load", &Timings::load},
                                          {"next_paint", &Timings::next_paint},
                                          {"layout_shift", &Timings::layout_shift}}};

}  // namespace

std::string to_line(const View& view) {
  Json timings = Json::object();
  for (const auto& [name, value] : kTimings) {
    if (view.timings.*value) timings.set(name, *(view.timings.*value));
  }
  Json traces = Json::array();
  for (const auto& trace : view.traces) traces.push_back(trace);
  const Json line = Json::object({{"time_us", std::int64_t{view.time.time_since_epoch().count()}},
                                  {"application", view.application},
                                  {"path", view.path},
                                  {"page", view.page},
                                  {"timings", std::move(timings)},
                                  {"script_errors", std::uint64_t{view.script_errors}},
                                  {"traces", std::move(traces)}});
  return line.dump() + "\n";
}

std::optional<View> view_from(std::string_view line) {
  const auto json = Json::parse(line);
  if (!json || !(*json)["time_us"].is_integer() || !(*json)["page"].is_string()) return std::nullopt;
  View view;
  view.time = base::TimePoint{std::chrono::microseconds{(*json)["time_us"].integer_or(0)}};
  view.application = (*json)["application"].string_or("");
  view.path = (*json)["path"].string_or("");
  view.page = (*json)["page"].string_or("");
  for (const auto& [name, value] : kTimings) {
    const auto& said = (*json)["timings"][name];
    if (said.is_number()) view.timings.*value = said.number_or(0);
  }
  view.script_errors = static_cast<std::uint32_t>(std::max<std::int64_t>(0, (*json)["script_errors"].integer_or(0)));
  if (const auto* traces = (*json)["traces"].as_array()) {
    for (const auto& trace : *traces) view.traces.emplace_back(trace.string_or(""));
  }
  return view;
}

Result<std::unique_ptr<ViewJournal>> ViewJournal::open(fs::path directory, std::size_t keep, std::vector<View>& views) {
  std::unique_ptr<ViewJournal> journal(new ViewJournal(std::move(directory), keep));
  if (auto loaded = journal->load(views); !loaded) return loaded.error();
  journal->thread_ = std::thread([self = journal.get()] { self->run(); });
  return journal;
}

ViewJournal::~ViewJournal() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    bell_.notify_all();
    thread_.join();
  }
  if (file_ >= 0) close(file_);
}

fs::path ViewJournal::path(std::uint64_t number) const {
  return directory_ / (std::string(kFilePrefix) + std::to_string(number));
}

Result<Done> ViewJournal::load(std::vector<View>& views) {
  if (auto made = base::make_directory(directory_, 0700); !made) return made;
  auto names = base::files_below(directory_);
  if (!names) return names.error();
  std::map<std::uint64_t, fs::path> files;
  for (const auto& name : *names) {
    const std::string text = name.native();
    std::uint64_t number = 0;
    if (!text.starts_with(kFilePrefix)) continue;
    const auto [end, failure] = std::from_chars(text.data() + kFilePrefix.size(), text.data() + text.size(), number);
    if (failure == std::errc{} && end == text.data() + text.size()) files.emplace(number, directory_ / name);
  }
  for (const auto& [number, file] : files) {
    auto text = base::read_file(file, kMostFileBytes);
    if (!text) return text.error();
    for (std::string_view left = *text; !left.empty();) {
      const auto end = std::min(left.find('\n'), left.size());
      if (left.substr(0, end) == kAll) views.clear();
      if (auto view = view_from(left.substr(0, end))) views.push_back(std::move(*view));
      left.remove_prefix(std::min(end + 1, left.size()));
    }
    number_ = number;
  }
  if (views.size() > keep_) views.erase(views.begin(), views.end() - static_cast<std::ptrdiff_t>(keep_));
  // One new file with all of it: what a crash left of a line is not gone on with, and starts leave no small files.
  std::string lines = std::string(kAll) + "\n";
  for (const auto& view : views) lines += to_line(view);
  if (auto written = base::replace_file(path(number_ + 1), lines, 0600); !written) return written;
  if (auto begun = begin_file(number_ + 1); !begun) return begun;
  in_file_ = views.size();
  if (number_ > 1) unlink(path(number_ - 1).c_str());
  return Done{};
}

// The one before stays, and those before it go.
Result<Done> ViewJournal::begin_file(std::uint64_t number) {
  const int file = ::open(path(number).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return system_error(errno, "open", path(number).native());
  if (file_ >= 0) close(file_);
  file_ = file;
  number_ = number;
  in_file_ = 0;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(directory_, failure)) {
    const auto name = entry.path().filename().native();
    if (name.starts_with(kFilePrefix) && entry.path() != path(number) && entry.path() != path(number - 1)) {
      fs::remove(entry.path(), failure);
    }
  }
  return Done{};
}

void ViewJournal::add(const View& view) {
  std::string line = to_line(view);
  const std::lock_guard lock(mutex_);
  if (pending_.size() + line.size() > kPendingBytes) return;
  pending_ += line;
  ++pending_count_;
}

void ViewJournal::run() {
  std::unique_lock lock(mutex_);
  for (bool last = false; !last;) {
    last = bell_.wait_for(lock, std::chrono::seconds{1}, [this] { return stopping_; });
    const std::string lines = std::exchange(pending_, {});
    const std::size_t count = std::exchange(pending_count_, 0);
    lock.unlock();
    if (!lines.empty()) write(lines, count);
    lock.lock();
  }
}

void ViewJournal::write(const std::string& lines, std::size_t count) {
  std::string_view left(lines);
  Result<Done> done = Done{};
  while (!left.empty() && done) {
    const auto wrote = ::write(file_, left.data(), left.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      done = system_error(errno, "write", path(number_).native());
    } else {
      left.remove_prefix(static_cast<std::size_t>(wrote));
    }
  }
  in_file_ += count;
  if (done && in_file_ >= keep_) done = begin_file(number_ + 1);
  if (!done && !failed_) {
    base::log(base::Level::kWarning, "rum", "page views are not kept: {}", done.error().message);
  }
  failed_ = !done;
}

}  // namespace securebase::rum
