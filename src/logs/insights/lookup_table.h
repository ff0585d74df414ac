// Lookup tables: CSV files whose rows `lookup` finds by some of their columns. A table is <directory>/NAME.csv; the
// first line has the names of its columns.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace securebase::logs::insights {

// Immutable: any thread.
class LookupTable {
 public:
  struct Limits {
    std::size_t bytes = 10 << 20;  // CloudWatch's own
    std::size_t columns = 100;
  };
  // Text as RFC 4180 has it. kMalformed: what is wrong, and in which line.
  static Result<std::shared_ptr<const LookupTable>> parse(std::string text, const Limits& limits);

  std::optional<std::size_t> column(std::string_view name) const;
  std::size_t rows() const { return rows_; }
  std::string_view text(std::size_t row, std::size_t column) const { return cells_[row * names_.size() + column]; }

 private:
  std::string text_;
  std::vector<std::string_view> names_;
  std::vector<std::string_view> cells_;  // row by row; they lie in text_
  std::size_t rows_ = 0;
};

// The rows of a table by the texts of some columns; of rows with the same texts, the first.
class LookupIndex {
 public:
  LookupIndex() = default;
  LookupIndex(std::shared_ptr<const LookupTable> table, std::vector<std::size_t> columns);
  std::optional<std::size_t> find(std::span<const std::string> texts) const;
  const LookupTable& table() const { return *table_; }

 private:
  std::shared_ptr<const LookupTable> table_;
  std::unordered_map<std::string, std::size_t> rows_;
};

// Any thread.
class LookupTables {
 public:
  explicit LookupTables(std::filesystem::path directory) : directory_(std::move(directory)) {}
  // Reads the file if it is another one than the last time. kNotFound, kMalformed: says which file, and what is wrong.
  Result<std::shared_ptr<const LookupTable>> find(const std::string& name) const;
  // What is said where there are no tables at all.
  static Result<std::shared_ptr<const LookupTable>> none(const std::string& name);

 private:
  struct Known {
    std::filesystem::file_time_type changed;
    std::uintmax_t bytes = 0;
    std::shared_ptr<const LookupTable> table;
  };
  const std::filesystem::path directory_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, Known> known_;  // guarded by mutex_
};

}  // namespace securebase::logs::insights
