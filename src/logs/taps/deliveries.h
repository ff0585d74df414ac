// What waits for functions, on disk: a journal of deliveries and of which of them are done. What add() has taken
// outlasts kill -9; a delivery that was under way then is made again.
//
// Records are those of a group's journal: the stream is the function's ARN and the message its event; or the stream is
// empty and the message the number of a delivery that is done.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "logs/store/journal.h"

namespace securebase::logs {

struct Delivery {
  std::uint64_t number = 0;
  std::string function_arn;
  std::string event;
  int attempts = 0;
};

// One thread at a time; sync() beside it.
class Deliveries {
 public:
  // What still waits is given by `waiting`, oldest first; what had to be repaired is told to `say`.
  static Result<std::unique_ptr<Deliveries>> open(const std::filesystem::path& path, std::deque<Delivery>& waiting,
                                                  const std::function<void(std::string)>& say);

  // After an error it is not on disk.
  Result<Done> add(Delivery& delivery);
  // `waiting`: what is left, of so many bytes. The file is written anew when most of it is done.
  Result<Done> done(std::uint64_t number, const std::deque<Delivery>& waiting, std::size_t waiting_bytes);
  bool dirty() const { return journal_->dirty(); }
  Result<Done> sync() { return journal_->sync(); }

 private:
  explicit Deliveries(std::filesystem::path path) : path_(std::move(path)) {}
  Result<Done> write_anew(const std::deque<Delivery>& waiting);

  const std::filesystem::path path_;
  std::unique_ptr<Journal> journal_;
  std::uint64_t next_ = 1;
};

}  // namespace securebase::logs
