#include "traces/collect/collector.h"

#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "traces/collect/request_times.h"
#include "traces/segment/graph.h"

namespace securebase::traces {

using telemetry::Span;
using namespace std::chrono_literals;

namespace {

constexpr auto kQuietRound = 50ms;
constexpr auto kBusyRound = 10ms;        // a buffer of 4096 spans lasts it at 400,000 spans a second and thread
constexpr std::size_t kBusySpans = 400;  // of a round, from which on the next one comes sooner
constexpr auto kWriteAfter = 1s;
constexpr std::size_t kWriteTraces = 2'000;
constexpr auto kCountAfter = 10s;
constexpr auto kSettleAfter = 3s;  // SDKs send when a call ends
// A client may give all its requests one trace id: such a trace is never quiet, and is settled by and by.
constexpr auto kSettleLatest = 30s;
constexpr std::size_t kMostSettling = 10'000;
constexpr std::size_t kMostHopsSettling = 1'000;
constexpr std::size_t kMostSegmentsSettling = 200;
constexpr std::size_t kMostQueued = 10'000;
constexpr std::size_t kMostQueuedBytes = std::size_t{16} << 20;

}  // namespace

Collector::Collector(telemetry::Spans& spans, Store& store, const base::Clock& clock, Kept kept)
    : spans_(spans),
      store_(store),
      clock_(clock),
      kept_(std::move(kept)),
      assembler_({}, [this](auto complete_spans, const Span* entry) { complete(complete_spans, entry); }),
      tail_({}),
      counts_since_(clock.now()),
      thread_([this] { run(); }) {}

Collector::~Collector() { stop(); }

void Collector::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  bell_.notify_all();
  thread_.join();
  refresh();
  const std::lock_guard lock(round_mutex_);
  settle(clock_.steady(), true);
  write_counts(clock_.now());
  if (auto synced = store_.sync(); !synced) base::log(base::Level::kWarning, "traces", "{}", synced.error().message);
}

void Collector::run() {
  std::unique_lock lock(mutex_);
  bool busy = false;
  while (!bell_.wait_for(lock, busy ? kBusyRound : kQuietRound, [this] { return stopping_; })) {
    lock.unlock();
    {
      const std::lock_guard round_lock(round_mutex_);
      round();
      busy = taken_.size() > kBusySpans;
    }
    lock.lock();
  }
}

void Collector::refresh() {
  const std::lock_guard lock(round_mutex_);
  round();
  round();  // the assembler gives away what ended in the round before
  write_records();
}

void Collector::round() {
  steady_now_ = clock_.steady();
  wall_now_ = clock_.now();
  taken_.clear();
  spans_.take(taken_);
  assembler_.round(taken_, steady_now_);
  take_documents();
  if (steady_now_ - settled_ >= 1s) {
    settled_ = steady_now_;
    settle(steady_now_, false);
  }
  if (steady_now_ - written_ >= kWriteAfter || pending_.size() >= kWriteTraces) write_records();
  if (steady_now_ - counted_ >= kCountAfter) write_counts(wall_now_);
  const std::lock_guard lock(mutex_);
  statistics_.spans_lost = spans_.lost() + assembler_.lost();
  statistics_.over_budget = tail_.over_budget();
}

void Collector::complete(std::span<const Span> spans, const Span* entry) {
  if (!entry) {
    // What went on behind an answer: calls are counted, and a failure is worth to be seen.
    const bool failed = std::ranges::any_of(spans, &Span::failed);
    {
      const std::lock_guard lock(mutex_);
      count_edges(spans, counts_);
    }
    if (failed) keep_hops(spans, kFailed | kLate);
    return;
  }
  const auto times = times_of(spans, *entry);
  route_.clear();
  append_route(route_, spans, *entry);
  bool called_function = false;
  bool failed = times.error || times.fault;
  for (const auto& span : spans) {
    called_function = called_function || span.hop == telemetry::Hop::kFunction;
    failed = failed || span.failed;
  }
  // Only functions and what is behind them can add to it; so a sampled hit of the edge is not kept for that.
  const bool documents = entry->sampled && called_function;
  const auto reasons = tail_.decide(route_, times, failed, documents, entry->end);
  {
    const std::lock_guard lock(mutex_);
    ++statistics_.traces;
    counts_.route(route_).add(times);
    count_edges(spans, counts_);
  }
  if (documents) remember_hops(spans);
  if (reasons != 0) keep_hops(spans, reasons);
}

