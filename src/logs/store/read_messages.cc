#include "logs/store/read_messages.h"

#include <algorithm>

#include "logs/store/cut_message.h"
#include "logs/store/numbers.h"
#include "logs/store/texts.h"
#include "logs/store/zstd.h"

namespace securebase::logs {

namespace {

constexpr std::size_t kMostBuiltBytes = std::size_t{256} << 20;

Error no_messages(std::string_view what) {
  return {Errc::kMalformed, std::string("the ") + std::string(what) + " of stored log messages cannot be read"};
}

std::vector<std::string_view> fixed_parts(std::string_view shape) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto hole = shape.find(kVariable);
    parts.push_back(shape.substr(0, hole));
    if (hole == std::string_view::npos) return parts;
    shape.remove_prefix(hole + 1);
  }
}

// A text that would begin before a variable, and one that would end behind it: how much of it can be on the other side,
// given what stands there.
std::vector<std::size_t> lengths_before(std::string_view text, std::string_view fixed, bool first) {
  std::vector<std::size_t> lengths;
  for (std::size_t length = 1; length < text.size(); ++length) {
    const auto part = text.substr(0, length);
    if (fixed.ends_with(part) || (!first && part.ends_with(fixed))) lengths.push_back(length);
  }
  return lengths;
}

std::vector<std::size_t> lengths_behind(std::string_view text, std::string_view fixed, bool last) {
  std::vector<std::size_t> lengths;
  for (std::size_t length = 1; length < text.size(); ++length) {
    const auto part = text.substr(text.size() - length);
    if (fixed.starts_with(part) || (!last && part.starts_with(fixed))) lengths.push_back(length);
  }
  return lengths;
}

bool is_part_of_number(std::string_view text) {
  return text.find_first_not_of("0123456789.-") == std::string_view::npos;
}

// Whether a message whose variable has this value may have the text in or across it.
struct MayReachInto {
  const insights::TextFinder& text;
  std::vector<std::size_t> before;
  std::vector<std::size_t> behind;

  bool operator()(std::string_view value) const {
    const std::string_view needle = text.needle();
    for (const auto length : before) {
      const auto rest = needle.substr(length);
      if (value.starts_with(rest) || rest.starts_with(value)) return true;
    }
    for (const auto length : behind) {
      const auto rest = needle.substr(0, needle.size() - length);
      if (value.ends_with(rest) || rest.ends_with(value)) return true;
    }
    return text.in(value);
  }
};

}  // namespace

Result<Done> ReadMessages::take(std::string_view bytes, std::size_t raw_bytes, std::size_t rows,
                                const Slot::FieldOf& field) {
  if (raw_bytes > kMostRawBytes || rows > kMostRows) return no_messages("size");
  if (auto done = decompress(bytes, raw_bytes, bytes_); !done) return done;
  ByteReader from(bytes_);
  const auto used = from.varint();
  if (used > rows || !take_planes(from, rows, number_of_)) return no_messages("templates");
  shapes_.resize(used);
  for (auto& shape : shapes_) shape.rows.clear();
  index_of_.resize(rows);
  std::uint32_t literals = 0;
  for (std::uint32_t row = 0; row < rows; ++row) {
    const auto number = number_of_[row];
    if (number > used) return no_messages("templates");
    if (number == 0) {
      index_of_[row] = literals++;
    } else {
      auto& shape = shapes_[number - 1];
      index_of_[row] = static_cast<std::uint32_t>(shape.rows.size());
      shape.rows.push_back(row);
    }
  }
  if (!take_texts(from, literals, literals_, literal_text_)) return no_messages("texts");
  for (auto& shape : shapes_) {
    shape.text = from.text();
    shape.fixed = fixed_parts(shape.text);
    if (shape.fixed.size() - 1 > kVariablesOfMessage) return no_messages("templates");
    shape.slots.resize(shape.fixed.size() - 1);
    for (auto& slot : shape.slots) {
      if (auto done = slot.take(from, shape.rows.size(), field); !done) return done;
    }
  }
  if (!from.ok()) return no_messages("templates");
  return Done{};
}

void ReadMessages::append(std::string& out, std::size_t row) const {
  if (number_of_[row] == 0) {
    out.append(literals_[index_of_[row]]);
    return;
  }
  const auto& shape = shapes_[number_of_[row] - 1];
  for (std::size_t i = 0; i < shape.slots.size(); ++i) {
    out.append(shape.fixed[i]);
    shape.slots[i].append(out, index_of_[row], row);
  }
  out.append(shape.fixed.back());
}

void ReadMessages::mark(const Shape& shape, const insights::TextFinder& text) {
  for (const auto fixed : shape.fixed) {
    if (!text.in(fixed)) continue;
    for (const auto row : shape.rows) marks_[row] = kHas;
    return;
  }
  for (std::size_t i = 0; i < shape.slots.size(); ++i) {
    const MayReachInto may{text, lengths_before(text.needle(), shape.fixed[i], i == 0),
                           lengths_behind(text.needle(), shape.fixed[i + 1], i + 1 == shape.slots.size())};
    const bool within_only = may.before.empty() && may.behind.empty();
    if (within_only && shape.slots[i].is_number() && !is_part_of_number(text.needle())) continue;
    shape.slots[i].for_each_with(may, shape.rows, [this](std::uint32_t row) { marks_[row] = kMayHave; });
  }
}

void ReadMessages::find(const insights::TextFinder& text, std::size_t begin, std::size_t end,
                        std::vector<std::uint32_t>& found) {
  found.clear();
  marks_.assign(rows(), kHasNot);
  for (const auto& shape : shapes_) mark(shape, text);
  for (auto row = static_cast<std::uint32_t>(begin); row < end; ++row) {
    bool has = marks_[row] == kHas;
    if (number_of_[row] == 0) {
      has = text.in(literals_[index_of_[row]]);
    } else if (marks_[row] == kMayHave) {
      scratch_.clear();
      append(scratch_, row);
      has = text.in(scratch_);
    }
    if (has) found.push_back(row);
  }
}

template <class RowAt>
Result<Done> ReadMessages::build(std::size_t count, RowAt row_at, DecodedColumn& into) const {
  into.view = Column{};
  into.unpacked.clear();
  std::vector<std::size_t> ends;
  ends.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    append(into.unpacked, row_at(i));
    if (into.unpacked.size() > kMostBuiltBytes) return no_messages("size");
    ends.push_back(into.unpacked.size());
  }
  into.texts.clear();
  std::size_t begin = 0;
  for (const auto end : ends) {
    into.texts.push_back(std::string_view(into.unpacked).substr(begin, end - begin));
    begin = end;
  }
  into.view.kind = Column::Kind::kTexts;
  into.view.texts = into.texts;
  return Done{};
}

Result<Done> ReadMessages::build(DecodedColumn& into) const {
  return build(
      rows(), [](std::size_t row) { return row; }, into);
}

Result<Done> ReadMessages::build(std::span<const std::uint32_t> only, DecodedColumn& into) const {
  return build(
      only.size(), [only](std::size_t i) { return only[i]; }, into);
}

}  // namespace securebase::logs
