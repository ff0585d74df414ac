#include "logs/store/scan.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>

#include "base/encoding.h"
#include "logs/insights/find_text.h"
#include "logs/store/bytes.h"
#include "logs/store/read_block.h"
#include "logs/store/select_columns.h"

namespace securebase::logs {

namespace {

using insights::Batch;
using insights::Scan;

constexpr std::string_view kLog = "@log";
constexpr std::string_view kPointer = "@ptr";
constexpr std::size_t kHashedBytes = 256;  // of a field's text; longer ones are in no filter

bool always_there(std::string_view field) {
  return field == kTimestamp || field == kIngestionTime || field == kLogStream || field == kMessage || field == kLog ||
         field == kPointer;
}

std::optional<double> as_number(std::string_view text) {
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// What all parts of a scan share.
struct ScanPlan {
  Scan scan;
  std::vector<std::uint64_t> words;                 // that events must have
  std::vector<insights::TextFinder> message_parts;  // that messages must have
  std::string account;
};

// The blocks of one segment, or those of a group that are in none, newest first.
class BlocksPart final : public insights::Part {
 public:
  BlocksPart(std::shared_ptr<const ScanPlan> plan, std::shared_ptr<const GroupSettings> settings, std::int64_t begin_ms,
             std::int64_t end_ms)
      : plan_(std::move(plan)), settings_(std::move(settings)), begin_ms_(begin_ms), end_ms_(end_ms) {
    columns_.resize(plan_->scan.fields.size());
    views_.resize(plan_->scan.fields.size());
    log_ = plan_->account + ":" + settings_->name;
    log_word_ = log_;
  }

  void add(std::shared_ptr<const EncodedBlock> block) {
    BlockPlace place;
    place.in_memory = std::move(block);
    blocks_.push_back(std::move(place));
  }
  void set(std::shared_ptr<const Segment> segment) { segment_ = std::move(segment); }

  Result<bool> next(Batch& batch) override {
    batch = Batch{};
    if (segment_) {
      auto opened = blocks_of(*segment_);
      if (!opened) return Error{Errc::kUnavailable, opened.error().message};
      blocks_ = std::move(*opened);
      segment_.reset();
    }
    while (!blocks_.empty()) {
      const auto place = std::move(blocks_.back());
      blocks_.pop_back();
      if (place.info().last_ms < begin_ms_ || place.info().first_ms > end_ms_) continue;
      reader_.begin(place);
      auto may = may_match();
      if (!may) return may.error();
      if (!*may) continue;
      if (auto done = read(batch); !done) return done.error();
      return true;
    }
    return false;
  }

 private:
  Result<bool> may_match() {
    const auto& scan = plan_->scan;
    auto hashes = plan_->words;
    for (const auto& field : scan.present) {
      if (!always_there(field) && !reader_.info().find(field)) return false;
    }
    for (const auto& equal : scan.equal) {
      if (equal.field == kLog && equal.text != log_) return false;
      if (always_there(equal.field) && equal.field != kLogStream) continue;
      const auto* field = reader_.info().find(equal.field);
      if (!field) return false;
      const bool texts = field->kind == Column::Kind::kTexts || field->kind == Column::Kind::kDictionary;
      if (field->kind == Column::Kind::kNumbers) {
        const auto number = as_number(equal.text);
        if (!number || *number < field->least || *number > field->most) return false;
      } else if (texts && equal.text.size() <= kHashedBytes) {
        hashes.push_back(hash_of_field(equal.field, equal.text));
      }
    }
    return reader_.may_have_all(hashes);
  }

  // Which rows: all between two, or those of a list.
  struct Rows {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool listed = false;
  };

  Result<Rows> rows_in_time() {
    Rows rows{0, reader_.info().rows, false};
    if (reader_.info().first_ms >= begin_ms_ && reader_.info().last_ms <= end_ms_) return rows;
    auto times = reader_.column(kTimestamp);
    if (!times) return times.error();
    const auto& all = (*times)->numbers;
    rows.begin = static_cast<std::size_t>(std::lower_bound(all.begin(), all.end(), static_cast<double>(begin_ms_)) -
                                          all.begin());
    rows.end =
        static_cast<std::size_t>(std::upper_bound(all.begin(), all.end(), static_cast<double>(end_ms_)) - all.begin());
    return rows;
  }

  Result<Done> leave_out_deleted(Rows& rows) {
    if (settings_->deleted_streams.empty()) return Done{};
    auto streams = reader_.column(kLogStream);
    if (!streams) return streams.error();
    auto sequences = reader_.column(kSequence);
    if (!sequences) return sequences.error();
    keep_rows(rows, [&](std::size_t row) {
      const auto gone = settings_->deleted_streams.find(text_at(**streams, row));
      return gone == settings_->deleted_streams.end() ||
             static_cast<std::uint64_t>((*sequences)->numbers[row]) >= gone->second;
    });
    return Done{};
  }

  Result<Done> leave_out_without_texts(Rows& rows) {
    if (plan_->scan.message_contains.empty()) return Done{};
    auto messages = reader_.column(kMessage);
    if (!messages) return messages.error();
    keep_rows(rows, [&](std::size_t row) {
      const auto message = (*messages)->texts[row];
      return std::all_of(plan_->message_parts.begin(), plan_->message_parts.end(),
                         [&](const insights::TextFinder& part) { return part.in(message); });
    });
    return Done{};
  }

  template <class Keep>
  void keep_rows(Rows& rows, Keep keep) {
    if (!rows.listed) {
      listed_.clear();
      for (auto row = rows.begin; row < rows.end; ++row) {
        if (keep(row)) listed_.push_back(static_cast<std::uint32_t>(row));
      }
      rows.listed = listed_.size() != rows.end - rows.begin;
    } else {
      std::erase_if(listed_, [&](std::uint32_t row) { return !keep(row); });
    }
  }

  Result<Done> read(Batch& batch) {
    auto rows = rows_in_time();
    if (!rows) return rows.error();
    const auto& info = reader_.info();
    batch.scanned_rows = rows->end - rows->begin;
    batch.scanned_bytes = info.message_bytes * batch.scanned_rows / std::max<std::uint32_t>(info.rows, 1);
    if (auto done = leave_out_deleted(*rows); !done) return done;
    if (auto done = leave_out_without_texts(*rows); !done) return done;
    batch.rows = rows->listed ? listed_.size() : rows->end - rows->begin;
    const auto& fields = plan_->scan.fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (batch.rows == 0) {
        views_[i] = Column{};
        continue;
      }
      if (fields[i] == kLog) {
        constant(columns_[i], batch.rows);
        views_[i] = columns_[i].view;
        continue;
      }
      if (fields[i] == kPointer) {
        if (auto done = pointers(*rows, columns_[i], batch.rows); !done) return done;
        views_[i] = columns_[i].view;
        continue;
      }
      auto column = reader_.column(fields[i]);
      if (!column) return column.error();
      if (rows->listed) {
        select_rows(**column, listed_, columns_[i]);
        views_[i] = columns_[i].view;
      } else if (rows->begin == 0 && rows->end == info.rows) {
        views_[i] = **column;
      } else {
        select_range(**column, rows->begin, rows->end, columns_[i]);
        views_[i] = columns_[i].view;
      }
    }
    batch.columns = views_;
    return Done{};
  }

  void constant(SelectedColumn& into, std::size_t rows) {
    into.codes.assign(rows, 0);
    into.view = Column{};
    into.view.kind = Column::Kind::kDictionary;
    into.view.codes = into.codes;
    into.view.words = std::span(&log_word_, 1);
  }

  Result<Done> pointers(const Rows& rows, SelectedColumn& into, std::size_t count) {
    auto times = reader_.column(kTimestamp);
    if (!times) return times.error();
    auto sequences = reader_.column(kSequence);
    if (!sequences) return sequences.error();
    into.owned.clear();
    for (std::size_t i = 0; i < count; ++i) {
      const auto row = rows.listed ? listed_[i] : rows.begin + i;
      into.owned.push_back(to_text({settings_->name,
                                    {static_cast<std::int64_t>((*times)->numbers[row]),
                                     static_cast<std::uint64_t>((*sequences)->numbers[row])}}));
    }
    into.texts.assign(into.owned.begin(), into.owned.end());
    into.view = Column{};
    into.view.kind = Column::Kind::kTexts;
    into.view.texts = into.texts;
    return Done{};
  }

  const std::shared_ptr<const ScanPlan> plan_;
  const std::shared_ptr<const GroupSettings> settings_;
  const std::int64_t begin_ms_;
  const std::int64_t end_ms_;
  std::string log_;
  std::string_view log_word_;
  std::shared_ptr<const Segment> segment_;
  std::vector<BlockPlace> blocks_;  // oldest first: taken from the end
  BlockReader reader_;
  std::vector<std::uint32_t> listed_;
  std::vector<SelectedColumn> columns_;
  std::vector<Column> views_;
};

std::int64_t to_ms(base::TimePoint time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

}  // namespace

Result<std::vector<std::unique_ptr<insights::Part>>> StoreSource::scan(const Scan& scan) const {
  auto plan = std::make_shared<ScanPlan>();
  plan->scan = scan;
  plan->account = account_;
  for (const auto& part : scan.message_contains) {
    plan->message_parts.emplace_back(part);
    for (const auto hash : whole_words(part)) plan->words.push_back(hash);
  }
  const auto end_ms = to_ms(scan.end);
  std::set<Group*> asked;
  std::vector<std::pair<std::int64_t, std::unique_ptr<insights::Part>>> found;  // by their newest event
  for (const auto& name : scan.groups) {
    for (const auto& group : store_.resolve(name)) {
      if (!asked.insert(group.get()).second) continue;
      auto view = group->view();
      // An event is within if its millisecond is: the begin is rounded up to one.
      const auto begin_ms =
          std::max(to_ms(scan.begin + std::chrono::microseconds(999)), store_.oldest_visible_ms(*view.settings));
      const auto is_within = [&](std::int64_t first, std::int64_t last) { return last >= begin_ms && first <= end_ms; };
      auto head = std::make_unique<BlocksPart>(plan, view.settings, begin_ms, end_ms);
      std::int64_t newest = INT64_MIN;
      for (auto& block : view.blocks) {
        if (!is_within(block->info.first_ms, block->info.last_ms)) continue;
        newest = std::max(newest, block->info.last_ms);
        head->add(std::move(block));
      }
      if (newest != INT64_MIN) found.emplace_back(newest, std::move(head));
      for (auto& segment : view.segments) {
        const auto& summary = segment->summary();
        if (!is_within(summary.first_ms, summary.last_ms)) continue;
        auto part = std::make_unique<BlocksPart>(plan, view.settings, begin_ms, end_ms);
        const auto last = summary.last_ms;
        part->set(std::move(segment));
        found.emplace_back(last, std::move(part));
      }
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::unique_ptr<insights::Part>> parts;
  parts.reserve(found.size());
  for (auto& [newest, part] : found) parts.push_back(std::move(part));
  return parts;
}

std::vector<std::string> StoreSource::fields_of(std::span<const std::string> groups) const {
  std::set<std::string> all{std::string(kLog)};
  for (const auto& name : groups) {
    for (const auto& group : store_.resolve(name)) {
      for (auto& field : group->fields()) all.insert(std::move(field));
    }
  }
  return {all.begin(), all.end()};
}

std::string to_text(const EventPointer& pointer) {
  std::string bytes;
  put_signed(bytes, pointer.at.time_ms);
  put_varint(bytes, pointer.at.sequence);
  bytes += pointer.group;
  return base::base64url(bytes);
}

std::optional<EventPointer> pointer_from(std::string_view text) {
  const auto bytes = base::from_base64url(text);
  if (!bytes) return std::nullopt;
  ByteReader from(*bytes);
  EventPointer pointer;
  pointer.at.time_ms = from.signed_varint();
  pointer.at.sequence = from.varint();
  pointer.group = std::string(from.take(from.left()));
  if (!from.ok() || pointer.group.empty()) return std::nullopt;
  return pointer;
}

}  // namespace securebase::logs
