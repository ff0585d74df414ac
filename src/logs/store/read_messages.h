// The messages of a block, read: which of them have a text is found where it can be, once in each template and each
// word; a message is put together only where it is wanted.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logs/insights/find_text.h"
#include "logs/store/column.h"
#include "logs/store/reach.h"
#include "logs/store/slots.h"

namespace securebase::logs {

class ReadMessages {
 public:
  // `field` gives a column of the same block, which stays as it is, until the next take(); `alphabet` what it is made
  // of, if that can be had for less. kMalformed: these are no messages. Reuses the memory of what was read before.
  Result<Done> take(
      std::string_view bytes, std::size_t raw_bytes, std::size_t rows, Slot::FieldOf field,
      Slot::AlphabetOf alphabet = [](std::string_view) { return Alphabet::any(); });
  std::size_t rows() const { return number_of_.size(); }

  // What follows reads variables when they are needed first. kMalformed: they are none, or a field is not what it was.

  // Of the rows from `begin` to `end`, those that have the text.
  Result<Done> find(const insights::TextFinder& text, std::size_t begin, std::size_t end,
                    std::vector<std::uint32_t>& found);
  Result<Done> append(std::string& out, std::size_t row);
  // All messages, or those of `only`, as a column. kLimit: they are larger together than 256 MiB.
  Result<Done> build(DecodedColumn& into);
  Result<Done> build(std::span<const std::uint32_t> only, DecodedColumn& into);
  // Of those messages the parts that have all places of `lead` with `behind` bytes from where each begins, or more; ""
  // where there is none. Only the variables that can be in such a part are read.
  Result<Done> build_around(const insights::TextFinder& lead, std::size_t behind, std::span<const std::uint32_t> only,
                            DecodedColumn& into);

 private:
  // Of the messages of a template: from a byte of a fixed part up to `behind` bytes beyond a part. Parts are counted
  // from 0: a fixed one, a slot, a fixed one ...
  struct Around {
    bool known = false;
    bool nowhere = true;
    std::size_t fixed = 0;
    std::size_t byte = 0;
    std::size_t last = 0;
    void begin_at(std::size_t at_fixed, std::size_t at_byte);
    void last_at(std::size_t part);
  };
  struct Shape {
    std::string_view text;
    std::vector<std::string_view> fixed;  // before, between and behind the slots
    std::vector<Slot> slots;
    std::vector<std::uint32_t> rows;
    bool read = false;  // all slots
    Around around;      // of what is looked for now
  };
  Result<Done> read(Shape& shape);
  Result<Done> mark(Shape& shape, const insights::TextFinder& text);
  Reach reach_of(const Shape& shape, std::size_t slot, const insights::TextFinder& text) const;
  Around around(const Shape& shape, const insights::TextFinder& lead) const;
  Result<Done> append_around(std::string& out, std::size_t row, const insights::TextFinder& lead, std::size_t behind);
  // `append(out, row)`: the text of a row.
  template <class RowAt, class Append>
  Result<Done> build(std::size_t count, RowAt row_at, Append append, DecodedColumn& into);

  Slot::FieldOf field_;
  Slot::AlphabetOf alphabet_;
  std::string bytes_;
  std::vector<std::uint64_t> number_of_;  // by row: its shape, from 1; 0: a literal
  std::vector<std::uint32_t> index_of_;   // by row: which message of its shape, or which literal
  std::vector<std::string_view> literals_;
  std::string literal_text_;
  std::vector<Shape> shapes_;
  std::vector<Has> marks_;  // by row
  std::string scratch_;
};

}  // namespace securebase::logs
