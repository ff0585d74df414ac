// The newest page views on disk, a line of JSON each, in two files that take turns: the older one is emptied when the
// newer one has kept its share, so that both together have the newest `keep` views at least and twice as many at most.
// add() keeps a line in memory; a thread writes once a second what came: a kill loses at most the views of a second.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "rum/rum.h"

namespace securebase::rum {

class ViewJournal {
 public:
  // Beyond, lines are dropped: the disk refuses them for long.
  static constexpr std::size_t kPendingBytes = std::size_t{4} << 20;

  // `views` gets what is there, the newest `keep`, oldest first. Lines that are none, as the end of a crash, are left
  // out.
  static Result<std::unique_ptr<ViewJournal>> open(std::filesystem::path directory, std::size_t keep,
                                                   std::vector<View>& views);
  // Writes what is left.
  ~ViewJournal();

  // Any thread; does not block on the disk.
  void add(const View& view);

 private:
  ViewJournal(std::filesystem::path directory, std::size_t keep) : directory_(std::move(directory)), keep_(keep) {}
  std::filesystem::path path(std::uint64_t number) const;
  Result<Done> load(std::vector<View>& views);
  Result<Done> begin_file(std::uint64_t number);
  void run();
  void write(const std::string& lines, std::size_t count);

  const std::filesystem::path directory_;
  const std::size_t keep_;
  // The thread's, once it runs.
  std::uint64_t number_ = 0;  // of the file that is written
  int file_ = -1;
  std::size_t in_file_ = 0;
  bool failed_ = false;

  std::mutex mutex_;
  std::condition_variable bell_;
  std::string pending_;
  std::size_t pending_count_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

// One line, with its end.
std::string to_line(const View& view);
// nullopt: it is none.
std::optional<View> view_from(std::string_view line);

}  // namespace securebase::rum