void Collector::keep_hops(std::span<const Span> spans, std::uint8_t reasons) {
  HopRecord record;
  record.id = {spans[0].trace_high, spans[0].trace_low};
  record.reasons = reasons;
  record.hops.reserve(spans.size());
  for (const auto& span : spans) {
    // Of a sampled trace the daemon is told each call, with its place in time.
    const bool told = span.sampled && (span.hop == telemetry::Hop::kSql || span.hop == telemetry::Hop::kCache);
    if (told) continue;
    Hop hop;
    hop.id = span.id;
    hop.parent = span.parent;
    hop.begin = wall_now_ - (steady_now_ - span.begin);
    hop.duration = span.end - span.begin;
    hop.kind = span.hop;
    hop.failed = span.failed;
    hop.cold = span.cold;
    hop.entry = span.entry;
    hop.tls = span.tls;
    hop.status = span.status;
    hop.calls = span.calls;
    hop.method = span.method;
    hop.name = span.name.view();
    hop.route = span.route.view();
    hop.subject = span.subject.view();
    record.hops.push_back(std::move(hop));
  }
  std::ranges::sort(record.hops, {}, &Hop::begin);
  // The entry first, whatever was started before it.
  const auto entry = std::ranges::find(record.hops, true, &Hop::entry);
  if (entry != record.hops.end()) std::rotate(record.hops.begin(), entry, entry + 1);
  pending_.hops.push_back(std::move(record));
  const std::lock_guard lock(mutex_);
  ++statistics_.kept;
}

// Null: there are too many.
Collector::Settling* Collector::settling_of(const TraceId& id) {
  const auto known = settling_.find(id);
  if (known == settling_.end() && settling_.size() >= kMostSettling) return nullptr;
  auto& settling = known == settling_.end() ? settling_[id] : known->second;
  if (known == settling_.end()) settling.first = steady_now_;
  settling.last = steady_now_;
  return &settling;
}

void Collector::remember_hops(std::span<const Span> spans) {
  auto* const settling = settling_of({spans[0].trace_high, spans[0].trace_low});
  if (!settling) return;
  for (const auto& span : spans) {
    if (settling->hops.size() >= kMostHopsSettling) return;
    if (auto node = node_of(span.hop, span.name.view())) settling->hops.emplace_back(span.id, std::move(*node));
  }
}

void Collector::take_documents() {
  taken_documents_.clear();
  {
    const std::lock_guard lock(mutex_);
    if (documents_.empty()) return;
    taken_documents_.assign(std::make_move_iterator(documents_.begin()), std::make_move_iterator(documents_.end()));
    documents_.clear();
    document_bytes_ = 0;
  }
  for (auto& document : taken_documents_) {
    auto* const settling = settling_of(document.record.id);
    if (settling && settling->segments.size() < kMostSegmentsSettling) {
      settling->segments.push_back(std::move(document.segment));
    }
    // Those of the API are in the store already, and come without their text.
    if (!document.record.json.empty()) pending_.documents.push_back(std::move(document.record));
  }
}

