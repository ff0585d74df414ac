#include "logs/store/store.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "base/random.h"

namespace securebase::logs {

namespace {

constexpr std::chrono::seconds kRound{1};
constexpr std::uint64_t kSlowRounds = 10;  // what looks at all groups' sizes is done every so many rounds
constexpr std::size_t kLargeHeadBytes = 1 << 20;

void warn_of(std::string_view what, const Error& error) {
  base::log(base::Level::kWarning, "logs", "{}: {}", what, error.message);
}

void tell_of_trouble(const Troubles::Told& told) {
  switch (told.when) {
    case Troubles::Told::When::kFirst:
      return base::log(base::Level::kWarning, "logs", "{}: {}", told.whose, told.why);
    case Troubles::Told::When::kAgain:
      return base::log(base::Level::kWarning, "logs", "{}: {} (tried {} times more)", told.whose, told.why, told.count);
    case Troubles::Told::When::kOver:
      return base::log(base::Level::kInfo, "logs", "{}: its files are written again, after {} failures", told.whose,
                       told.count);
  }
}

// What people recognise of a name in a folder's.
std::string readable(std::string_view name) {
  std::string text(name.substr(0, 80));
  std::replace(text.begin(), text.end(), '/', '.');
  if (text.starts_with('.')) text.erase(0, 1);
  return text;
}

Error refused(std::string_view name, const Store::Unopened& group) {
  return {Errc::kUnavailable,
          fmt::format("the log group {} could not be opened when the platform started: {}. Its files are left as they "
                      "are in {}: mend them, or move them away, and start again{}",
                      name, group.reason, group.folder.native(), group.named ? "; or delete the group" : "")};
}

}  // namespace

Store::Store(StoreSettings settings, const base::Clock& clock)
    : settings_(std::move(settings)), clock_(clock), troubles_(tell_of_trouble) {}

Result<std::unique_ptr<Store>> Store::open(StoreSettings settings, const base::Clock& clock) {
  auto store = std::unique_ptr<Store>(new Store(std::move(settings), clock));
  const auto& directory = store->settings_.directory;
  if (auto made = base::make_directory(directory, 0750); !made) return made.error();
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failure)) {
    if (!entry.is_directory()) continue;
    if (entry.path().filename().native().starts_with(".")) {
      std::filesystem::remove_all(entry.path(), failure);  // the platform ended while it was deleted
      continue;
    }
    if (!std::filesystem::exists(entry.path() / "group.json")) {
      std::filesystem::remove(entry.path(), failure);  // the platform ended while it was made: it is empty
      failure.clear();
      continue;
    }
    auto group = Group::open(entry.path(), store->settings_.group, [&](const std::string& repaired) {
      base::log(base::Level::kWarning, "logs", "repaired: {}", repaired);
    });
    if (!group) {
      store->set_aside(entry.path(), group.error());
      continue;
    }
    const auto name = (*group)->settings()->name;
    store->groups_.emplace(name, std::move(*group));
  }
  if (failure) return system_error(failure.value(), "opendir", directory.native());
  return store;
}

// One bad disk block must not take all other groups with it.
void Store::set_aside(const std::filesystem::path& folder, const Error& why) {
  const auto settings = Group::read_settings(folder);
  const std::string folder_name = folder.filename().native();
  const auto name = settings ? settings->name : folder_name.substr(0, folder_name.rfind('~'));
  const Unopened group{folder, why.message, settings.has_value()};
  base::log(base::Level::kError, "logs", "{}", refused(name, group).message);
  unopened_.emplace(name, group);
}

Store::~Store() { stop(); }

void Store::start() {
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      look_after();
      lock.lock();
      news_.wait_for(lock, kRound, [this] { return stopping_; });
    }
  });
}

void Store::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  news_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (const auto& [name, group] : groups()) {
    if (auto synced = group->sync(); !synced) warn_of(name, synced.error());
  }
}

std::int64_t Store::now_ms() const {
  return std::chrono::floor<std::chrono::milliseconds>(clock_.now()).time_since_epoch().count();
}

std::int64_t Store::oldest_visible_ms(const GroupSettings& settings) const {
  if (!settings.retention_days) return INT64_MIN;
  return now_ms() - std::chrono::milliseconds(std::chrono::hours(24) * *settings.retention_days).count();
}

// A name that people recognise, and what no group ever had: who still reads or seals one that was deleted must not meet
// the files of another of its name.
std::filesystem::path Store::new_folder(std::string_view name) const {
  return settings_.directory / fmt::format("{}~{}", readable(name), base::random_hex(16));
}

Result<std::shared_ptr<Group>> Store::create_group(GroupSettings settings) {
  const std::lock_guard one(making_);
  if (auto refusing = refusal(settings.name)) return *refusing;
  {
    const std::lock_guard lock(mutex_);
    if (groups_.contains(settings.name)) return Error{Errc::kConflict, "The specified log group already exists"};
    if (groups_.size() >= settings_.groups) {
      return Error{Errc::kLimit, fmt::format("there are {} log groups, as many as may be", groups_.size())};
    }
  }
  if (settings.created_ms == 0) settings.created_ms = now_ms();
  const auto name = settings.name;
  auto made = Group::create(new_folder(name), std::move(settings), settings_.group);
  if (!made) return made.error();
  std::shared_ptr<Group> group = std::move(*made);
  const std::lock_guard lock(mutex_);
  groups_.emplace(name, group);
  return group;
}

