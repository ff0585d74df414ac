// One fetch for everybody who misses the same key at the same time.
//
// The fetch is a task of its own (worker.tasks()), not of the first client's connection: who asked first may go, and
// nothing happens to the others. Everybody, the first one too, is a follower: waits for the head, then streams what has
// arrived. Nobody polls. A response that turns out not to be shareable belongs to the first follower alone; the others
// are released at once and fetch for themselves, at most Limits::released at a time.
//
//   auto joined = flights.join(key);
//   auto reader = joined.flight->reader();                               // a place at the beginning; null: too late
//   if (joined.first) worker.tasks().spawn(fetch(joined.flight, ...));   // begin(), append(), finish(); or fail()
//   auto seen = co_await joined.flight->head(joined.first);              // under a deadline
//   kStream: read from `reader`; else let it go
//
// Any thread: followers are on all workers, the fetch is on one.
#pragma once

#include <atomic>
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
    // What invalidations find it by: who joined after one of them fetches anew. Empty: nothing does.
    std::optional<Labels> labels;
  };
  // What all flights of a table hold together.
  struct Budget {
    explicit Budget(std::size_t bytes) : bytes(bytes) {}
    const std::size_t bytes;
    std::atomic<std::size_t> held{0};
    bool is_spent() const { return held.load(std::memory_order_relaxed) > bytes; }
  };
  struct Bounds {
    std::size_t keep_bytes;          // a body up to this stays whole until the end, for those who join late
    std::size_t window_bytes;        // of a larger one, as much as this lies between the fetch and the slowest reader
    std::shared_ptr<Budget> budget;  // spent: no body is kept whole any more, and windows are as small as they can be
  };

  Flight(Bounds bounds, std::function<void()> leave);
  ~Flight();
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  // ---- The fetch. One task, one worker.

  // The head has come: followers may begin. A head that is not shared releases the others; that, or a length beyond
  // keep_bytes, takes this out of the table, so that nobody joins any more.
  void begin(Head head);
  // Waits while a window's worth lies unread, when the body is beyond keep_bytes. kClosed: everybody who read has gone
  // and the body is not kept whole. kCancelled: the awaiting task was cancelled.
  net::Task<Result<Done>> append(std::string bytes);
  // All that was appended is still here, in order; empty when it is not kept whole.
  std::optional<http::SharedBytes> whole_body() const;
  // Done. `stored`, if it was kept: who comes late takes it from here.
  void finish(std::shared_ptr<const StoredResponse> stored);
  // Everybody who still waits or reads gets this. Nothing after finish().
  void fail(Error error);

  // ---- A follower.
  // Who joins may have come after something that the fetch began before: Seen::labels() tell, and
  // join(key, flight) has the next fetch.

  enum class Outcome {
    kStream,    // read it, by reader()
    kStored,    // finished and kept: `stored`
    kReleased,  // not for you: fetch for yourself, under a Turn
  };
  struct Seen {
    Outcome outcome = Outcome::kStream;
    std::shared_ptr<const Head> head;
    std::shared_ptr<const StoredResponse> stored;

    // What invalidations find it by; null: not known.
    const Labels* labels() const;
  };
  // Until the head is there, or the fetch failed: then its error.
  net::Task<Result<Seen>> head(bool first);
  // Until the fetch ended: kStored, or kStream when it was not kept (also as soon as it is known that it will not be).
  net::Task<Result<Seen>> end(bool first);
  // From the first byte, which is held as long as this has not read it. Null when it is no longer there: fetch for
  // yourself. Taken before waiting for the head: a quick reader could else have it forgotten.
  std::unique_ptr<http::BodyReader> reader();

 private:
  class Reader;
  enum class Until { kHead, kEnd };
  std::optional<Result<Seen>> look(bool first, Until until) const;
  net::Task<Result<Seen>> wait(bool first, Until until);
  void forget_read_pieces();  // under mutex_
  void leave();

  // Constant after construction.
  const Bounds bounds_;
  // Any thread.
  net::Event changed_;  // for followers
  net::Event drained_;  // for the fetch
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::function<void()> leave_;  // out of the table; empty when done
  std::shared_ptr<const Head> head_;
  bool whole_ = true;  // the body is kept whole
  std::deque<std::shared_ptr<const std::string>> pieces_;
  std::size_t first_piece_ = 0;  // number of pieces_.front()
  std::size_t held_bytes_ = 0;
  std::vector<Reader*> readers_;
  bool had_reader_ = false;
  bool ended_ = false;
  std::optional<Error> error_;
  std::shared_ptr<const StoredResponse> stored_;
};

class Flights {
 public:
  struct Limits {
    std::size_t flights = 10'000;                     // beyond, every request fetches for itself
    std::size_t keep_bytes = std::size_t{8} << 20;    // larger bodies are streamed through, not kept
    std::size_t window_bytes = std::size_t{1} << 20;  // of those
    std::size_t held_bytes = std::size_t{256} << 20;  // of all bodies in the air; beyond, none is kept whole
    std::size_t released = 64;                        // own fetches of one key at a time
  };

  explicit Flights(Limits limits);
  ~Flights();
  Flights(const Flights&) = delete;
  Flights& operator=(const Flights&) = delete;

  struct Joined {
    std::shared_ptr<Flight> flight;  // null: too many fly; fetch for yourself
    bool first = false;              // you start the fetch
  };
  // `instead_of`: a flight that is no longer good enough; the next one takes its place. Null: none is.
  Joined join(std::string_view key, const Flight* instead_of = nullptr);
  // Only if nobody flies yet: for refreshes behind a stale response. Null: somebody does, or too many.
  std::shared_ptr<Flight> lead(std::string_view key);
  std::size_t count() const;
  // Of bodies in the air.
  std::size_t held_bytes() const;
  const Limits& limits() const { return limits_; }

  // A place among the own fetches for one key: held while fetching, given back by its end.
  class Turn {
   public:
    Turn(std::shared_ptr<FlightTable> table, std::string key);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    const std::shared_ptr<FlightTable> table_;
    const std::string key_;
  };
  // Waits for one, in order of nothing in particular. kCancelled when the awaiting task is.
  net::Task<Result<std::unique_ptr<Turn>>> turn(std::string key);

 private:
  const Limits limits_;
  std::shared_ptr<FlightTable> table_;  // also held by flights and turns under way
};

}  // namespace securebase::store
