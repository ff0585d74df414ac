// One fetch for everybody who misses the same key at the same time.
//
// The fetch is a task of its own (worker.tasks()), not of the first client's connection: who asked first may go, and
// nothing happens to the others. Everybody, the first one too, is a follower: waits for the head, then streams what has
// arrived. Nobody polls. A response that turns out not to be shareable belongs to the first follower alone; the others
// are released at once and fetch for themselves, at most Limits::released at a time.
//
//   auto joined = flights.join(key);
//   if (joined.first) worker.tasks().spawn(fetch(joined.flight, ...));   // begin() / append() / finish(), or fail()
//   auto head = co_await joined.flight->head(joined.first);              // until the deadline
//   ... head->outcome, joined.flight->read_from_start() ...
//
// Any thread: followers are on all workers, the fetch is on one.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/event.h"
#include "net/http/message.h"
#include "net/task.h"
#include "store/stored_response.h"

namespace securebase::store {

struct FlightTable;

class Flight : public std::enable_shared_from_this<Flight> {
 public:
  struct Head {
    int status = 200;
    http::Headers headers;  // as they will be sent, without framing
    std::optional<std::uint64_t> length;
    bool shared = true;  // false: for the first follower alone
  };

  explicit Flight(std::size_t window_bytes);

  // ---- The fetch. One task, one worker.

  // The head has come: followers may begin. Not shared: the others are released. Leaves the table when it is not shared
  // or when `keep_all` is false; with keep_all the whole body stays until the end, for those who join late.
  enum class Keep { kAll, kWindow };
  void begin(Head head, Keep keep);
  // Waits while a window's worth lies unread (kWindow) and somebody still reads. kClosed: nobody reads any more, and
  // nothing needs to be kept.
  net::Task<Result<Done>> append(std::string bytes);
  // `stored`, if it was kept: late followers find it here even before the store has it.
  void finish(std::shared_ptr<const StoredResponse> stored);
  // Everybody who still waits or reads gets this.
  void fail(Error error);
  bool ended() const;

  // ---- A follower.

  enum class Outcome {
    kStream,    // read it
    kStored,    // finished and kept: take stored()
    kReleased,  // not for you: fetch for yourself, under a Turn
  };
  struct Seen {
    Outcome outcome = Outcome::kStream;
    std::shared_ptr<const Head> head;
    std::shared_ptr<const StoredResponse> stored;
  };
  // Until the head is there (or the fetch failed: its error).
  net::Task<Result<Seen>> head(bool first);
  // Until the fetch ended: kStored, or kStream when it was not kept.
  net::Task<Result<Seen>> whole(bool first);
  // From the first byte. Null when the beginning is no longer held.
  std::unique_ptr<http::BodyReader> reader();

 private:
  friend class Flights;
  class Reader;

  const std::size_t window_bytes_;
  net::Event changed_;  // for followers
  net::Event drained_;  // for the fetch
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::shared_ptr<const Head> head_;
  Keep keep_ = Keep::kAll;
  std::deque<std::shared_ptr<const std::string>> pieces_;
  std::size_t first_piece_ = 0;  // number of pieces_.front()
  std::size_t held_bytes_ = 0;
  std::vector<Reader*> readers_;
  bool had_reader_ = false;
  bool ended_ = false;
  std::optional<Error> error_;
  std::shared_ptr<const StoredResponse> stored_;
  // Set by Flights: takes this out of its table.
  std::function<void()> leave_;
};

class Flights {
 public:
  struct Limits {
    std::size_t flights = 10'000;                     // beyond, every request fetches for itself
    std::size_t window_bytes = std::size_t{1} << 20;  // of one that is streamed through without being kept
    std::size_t released = 64;                        // own fetches at a time of those whom one flight released
  };

  explicit Flights(Limits limits);
  ~Flights();
  Flights(const Flights&) = delete;
  Flights& operator=(const Flights&) = delete;

  struct Joined {
    std::shared_ptr<Flight> flight;  // null: too many; fetch for yourself
    bool first = false;              // you start the fetch
  };
  Joined join(std::string_view key);
  bool flying(std::string_view key) const;
  std::size_t count() const;

  // A place among the own fetches for one key: held while fetching, given back by its end.
  class Turn {
   public:
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    friend class Flights;
    Turn(std::shared_ptr<FlightTable> table, std::string key);
    std::shared_ptr<FlightTable> table_;
    std::string key_;
  };
  // Waits for one. kCancelled when the awaiting task is.
  net::Task<Result<std::unique_ptr<Turn>>> turn(std::string key);

 private:
  std::shared_ptr<FlightTable> table_;
};

}  // namespace securebase::store