Result<std::shared_ptr<Group>> Store::group_or_new(std::string_view name) {
  if (auto there = find(name)) return there;
  auto made = create_group({.name = std::string(name)});
  if (!made && made.error().code == Errc::kConflict) {
    if (auto there = find(name)) return there;
  }
  return made;
}

Result<Done> Store::delete_group(std::string_view name) {
  const std::lock_guard one(making_);
  std::shared_ptr<Group> group;
  {
    const std::lock_guard lock(mutex_);
    const auto found = groups_.find(name);
    if (found != groups_.end()) {
      group = found->second;
      groups_.erase(found);
    }
  }
  if (group) return group->remove();
  const auto bad = unopened();
  const auto found = bad.find(name);
  if (found == bad.end() || !found->second.named) {
    return refusal(name).value_or(Error{Errc::kNotFound, "The specified log group does not exist."});
  }
  if (auto removed = Group::remove(found->second.folder); !removed) return removed;
  const std::lock_guard lock(mutex_);
  unopened_.erase(found->first);
  return Done{};
}

std::map<std::string, Store::Unopened, std::less<>> Store::unopened() const {
  const std::lock_guard lock(mutex_);
  return unopened_;
}

std::optional<Error> Store::refusal(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  if (groups_.contains(name)) return std::nullopt;
  if (const auto found = unopened_.find(name); found != unopened_.end()) return refused(name, found->second);
  // Of one whose name cannot be read, the folder's name is all that tells.
  const auto likely = unopened_.find(readable(name));
  if (likely == unopened_.end() || likely->second.named) return std::nullopt;
  return refused(name, likely->second);
}

std::shared_ptr<Group> Store::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : found->second;
}

Store::Groups Store::groups() const {
  const std::lock_guard lock(mutex_);
  return groups_;
}

Result<std::vector<std::shared_ptr<Group>>> Store::resolve(std::string_view name) const {
  if (auto refusing = refusal(name)) return *refusing;
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Group>> found;
  if (const auto exact = groups_.find(name); exact != groups_.end()) {
    found.push_back(exact->second);
    return found;
  }
  if (name.empty()) return found;
  // An answer without one of them would look whole.
  const auto shortened = readable(name);
  for (const auto& [other, group] : unopened_) {
    if (!other.starts_with(group.named ? name : std::string_view(shortened))) continue;
    auto error = refused(other, group);
    error.message += "; the other groups answer by their whole names";
    return error;
  }
  for (auto at = groups_.lower_bound(name); at != groups_.end() && at->first.starts_with(name); ++at) {
    found.push_back(at->second);
  }
  return found;
}

void Store::look_after() {
  const auto all = groups();
  for (const auto& [name, group] : all) look_after(group);
  troubles_.keep_those([&all](const std::string& name) { return all.contains(name); });
  if (++rounds_ % kSlowRounds == 0) keep_within_bounds(all);
}

void Store::look_after(const std::shared_ptr<Group>& group) {
  const auto settings = group->settings();
  auto written = group->wants_seal() || is_old(*group) ? group->seal() : Result<Done>(Done{});
  if (auto synced = group->sync(); written && !synced) written = synced;
  if (written) {
    troubles_.well(settings->name, clock_.now());
  } else {
    troubles_.failed(settings->name, 1, written.error().message, clock_.now());
  }
  if (rounds_ % kSlowRounds != 0) return;
  if (const auto oldest = oldest_visible_ms(*settings); oldest != INT64_MIN) group->drop_before(oldest);
  group->rest();
}

// Whether its newest events have been in the journal as long as they may.
bool Store::is_old(const Group& group) const {
  const auto since = group.head_since_ms();
  const auto allowed = group.head_bytes() >= kLargeHeadBytes ? settings_.large_head_age : settings_.small_head_age;
  return since != 0 && std::chrono::milliseconds(now_ms() - since) >= allowed;
}

void Store::keep_within_bounds(const Groups& groups) {
  std::size_t head = 0;
  std::vector<std::pair<std::size_t, Group*>> by_size;
  for (const auto& [name, group] : groups) {
    by_size.emplace_back(group->head_bytes(), group.get());
    head += by_size.back().first;
  }
  std::sort(by_size.rbegin(), by_size.rend());
  for (const auto& [bytes, group] : by_size) {
    if (head <= settings_.head_bytes) break;
    if (group->seal()) head -= bytes;
  }
  std::uint64_t disk = disk_bytes();
  while (disk > settings_.disk_bytes) {
    Group* oldest = nullptr;
    for (const auto& [name, group] : groups) {
      const auto one = group->oldest_segment_ms();
      if (one && (!oldest || *one < *oldest->oldest_segment_ms())) oldest = group.get();
    }
    if (!oldest || !oldest->drop_oldest_segment()) break;
    dropped_segments_.fetch_add(1);
    base::log(base::Level::kWarning, "logs",
              "{}: its oldest events go, since all logs together have {} MB and may have {}", oldest->settings()->name,
              disk >> 20, settings_.disk_bytes >> 20);
    disk = disk_bytes();
  }
}

std::uint64_t Store::disk_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [name, group] : groups()) bytes += group->disk_bytes();
  return bytes;
}

}  // namespace securebase::logs
