// What a query reads: the events of some log groups, in columns, a few thousand at a time. The store offers it; a test
// offers one of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace securebase::logs::insights {

// Which events, and of them which fields. `fields` names discovered fields ("@timestamp", "@message", "@duration",
// "status", "request.path"); a field that no event has is a column of kMissing. "@timestamp" and "@ingestionTime" are
// numbers: milliseconds since the epoch.
struct Scan {
  std::vector<std::string> groups;
  base::TimePoint begin;  // inclusive
  base::TimePoint end;    // inclusive
  std::vector<std::string> fields;
  // Hints: an event that lacks one of them cannot pass the query's filters, so the source may leave it out.
  std::vector<std::string> message_contains;  // @message has this text, as it stands
  struct Equal {
    std::string field;
    std::string text;  // as the field would be displayed
  };
  std::vector<Equal> equal;
  std::vector<std::string> present;  // the field is there
};

struct Column;
class TextFinder;  // find_text.h

// A column that is read when somebody asks for it first: most rows of most queries are turned away by one or two
// fields.
class LaterColumn {
 public:
  virtual ~LaterColumn() = default;
  // Never kLater. What cannot be read is missing, and the part fails at its next batch.
  virtual const Column& read() = 0;
  // Of texts that are put together from parts: of each only what has all places of `lead` and `behind` bytes from where
  // each of them begins, as they stand in the text; "" where there is none. nullptr: there is nothing to be saved.
  virtual const Column* read_around(const TextFinder& lead, std::size_t behind);
};

// Texts that are made, each when it is asked for. They live as long as the batch.
class MadeTexts {
 public:
  virtual ~MadeTexts() = default;
  virtual std::string_view at(std::size_t row) = 0;
};

// One field of a batch's rows, in the form that its values have anyway.
struct Column {
  enum class Kind : std::uint8_t {
    kMissing,     // in no row
    kNumbers,     // numbers[row]
    kTexts,       // texts[row]
    kDictionary,  // words[codes[row]]: few different texts
    kMixed,       // texts[row] if is_text has the row's bit, else numbers[row]
    kLater,       // later->read()
    kMade,        // made->at(row)
  };
  Kind kind = Kind::kMissing;
  std::span<const double> numbers;
  std::span<const std::string_view> texts;
  std::span<const std::uint32_t> codes;
  std::span<const std::string_view> words;
  std::span<const std::uint64_t> is_text;  // a bit a row, lowest first
  std::span<const std::uint64_t> present;  // a bit a row, lowest first; empty: in every row
  LaterColumn* later = nullptr;
  MadeTexts* made = nullptr;
};

inline const Column* LaterColumn::read_around(const TextFinder&, std::size_t) { return nullptr; }

// What was left for later is read.
inline const Column& read(const Column& column) {
  return column.kind == Column::Kind::kLater ? column.later->read() : column;
}

struct Batch {
  std::size_t rows = 0;
  std::span<const Column> columns;  // as Scan::fields
  std::uint64_t scanned_rows = 0;   // looked at for this batch, left out or not
  std::uint64_t scanned_bytes = 0;  // of their messages
};

// A share of the events that one thread reads. Within a part the order is the source's own.
class Part {
 public:
  virtual ~Part() = default;
  // The next batch, whose spans live until the next call; false at the end. A batch may have no rows. kUnavailable:
  // what is stored could not be read.
  virtual Result<bool> next(Batch& batch) = 0;
};

class Source {
 public:
  virtual ~Source() = default;
  // Together the parts are the events that were stored when this was called; newest parts first, so that the first rows
  // of a query come early. Any thread.
  virtual Result<std::vector<std::unique_ptr<Part>>> scan(const Scan& scan) const = 0;
  // Fields that events of these groups have, for a query that does not name them (`parse`, `pattern` need none).
  virtual std::vector<std::string> fields_of(std::span<const std::string> groups) const = 0;
};

}  // namespace securebase::logs::insights
