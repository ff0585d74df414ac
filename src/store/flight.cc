#include "store/flight.h"

#include <algorithm>
#include <unordered_map>

namespace securebase::store {

namespace {

constexpr std::size_t kLeastWindow = 64 << 10;  // when the budget is spent: about a piece of an origin

}  // namespace

// ---- Readers

// Stands somewhere in the pieces; registered with its flight while it lives.
class Flight::Reader final : public http::BodyReader {
 public:
  explicit Reader(std::shared_ptr<Flight> flight) : flight_(std::move(flight)) {}
  ~Reader() override {
    {
      const std::lock_guard lock(flight_->mutex_);
      std::erase(flight_->readers_, this);
      flight_->forget_read_pieces();
    }
    flight_->drained_.notify_all();
  }

  net::Task<Result<std::string_view>> next() override {
    for (;;) {
      const auto ticket = flight_->changed_.ticket();
      if (auto found = look()) co_return std::move(*found);
      auto notified = co_await flight_->changed_.after(ticket);
      if (!notified) co_return notified.error();
    }
  }

  std::size_t position() const { return position_; }

 private:
  std::optional<Result<std::string_view>> look() {
    bool freed = false;
    std::optional<Result<std::string_view>> found;
    {
      const std::lock_guard lock(flight_->mutex_);
      const std::size_t available = flight_->first_piece_ + flight_->pieces_.size();
      if (position_ < available) {
        current_ = flight_->pieces_[position_ - flight_->first_piece_];
        ++position_;
        found = Result<std::string_view>(std::string_view(*current_));
        if (!flight_->whole_) {
          flight_->forget_read_pieces();
          freed = true;
        }
      } else if (flight_->error_) {
        found = Result<std::string_view>(*flight_->error_);
      } else if (flight_->ended_) {
        found = Result<std::string_view>(std::string_view());
      }
    }
    if (freed) flight_->drained_.notify_all();
    return found;
  }

  const std::shared_ptr<Flight> flight_;
  std::size_t position_ = 0;  // of the next piece; guarded by the flight's mutex
  std::shared_ptr<const std::string> current_;
};

// ---- The fetch

Flight::Flight(Bounds bounds, std::function<void()> leave) : bounds_(std::move(bounds)), leave_(std::move(leave)) {}

Flight::~Flight() { bounds_.budget->held.fetch_sub(held_bytes_, std::memory_order_relaxed); }

void Flight::leave() {
  std::function<void()> leaving;
  {
    const std::lock_guard lock(mutex_);
    leaving.swap(leave_);
  }
  if (leaving) leaving();
}

void Flight::begin(Head head) {
  bool joinable = true;
  {
    const std::lock_guard lock(mutex_);
    whole_ = !head.length || *head.length <= bounds_.keep_bytes;
    joinable = head.shared && whole_;
    head_ = std::make_shared<const Head>(std::move(head));
  }
  if (!joinable) leave();
  changed_.notify_all();
}

net::Task<Result<Done>> Flight::append(std::string bytes) {
  if (bytes.empty()) co_return Done{};
  bool outgrown = false;
  {
    const std::lock_guard lock(mutex_);
    held_bytes_ += bytes.size();
    bounds_.budget->held.fetch_add(bytes.size(), std::memory_order_relaxed);
    pieces_.push_back(std::make_shared<const std::string>(std::move(bytes)));
    if (whole_ && (held_bytes_ > bounds_.keep_bytes || bounds_.budget->is_spent())) {
      whole_ = false;
      outgrown = true;
      if (had_reader_) forget_read_pieces();
    }
  }
  if (outgrown) leave();
  changed_.notify_all();
  for (;;) {
    const auto ticket = drained_.ticket();
    {
      const std::lock_guard lock(mutex_);
      if (whole_) co_return Done{};
      if (had_reader_ && readers_.empty()) co_return Error{Errc::kClosed, "nobody reads this response any more"};
      if (held_bytes_ <= (bounds_.budget->is_spent() ? kLeastWindow : bounds_.window_bytes)) co_return Done{};
    }
    auto notified = co_await drained_.after(ticket);
    if (!notified) co_return notified.error();
  }
}

void Flight::forget_read_pieces() {
  if (whole_ || !had_reader_) return;
  std::size_t slowest = first_piece_ + pieces_.size();
  for (const Reader* reader : readers_) slowest = std::min(slowest, reader->position());
  while (first_piece_ < slowest && !pieces_.empty()) {
    held_bytes_ -= pieces_.front()->size();
    bounds_.budget->held.fetch_sub(pieces_.front()->size(), std::memory_order_relaxed);
    pieces_.pop_front();
    ++first_piece_;
  }
}

std::optional<http::SharedBytes> Flight::whole_body() const {
  std::vector<std::shared_ptr<const std::string>> held;
  {
    const std::lock_guard lock(mutex_);
    if (!whole_) return std::nullopt;
    held.assign(pieces_.begin(), pieces_.end());
  }
  std::vector<std::string_view> pieces;
  pieces.reserve(held.size());
  for (const auto& piece : held) pieces.push_back(*piece);
  return http::SharedBytes::joined(pieces);
}

void Flight::finish(std::shared_ptr<const StoredResponse> stored) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    stored_ = std::move(stored);
  }
  leave();
  changed_.notify_all();
}

void Flight::fail(Error error) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    error_ = std::move(error);
  }
  leave();
  changed_.notify_all();
}

// ---- Followers

