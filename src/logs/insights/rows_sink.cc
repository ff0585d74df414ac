// Keeps the first rows by some order: a heap whose top is the last of them, so that most rows are turned away by one
// comparison. With dedup keys, the first row of each key.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "logs/insights/sink.h"

namespace securebase::logs::insights {

namespace {

struct Row {
  double timestamp = 0;  // NaN: none
  std::uint64_t sequence = 0;
  std::vector<Cell> cells;  // sort keys, then values
  std::shared_ptr<const char[]> text;
  std::size_t bytes = 0;
};

class RowsSink final : public Sink {
 public:
  RowsSink(const Segment& segment, const RowsSpec& spec) : segment_(segment), spec_(spec) {}

  void take(Frame& frame, const Selection& rows, std::uint64_t sequence) override {
    std::vector<const Vector*> keys;
    for (const auto& key : spec_.sort) keys.push_back(&key.value->evaluate(frame, rows));
    std::vector<const Vector*> dedup;
    for (const auto& key : spec_.dedup) dedup.push_back(&key->evaluate(frame, rows));
    std::vector<const Vector*> values;  // read only if a row is kept
    const Vector* times = spec_.timestamp ? &spec_.timestamp->evaluate(frame, rows) : nullptr;
    Row row;
    rows.each([&](std::size_t at) {
      row.timestamp = times == nullptr ? kNoTime : number_of(times->at(at));
      row.sequence = sequence + at;
      row.cells.clear();
      if (keys.empty() && full() && dedup.empty() && !comes_before(row, rows_.front())) return;
      for (const auto* key : keys) row.cells.push_back(key->at(at));
      if (full() && dedup.empty() && !comes_before(row, rows_.front())) return;
      if (values.empty()) {
        for (const auto& output : segment_.outputs) values.push_back(&output.value->evaluate(frame, rows));
      }
      for (const auto* value : values) row.cells.push_back(value->at(at));
      if (dedup.empty()) return insert(own(row));
      insert_distinct(key_of(dedup, at), own(row));
    });
  }

  void merge(const Sink& other) override {
    const auto& from = static_cast<const RowsSink&>(other);
    if (spec_.dedup.empty()) {
      for (const auto& row : from.rows_) {
        if (!full() || comes_before(row, rows_.front())) insert(row);
      }
      return;
    }
    std::vector<const std::string*> keys(from.rows_.size(), nullptr);
    for (const auto& [key, place] : from.places_) keys[place] = &key;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      insert_distinct(keys[i] == nullptr ? std::string() : *keys[i], from.rows_[i]);
    }
  }

  Table table() const override {
    std::vector<const Row*> order;
    for (const auto& row : rows_) order.push_back(&row);
    std::sort(order.begin(), order.end(), [this](const Row* a, const Row* b) { return comes_before(*a, *b); });
    if (order.size() > spec_.limit) order.resize(spec_.limit);
    Table made;
    made.rows = order.size();
    made.columns.resize(segment_.outputs.size());
    for (std::size_t column = 0; column < made.columns.size(); ++column) {
      made.columns[column].reserve(order.size());
      for (const auto* row : order) made.columns[column].push_back(row->cells[spec_.sort.size() + column]);
    }
    made.memory.reserve(order.size());
    for (const auto* row : order) {
      if (row->text) made.memory.emplace_back(row->text, row->text.get());
    }
    return made;
  }

  std::size_t bytes() const override { return bytes_; }

 private:
  static constexpr double kNoTime = std::numeric_limits<double>::quiet_NaN();

  bool full() const { return rows_.size() >= spec_.limit; }

  bool comes_before(const Row& a, const Row& b) const {
    for (std::size_t i = 0; i < spec_.sort.size(); ++i) {
      const int order = natural_order(a.cells[i], b.cells[i]);
      if (order != 0) return spec_.sort[i].descending ? order > 0 : order < 0;
    }
    if (a.timestamp != b.timestamp) {
      if (a.timestamp > b.timestamp) return true;
      if (a.timestamp < b.timestamp) return false;
      // Rows without a time come last.
      if (std::isnan(a.timestamp) != std::isnan(b.timestamp)) return std::isnan(b.timestamp);
    }
    return a.sequence < b.sequence;
  }

  // Copies the texts, which lie in the batch.
  static Row own(const Row& row) {
    Row made = row;
    std::size_t length = 0;
    for (const auto& cell : made.cells) length += cell.kind == Cell::Kind::kText ? cell.text.size() : 0;
    made.bytes = sizeof(Row) + made.cells.size() * sizeof(Cell) + length + 32;
    if (length == 0) return made;
    std::shared_ptr<char[]> text(new char[length]);
    char* at = text.get();
    for (auto& cell : made.cells) {
      if (cell.kind != Cell::Kind::kText || cell.text.empty()) continue;
      std::memcpy(at, cell.text.data(), cell.text.size());
      cell.text = {at, cell.text.size()};
      at += cell.text.size();
    }
    made.text = std::move(text);
    return made;
  }

  void insert(Row row) {
    const auto before = [this](const Row& a, const Row& b) { return comes_before(a, b); };
    bytes_ += row.bytes;
    rows_.push_back(std::move(row));
    if (spec_.limit == std::numeric_limits<std::size_t>::max()) return;  // no limit: no need of a heap
    std::push_heap(rows_.begin(), rows_.end(), before);
    if (rows_.size() <= spec_.limit) return;
    std::pop_heap(rows_.begin(), rows_.end(), before);
    bytes_ -= rows_.back().bytes;
    rows_.pop_back();
  }

  // Empty: something is missing, which is never a duplicate.
  static std::string key_of(const std::vector<const Vector*>& keys, std::size_t row) {
    std::string made;
    for (const auto* key : keys) {
      const Cell cell = key->at(row);
      if (cell.missing()) return {};
      const auto text = display(cell);
      made += std::to_string(text.size()) + ":" + text;
    }
    return made;
  }

  void insert_distinct(const std::string& key, Row row) {
    if (key.empty()) {
      bytes_ += row.bytes;
      rows_.push_back(std::move(row));
      return;
    }
    const auto [at, is_new] = places_.try_emplace(key, rows_.size());
    if (is_new) {
      bytes_ += row.bytes + key.size() + 64;
      rows_.push_back(std::move(row));
    } else if (comes_before(row, rows_[at->second])) {
      bytes_ += row.bytes;
      bytes_ -= rows_[at->second].bytes;
      rows_[at->second] = std::move(row);
    }
  }

  const Segment& segment_;
  const RowsSpec& spec_;
  std::vector<Row> rows_;                                // with a limit and without dedup: a heap
  std::unordered_map<std::string, std::size_t> places_;  // by dedup key
  std::size_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<Sink> make_rows_sink(const Segment& segment) {
  return std::make_unique<RowsSink>(segment, std::get<RowsSpec>(segment.sink));
}

std::unique_ptr<Sink> make_sink(const Segment& segment) {
  if (std::holds_alternative<RowsSpec>(segment.sink)) return make_rows_sink(segment);
  if (std::holds_alternative<GroupsSpec>(segment.sink)) return make_groups_sink(segment);
  return make_pattern_sink(segment);
}

}  // namespace securebase::logs::insights
