// stats: groups by the keys, a state of each aggregate for each group.
#include <algorithm>
#include <numeric>

#include "logs/insights/aggregate.h"
#include "logs/insights/group_index.h"
#include "logs/insights/sink.h"

namespace securebase::logs::insights {

namespace {

class GroupsSink final : public Sink {
 public:
  GroupsSink(const Segment& segment, const GroupsSpec& spec)
      : segment_(segment), spec_(spec), index_(spec.keys.size()) {
    for (const auto& aggregate : spec.aggregates) aggregates_.push_back(make_aggregate(aggregate));
  }

  void take(Frame& frame, const Selection& rows, std::uint64_t) override {
    std::vector<const Vector*> keys;
    for (const auto& key : spec_.keys) keys.push_back(&key->evaluate(frame, rows));
    index_.find(keys, rows, groups_of_rows_);
    const Vector* times = spec_.timestamp ? &spec_.timestamp->evaluate(frame, rows) : nullptr;
    for (std::size_t i = 0; i < aggregates_.size(); ++i) {
      const auto& input = spec_.aggregates[i].input;
      aggregates_[i]->grow(index_.groups());
      aggregates_[i]->take(input ? &input->evaluate(frame, rows) : nullptr, times, rows, groups_of_rows_);
    }
  }

  void merge(const Sink& other) override {
    const auto& from = static_cast<const GroupsSink&>(other);
    const auto places = index_.merge(from.index_);
    for (std::size_t i = 0; i < aggregates_.size(); ++i) {
      aggregates_[i]->grow(index_.groups());
      if (!places.empty()) aggregates_[i]->merge(*from.aggregates_[i], places);
    }
  }

  Table table() const override {
    Table made;
    // Without keys there is one row, also of no events: count is 0 then.
    auto holder = std::make_shared<GroupsSink>(segment_, spec_);
    holder->merge(*this);
    if (spec_.keys.empty() && holder->index_.groups() == 0) {
      for (auto& aggregate : holder->aggregates_) aggregate->grow(1);
      made.rows = 1;
    } else {
      made.rows = holder->index_.groups();
    }
    const auto order = holder->order();
    for (std::size_t i = 0; i < spec_.keys.size(); ++i) {
      auto& column = made.columns.emplace_back();
      for (const auto group : order) column.push_back(holder->index_.key(group, i));
    }
    for (const auto& aggregate : holder->aggregates_) {
      auto& column = made.columns.emplace_back();
      for (std::size_t i = 0; i < made.rows; ++i) {
        column.push_back(aggregate->result(spec_.keys.empty() ? i : order[i]));
      }
    }
    for (std::size_t i = 0; i < made.columns.size(); ++i) {
      if (!segment_.outputs[i].info.time) continue;
      for (auto& cell : made.columns[i]) {
        if (cell.kind == Cell::Kind::kNumber) cell.kind = Cell::Kind::kTime;
      }
    }
    made.memory.push_back(std::move(holder));
    return made;
  }

  std::size_t bytes() const override {
    std::size_t total = index_.bytes();
    for (const auto& aggregate : aggregates_) total += aggregate->bytes();
    return total;
  }

 private:
  // By the keys: times from the newest on, others as sort orders them.
  std::vector<std::uint32_t> order() const {
    std::vector<std::uint32_t> order(index_.groups());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) {
      for (std::size_t i = 0; i < spec_.keys.size(); ++i) {
        const int order_of_keys = natural_order(index_.key(a, i), index_.key(b, i));
        if (order_of_keys != 0) return spec_.keys[i]->time ? order_of_keys > 0 : order_of_keys < 0;
      }
      return a < b;
    });
    return order;
  }

  const Segment& segment_;
  const GroupsSpec& spec_;
  GroupIndex index_;
  std::vector<std::unique_ptr<Aggregate>> aggregates_;
  std::vector<std::uint32_t> groups_of_rows_;
};

}  // namespace

std::unique_ptr<Sink> make_groups_sink(const Segment& segment) {
  return std::make_unique<GroupsSink>(segment, std::get<GroupsSpec>(segment.sink));
}

}  // namespace securebase::logs::insights