std::optional<Result<Flight::Seen>> Flight::look(bool first, Until until) const {
  const std::lock_guard lock(mutex_);
  if (head_ && !head_->shared && !first) return Seen{Outcome::kReleased, head_, nullptr};
  if (ended_ && stored_) return Seen{Outcome::kStored, head_, stored_};
  if (error_ && (until == Until::kEnd || !head_)) return *error_;
  if (ended_ || (head_ && (until == Until::kHead || !whole_))) return Seen{Outcome::kStream, head_, nullptr};
  return std::nullopt;
}

net::Task<Result<Flight::Seen>> Flight::wait(bool first, Until until) {
  for (;;) {
    const auto ticket = changed_.ticket();
    if (auto seen = look(first, until)) co_return std::move(*seen);
    auto notified = co_await changed_.after(ticket);
    if (!notified) co_return notified.error();
  }
}

const Labels* Flight::Seen::labels() const {
  if (stored) return &stored->labels;
  return head && head->labels ? &*head->labels : nullptr;
}

net::Task<Result<Flight::Seen>> Flight::head(bool first) { return wait(first, Until::kHead); }
net::Task<Result<Flight::Seen>> Flight::end(bool first) { return wait(first, Until::kEnd); }

std::unique_ptr<http::BodyReader> Flight::reader() {
  auto made = std::make_unique<Reader>(shared_from_this());  // goes after the lock does, which its end takes
  const std::lock_guard lock(mutex_);
  if (first_piece_ != 0) return nullptr;
  readers_.push_back(made.get());
  had_reader_ = true;
  return made;
}

// ---- The table

struct FlightTable {
  explicit FlightTable(std::size_t held_bytes) : budget(std::make_shared<Flight::Budget>(held_bytes)) {}

  struct Turns {
    std::size_t taken = 0;
    std::size_t interested = 0;
    net::Event given_back;
  };
  const std::shared_ptr<Flight::Budget> budget;
  std::mutex mutex;
  // Guarded by mutex.
  std::unordered_map<std::string, std::shared_ptr<Flight>> flights;
  std::unordered_map<std::string, std::shared_ptr<Turns>> turns;

  void remove(const std::string& key, const Flight* flight) {
    std::shared_ptr<Flight> gone;
    const std::lock_guard lock(mutex);
    const auto found = flights.find(key);
    if (found == flights.end() || found->second.get() != flight) return;
    gone = std::move(found->second);
    flights.erase(found);
  }
};

Flights::Flights(Limits limits) : limits_(limits), table_(std::make_shared<FlightTable>(limits.held_bytes)) {}
Flights::~Flights() = default;

namespace {

std::shared_ptr<Flight> add_flight(const std::shared_ptr<FlightTable>& table, std::string key, Flight::Bounds bounds) {
  // Removing compares the flight too: a later one of the same key stays.
  auto self = std::make_shared<const Flight*>(nullptr);
  auto flight = std::make_shared<Flight>(std::move(bounds), [table, key, self] { table->remove(key, *self); });
  *self = flight.get();
  table->flights.emplace(std::move(key), flight);
  return flight;
}

}  // namespace

Flights::Joined Flights::join(std::string_view key, const Flight* instead_of) {
  std::string owned(key);
  std::shared_ptr<Flight> outdated;  // its end comes after the lock's
  const std::lock_guard lock(table_->mutex);
  const auto found = table_->flights.find(owned);
  if (found != table_->flights.end()) {
    if (found->second.get() != instead_of) return {found->second, false};
    outdated = std::move(found->second);
    table_->flights.erase(found);
  }
  if (table_->flights.size() >= limits_.flights) return {};
  return {add_flight(table_, std::move(owned), {limits_.keep_bytes, limits_.window_bytes, table_->budget}), true};
}

std::shared_ptr<Flight> Flights::lead(std::string_view key) {
  std::string owned(key);
  const std::lock_guard lock(table_->mutex);
  if (table_->flights.contains(owned) || table_->flights.size() >= limits_.flights) return nullptr;
  return add_flight(table_, std::move(owned), {limits_.keep_bytes, limits_.window_bytes, table_->budget});
}

std::size_t Flights::held_bytes() const { return table_->budget->held.load(std::memory_order_relaxed); }

std::size_t Flights::count() const {
  const std::lock_guard lock(table_->mutex);
  return table_->flights.size();
}

Flights::Turn::Turn(std::shared_ptr<FlightTable> table, std::string key)
    : table_(std::move(table)), key_(std::move(key)) {}

Flights::Turn::~Turn() {
  std::shared_ptr<FlightTable::Turns> turns;
  {
    const std::lock_guard lock(table_->mutex);
    const auto found = table_->turns.find(key_);
    turns = found->second;
    --turns->taken;
    if (turns->taken == 0 && turns->interested == 0) table_->turns.erase(found);
  }
  turns->given_back.notify_all();
}

net::Task<Result<std::unique_ptr<Flights::Turn>>> Flights::turn(std::string key) {
  const auto table = table_;
  std::shared_ptr<FlightTable::Turns> turns;
  {
    const std::lock_guard lock(table->mutex);
    auto& entry = table->turns[key];
    if (!entry) entry = std::make_shared<FlightTable::Turns>();
    turns = entry;
    ++turns->interested;
  }
  Result<Done> notified = Done{};
  for (;;) {
    const auto ticket = turns->given_back.ticket();
    {
      const std::lock_guard lock(table->mutex);
      if (turns->taken < limits_.released) {
        --turns->interested;
        ++turns->taken;
        co_return std::make_unique<Turn>(table, std::move(key));
      }
    }
    notified = co_await turns->given_back.after(ticket);
    if (notified) continue;
    const std::lock_guard lock(table->mutex);
    --turns->interested;
    if (turns->taken == 0 && turns->interested == 0) table->turns.erase(key);
    co_return notified.error();
  }
}

}  // namespace securebase::store