void Collector::settle(base::SteadyPoint now, bool all) {
  for (auto at = settling_.begin(); at != settling_.end();) {
    auto& settling = at->second;
    const bool quiet = now - settling.last >= kSettleAfter || now - settling.first >= kSettleLatest;
    const bool full = settling.segments.size() >= kMostSegmentsSettling;
    if (!all && !quiet && !full) {
      ++at;
      continue;
    }
    if (!settling.segments.empty()) {
      const auto tops = linked(std::move(settling.segments));
      const ParentLookup lookup = [&settling](const std::string& id) -> std::optional<Node> {
        std::uint64_t number = 0;
        const char* const end = id.data() + id.size();
        const auto [stop, failure] = std::from_chars(id.data(), end, number, 16);
        if (failure != std::errc{} || stop != end) return std::nullopt;
        const auto found = std::ranges::find(settling.hops, number, &std::pair<std::uint64_t, Node>::first);
        return found == settling.hops.end() ? std::nullopt : std::optional(found->second);
      };
      Counts counts;
      count_segments(tops, lookup, counts);
      // A database that hops tell of is counted by them, in every request and not only in sampled ones.
      std::erase_if(counts.edges, [&](const auto& edge) {
        const Node& to = edge.first.second;
        return to.type.starts_with("Database::") &&
               std::ranges::any_of(settling.hops, [&](const auto& hop) { return hop.second == to; });
      });
      const std::lock_guard lock(mutex_);
      counts_.merge(counts);
    }
    at = settling_.erase(at);
  }
}

void Collector::write_records() {
  written_ = steady_now_;
  if (pending_.size() == 0) return;
  const auto written = store_.append(pending_);
  // Said once, not each second: the disk may be full for long.
  if (!written && !store_fails_) base::log(base::Level::kError, "traces", "not kept: {}", written.error().message);
  store_fails_ = !written;
  if (kept_) kept_(pending_);
  pending_ = {};
}

// Out of the counts first, then into the store: who asks in between misses them rather than has them twice.
void Collector::write_counts(WallTime now) {
  counted_ = steady_now_;
  Counts counts;
  WallTime since;
  {
    const std::lock_guard lock(mutex_);
    since = std::exchange(counts_since_, now);
    counts = std::exchange(counts_, {});
  }
  if (counts.empty()) return;
  const auto written = store_.append_counts(counts.encode(), since, now);
  if (written) return;
  if (!store_fails_) base::log(base::Level::kError, "traces", "not counted: {}", written.error().message);
  store_fails_ = true;
  const std::lock_guard lock(mutex_);
  counts_.merge(counts);
  counts_since_ = since;
}

bool Collector::submit(Document document) {
  const std::lock_guard lock(mutex_);
  ++statistics_.documents;
  if (documents_.size() >= kMostQueued || document_bytes_ + document.record.json.size() > kMostQueuedBytes) {
    ++statistics_.documents_lost;
    return false;
  }
  document_bytes_ += document.record.json.size();
  documents_.push_back(std::move(document));
  return true;
}

Result<Done> Collector::keep(std::vector<Document> documents) {
  Records records;
  for (auto& document : documents) records.documents.push_back(std::move(document.record));
  if (auto written = store_.append(records); !written) return written;
  if (auto synced = store_.sync(); !synced) return synced;
  if (kept_) kept_(records);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    documents[i].record.id = records.documents[i].id;
    documents[i].record.json.clear();
    submit(std::move(documents[i]));
  }
  return Done{};
}

Counts Collector::counts(WallTime from, WallTime to) const {
  Counts sum;
  each_counts(from, to, [&sum](const Counts& counts, WallTime) { sum.merge(counts); });
  return sum;
}

void Collector::each_counts(WallTime from, WallTime to,
                            const std::function<void(const Counts&, WallTime)>& visit) const {
  Counts now;
  WallTime since;
  {
    const std::lock_guard lock(mutex_);
    since = counts_since_;
    if (since <= to) now = counts_;
  }
  if (!now.empty()) visit(now, since);
  store_.scan_counts(from, to, [&](std::string_view text, WallTime begin, WallTime) {
    if (auto counts = Counts::decode(text)) visit(*counts, begin);
  });
}

CollectorStatistics Collector::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace securebase::traces
