#include "logs/insights/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace securebase::logs::insights {

namespace {

constexpr std::size_t kMostJoined = 2'000'000;

// Equal values give equal texts; numbers and texts that spell them are equal. Empty: something is missing.
std::string key_text(const Table& table, const std::vector<std::size_t>& columns, std::size_t row, double time_shift,
                     bool missing_is_a_value) {
  std::string key;
  for (const auto column : columns) {
    Cell cell = table.columns[column][row];
    if (cell.missing() && !missing_is_a_value) return {};
    if (cell.kind == Cell::Kind::kTime) cell.number += time_shift;
    const double number = number_of(cell);
    const auto text = std::isnan(number) ? display(cell) : display_number(number, Precision::kStored);
    key += fmt::format("{}{}:{}", cell.missing() ? "-" : "", text.size(), text);
  }
  return key.empty() ? "all" : key;
}

void take_memory(Table& table, const Table& from) {
  table.memory.insert(table.memory.end(), from.memory.begin(), from.memory.end());
}

std::string_view word_for(bool was, bool is, double difference) {
  if (!was) return "new";
  if (!is) return "gone";
  return difference > 0 ? "more" : difference < 0 ? "less" : "same";
}

}  // namespace

Result<Table> join_tables(const JoinPlan& plan, const Table& left, const Table& right) {
  std::vector<std::size_t> left_keys;
  std::vector<std::size_t> right_keys;
  for (const auto& [mine, theirs] : plan.keys) {
    left_keys.push_back(mine);
    right_keys.push_back(theirs);
  }
  std::unordered_map<std::string, std::vector<std::size_t>> by_key;
  for (std::size_t row = 0; row < right.rows; ++row) {
    const auto key = key_text(right, right_keys, row, 0, false);
    if (!key.empty()) by_key[key].push_back(row);
  }
  Table made;
  made.columns.resize(left.columns.size() + plan.right_columns);
  const auto add = [&](std::size_t mine, const std::size_t* theirs) {
    for (std::size_t i = 0; i < left.columns.size(); ++i) made.columns[i].push_back(left.columns[i][mine]);
    for (std::size_t i = 0; i < plan.right_columns; ++i) {
      made.columns[left.columns.size() + i].push_back(theirs == nullptr ? Cell{} : right.columns[i][*theirs]);
    }
    ++made.rows;
  };
  for (std::size_t row = 0; row < left.rows; ++row) {
    const auto key = key_text(left, left_keys, row, 0, false);
    const auto found = key.empty() ? by_key.end() : by_key.find(key);
    if (found == by_key.end()) {
      if (plan.outer) add(row, nullptr);
      continue;
    }
    for (const auto& theirs : found->second) add(row, &theirs);
    if (made.rows > kMostJoined) {
      return Error{Errc::kLimit, fmt::format("the join has more than {} rows: filter its sides first", kMostJoined)};
    }
  }
  take_memory(made, left);
  take_memory(made, right);
  return made;
}

Table diff_tables(const DiffPlan& plan, const Table& now, const Table& before, std::chrono::milliseconds shift) {
  constexpr std::size_t kNone = ~std::size_t{0};
  std::unordered_map<std::string, std::size_t> earlier;
  for (std::size_t row = 0; row < before.rows; ++row) {
    earlier.emplace(key_text(before, plan.keys, row, static_cast<double>(shift.count()), true), row);
  }
  struct Pair {
    std::size_t now, before;
    double difference;
  };
  std::vector<Pair> pairs;
  for (std::size_t row = 0; row < now.rows; ++row) {
    const auto found = earlier.find(key_text(now, plan.keys, row, 0, true));
    pairs.push_back({row, found == earlier.end() ? kNone : found->second, 0});
    if (found != earlier.end()) earlier.erase(found);
  }
  for (std::size_t row = 0; row < before.rows; ++row) {
    const auto left = earlier.find(key_text(before, plan.keys, row, static_cast<double>(shift.count()), true));
    if (left != earlier.end() && left->second == row) pairs.push_back({kNone, row, 0});
  }
  const auto value = [](const Table& table, std::size_t column, std::size_t row) {
    const double number = row == kNone ? 0 : number_of(table.columns[column][row]);
    return std::isnan(number) ? 0 : number;
  };
  for (auto& pair : pairs) {
    if (plan.values.empty()) continue;
    pair.difference = value(now, plan.values[0], pair.now) - value(before, plan.values[0], pair.before);
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return std::abs(a.difference) > std::abs(b.difference); });
  Table made;
  made.rows = pairs.size();
  for (std::size_t i = 0; i < plan.keys.size(); ++i) {
    auto& column = made.columns.emplace_back();
    for (const auto& pair : pairs) {
      Cell cell = pair.now != kNone ? now.columns[plan.keys[i]][pair.now] : before.columns[plan.keys[i]][pair.before];
      if (pair.now == kNone && cell.kind == Cell::Kind::kTime) cell.number += static_cast<double>(shift.count());
      column.push_back(cell);
    }
  }
  for (const auto source : plan.values) {
    auto& current = made.columns.emplace_back();
    for (const auto& pair : pairs) {
      current.push_back(pair.now == kNone ? Cell::of(0.0) : now.columns[source][pair.now]);
    }
    auto& previous = made.columns.emplace_back();
    for (const auto& pair : pairs) previous.push_back(Cell::of(value(before, source, pair.before)));
    auto& difference = made.columns.emplace_back();
    for (const auto& pair : pairs) {
      difference.push_back(Cell::of(value(now, source, pair.now) - value(before, source, pair.before)));
    }
  }
  auto& words = made.columns.emplace_back();
  for (const auto& pair : pairs) {
    words.push_back(Cell::of(word_for(pair.before != kNone, pair.now != kNone, pair.difference)));
  }
  take_memory(made, now);
  take_memory(made, before);
  return made;
}

}  // namespace securebase::logs::insights
