// The names that a command of a query sees, and where in a frame their values lie.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "logs/insights/cell.h"
#include "logs/insights/syntax.h"

namespace securebase::logs::insights {

struct ColumnInfo {
  std::string name;       // empty: found by its canonical form only
  std::string canonical;  // of the expression that made it; empty: a field
  std::size_t place = 0;  // its register
  bool time = false;
  Precision precision = Precision::kStored;
};

class Scope {
 public:
  // Open: a name that nobody has made is a field of the events. Closed: it is missing.
  enum class Kind { kOpen, kClosed };
  explicit Scope(Kind kind) : kind_(kind) {}

  struct Found {
    ColumnInfo column;
    std::vector<std::string> path;  // into the column's JSON
    bool discovered = false;        // a field of the events, not something that the query made
  };
  // nullopt: nobody has made it, and the scope is closed.
  std::optional<Found> find(const std::vector<std::string>& segments);
  // A column that an expression has made, by its canonical form.
  std::optional<ColumnInfo> find_canonical(std::string_view canonical) const;
  bool has_canonical() const { return has_canonical_; }
  // Gives a column a name, from now on; its place is chosen here unless `at` says it.
  ColumnInfo define(std::string name, std::string canonical, bool time, Precision precision,
                    std::optional<std::size_t> at = std::nullopt);
  std::size_t new_place() { return places_++; }
  std::size_t new_scratch() { return scratch_++; }
  // After a join: a.x is x of the left side; x alone is b.x where the left side has no x.
  void join_names(std::string left, std::string right);

  struct Field {
    std::string name;
    std::size_t place;
  };
  const std::vector<Field>& fields() const { return fields_; }  // of the events, that are read
  std::size_t places() const { return places_; }
  std::size_t scratch() const { return scratch_; }
  Kind kind() const { return kind_; }

 private:
  const ColumnInfo* named(std::string_view name) const;
  std::optional<Found> made(const std::vector<std::string>& segments) const;

  Kind kind_;
  std::vector<ColumnInfo> columns_;  // later ones hide earlier ones
  std::vector<Field> fields_;
  std::size_t places_ = 0;
  std::size_t scratch_ = 0;
  bool has_canonical_ = false;
  std::string left_, right_;
};

}  // namespace securebase::logs::insights
