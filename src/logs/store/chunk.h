// The newest events of a group, as they came, until there are enough of them for a block.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "logs/store/event.h"

namespace securebase::logs {

class Chunk {
 public:
  static constexpr std::size_t kRows = 4096;
  static constexpr std::size_t kTextBytes = 1 << 20;

  struct Row {
    std::int64_t time_ms = 0;
    std::int64_t ingestion_ms = 0;
    std::uint32_t stream = 0;
    std::uint32_t begin = 0;  // of the message in text()
    std::uint32_t length = 0;
    std::uint32_t first_field = 0;  // in fields()
    std::uint32_t fields = 0;
  };
  struct Field {
    std::string name;
    std::string text;
    double number = 0;
    bool is_text = true;
  };

  // `first_sequence` is that of the first row; the others follow it.
  explicit Chunk(std::uint64_t first_sequence = 0) : first_sequence_(first_sequence) {}

  void add(std::string_view stream, std::int64_t ingestion_ms, const Event& event);
  bool full() const { return rows_.size() >= kRows || text_.size() >= kTextBytes; }
  bool empty() const { return rows_.empty(); }

  std::size_t size() const { return rows_.size(); }
  std::uint64_t first_sequence() const { return first_sequence_; }
  const std::vector<Row>& rows() const { return rows_; }
  const std::vector<Field>& fields() const { return fields_; }
  const std::string& stream(std::uint32_t index) const { return streams_[index]; }
  std::string_view message(const Row& row) const { return std::string_view(text_).substr(row.begin, row.length); }
  std::string_view text() const { return text_; }

 private:
  std::uint64_t first_sequence_;
  std::vector<Row> rows_;
  std::string text_;
  std::vector<Field> fields_;
  std::vector<std::string> streams_;
  std::map<std::string, std::uint32_t, std::less<>> stream_index_;
};

}  // namespace securebase::logs
