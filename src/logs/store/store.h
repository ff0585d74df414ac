// All log groups, in <state>/logs/groups: who finds them, and who looks after them (segments, retention, bounds).
//
// Any thread. A thread of its own syncs the journals every second, so that a power cut loses at most the last second of
// what was acknowledged; the end of the platform, by kill -9 too, loses nothing.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "logs/store/group.h"
#include "logs/store/troubles.h"

namespace securebase::logs {

struct StoreSettings {
  std::filesystem::path directory;
  GroupLimits group;
  std::size_t groups = 1000;
  // Of all segments and journals; beyond, the oldest segments of all groups go, which is said.
  std::uint64_t disk_bytes = std::uint64_t{16} << 30;
  // Of events that are in no segment yet, in memory; beyond, the largest groups are sealed.
  std::size_t head_bytes = std::size_t{256} << 20;
  // An idle group's events become a segment after so long, or after the first where they are many.
  std::chrono::hours large_head_age{1};
  std::chrono::hours small_head_age{24};
};

class Store {
 public:
  using Groups = std::map<std::string, std::shared_ptr<Group>, std::less<>>;

  // A group whose files could not be read at the start: they stay as they are, and what is asked of it is refused.
  struct Unopened {
    std::filesystem::path folder;
    std::string reason;
    bool named = true;  // false: what names it cannot be read either; its folder does, nearly
  };

  // Reads what is there; says in the platform's log what had to be repaired, and which group cannot be opened.
  static Result<std::unique_ptr<Store>> open(StoreSettings settings, const base::Clock& clock);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Begins to look after the groups by itself.
  void start();
  void stop();

  // kConflict: there is one of that name. kLimit. kUnavailable: refusal().
  Result<std::shared_ptr<Group>> create_group(GroupSettings settings);
  // The one that is there, or a new one.
  Result<std::shared_ptr<Group>> group_or_new(std::string_view name);
  // kNotFound. Its files go when nobody reads them any more. One that could not be opened goes, too, if it has a name.
  Result<Done> delete_group(std::string_view name);
  std::shared_ptr<Group> find(std::string_view name) const;  // null: none
  Groups groups() const;
  // The group of that name; all whose names begin with it when there is none. kUnavailable: refusal(), for one of them.
  Result<std::vector<std::shared_ptr<Group>>> resolve(std::string_view name) const;
  // kUnavailable, with why and what to do, if the group of that name could not be opened; else nullopt.
  std::optional<Error> refusal(std::string_view name) const;
  // By name, or by their folders' names.
  std::map<std::string, Unopened, std::less<>> unopened() const;

  // Events before it are hidden.
  std::int64_t oldest_visible_ms(const GroupSettings& settings) const;
  std::int64_t now_ms() const;

  // What the thread does every second: syncs, seals, drops what is too old or too much.
  void look_after();
  std::uint64_t disk_bytes() const;
  std::uint64_t dropped_segments() const { return dropped_segments_.load(); }

 private:
  Store(StoreSettings settings, const base::Clock& clock);
  std::filesystem::path new_folder(std::string_view name) const;
  void set_aside(const std::filesystem::path& folder, const Error& why);
  void look_after(const std::shared_ptr<Group>& group);
  bool is_old(const Group& group) const;
  void keep_within_bounds(const Groups& groups);

  const StoreSettings settings_;
  const base::Clock& clock_;
  std::atomic<std::uint64_t> dropped_segments_{0};
  std::mutex making_;  // one group at a time is made or deleted
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Groups groups_;
  std::map<std::string, Unopened, std::less<>> unopened_;
  std::condition_variable news_;
  bool stopping_ = false;
  std::thread thread_;
  // The thread's only.
  std::uint64_t rounds_ = 0;
  Troubles troubles_;
};

}  // namespace securebase::logs
