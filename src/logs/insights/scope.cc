#include "logs/insights/scope.h"

#include <algorithm>

namespace securebase::logs::insights {

namespace {

std::string joined_segments(std::span<const std::string> segments) {
  std::string name;
  for (const auto& segment : segments) {
    if (!name.empty() || &segment != segments.data()) name += ".";
    name += segment;
  }
  return name;
}

bool is_time_field(std::string_view name) { return name == "@timestamp" || name == "@ingestionTime"; }

}  // namespace

const ColumnInfo* Scope::named(std::string_view name) const {
  const auto found = std::find_if(columns_.rbegin(), columns_.rend(), [name](const ColumnInfo& column) {
    return !column.name.empty() && column.name == name;
  });
  return found == columns_.rend() ? nullptr : &*found;
}

// The longest beginning that is a column; what is left is a path into its JSON.
std::optional<Scope::Found> Scope::made(const std::vector<std::string>& segments) const {
  for (std::size_t count = segments.size(); count > 0; --count) {
    const auto* column = named(joined_segments({segments.data(), count}));
    if (column == nullptr) continue;
    const bool discovered =
        std::any_of(fields_.begin(), fields_.end(), [&](const Field& field) { return field.place == column->place; });
    // A field of the events has no JSON inside: "a" and "a.b" may both be fields.
    if (discovered && count < segments.size()) continue;
    return Found{*column, {segments.begin() + static_cast<std::ptrdiff_t>(count), segments.end()}, discovered};
  }
  return std::nullopt;
}

std::optional<Scope::Found> Scope::find(const std::vector<std::string>& segments) {
  if (auto found = made(segments)) return found;
  if (!left_.empty() && segments.size() > 1 && segments[0] == left_) {
    if (auto found = made({segments.begin() + 1, segments.end()})) return found;
  }
  if (!right_.empty() && segments[0] != left_ && segments[0] != right_) {
    auto qualified = segments;
    qualified.insert(qualified.begin(), right_);
    if (auto found = made(qualified)) return found;
  }
  if (kind_ == Kind::kClosed) return std::nullopt;
  ColumnInfo column;
  column.name = joined_segments(segments);
  column.place = new_place();
  column.time = is_time_field(column.name);
  fields_.push_back({column.name, column.place});
  columns_.push_back(column);
  return Found{column, {}, true};
}

std::optional<ColumnInfo> Scope::find_canonical(std::string_view canonical) const {
  const auto found = std::find_if(columns_.rbegin(), columns_.rend(), [canonical](const ColumnInfo& column) {
    return !column.canonical.empty() && column.canonical == canonical;
  });
  if (found == columns_.rend()) return std::nullopt;
  return *found;
}

ColumnInfo Scope::define(std::string name, std::string canonical, bool time, Precision precision,
                         std::optional<std::size_t> at) {
  if (!canonical.empty()) has_canonical_ = true;
  columns_.push_back({std::move(name), std::move(canonical), at ? *at : new_place(), time, precision});
  return columns_.back();
}

void Scope::join_names(std::string left, std::string right) {
  left_ = std::move(left);
  right_ = std::move(right);
}

}  // namespace securebase::logs::insights
