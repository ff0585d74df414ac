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

}  // namespace

Result<Done> ReadMessages::take(std::string_view bytes, std::size_t raw_bytes, std::size_t rows, Slot::FieldOf field,
                                Slot::AlphabetOf alphabet) {
  field_ = std::move(field);
  alphabet_ = std::move(alphabet);
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
    shape.read = false;
    if (shape.fixed.size() - 1 > kVariablesOfMessage) return no_messages("templates");
    shape.slots.resize(shape.fixed.size() - 1);
    for (auto& slot : shape.slots) {
      if (auto done = slot.note(from, shape.rows.size()); !done) return done;
    }
  }
  if (!from.ok()) return no_messages("templates");
  return Done{};
}

Result<Done> ReadMessages::read(Shape& shape) {
  if (shape.read) return Done{};
  for (auto& slot : shape.slots) {
    if (auto done = slot.read(field_); !done) return done;
  }
  shape.read = true;
  return Done{};
}

Result<Done> ReadMessages::append(std::string& out, std::size_t row) {
  if (number_of_[row] == 0) {
    out.append(literals_[index_of_[row]]);
    return Done{};
  }
  auto& shape = shapes_[number_of_[row] - 1];
  if (auto done = read(shape); !done) return done;
  for (std::size_t i = 0; i < shape.slots.size(); ++i) {
    out.append(shape.fixed[i]);
    shape.slots[i].append(out, index_of_[row], row);
  }
  out.append(shape.fixed.back());
  return Done{};
}

Result<Done> ReadMessages::mark(Shape& shape, const insights::TextFinder& text) {
  for (const auto fixed : shape.fixed) {
    if (!text.in(fixed)) continue;
    for (const auto row : shape.rows) marks_[row] = Has::kYes;
    return Done{};
  }
  const bool runs = !shape.text.starts_with('{');  // else it may be JSON
  for (std::size_t i = 0; i < shape.slots.size(); ++i) {
    auto& slot = shape.slots[i];
    auto alphabet = slot.alphabet(alphabet_);
    if (runs) alphabet.keep(Alphabet::run());
    const Reach reach(text, {shape.fixed[i], shape.fixed[i + 1], i == 0, i + 1 == shape.slots.size()}, alphabet);
    if (reach.impossible()) continue;
    if (auto done = slot.read(field_); !done) return done;
    slot.for_each_with(reach, shape.rows,
                       [this](std::uint32_t row, Has has) { marks_[row] = std::max(marks_[row], has); });
  }
  return Done{};
}

Result<Done> ReadMessages::find(const insights::TextFinder& text, std::size_t begin, std::size_t end,
                                std::vector<std::uint32_t>& found) {
  found.clear();
  marks_.assign(rows(), Has::kNo);
  for (auto& shape : shapes_) {
    if (auto done = mark(shape, text); !done) return done;
  }
  for (auto row = static_cast<std::uint32_t>(begin); row < end; ++row) {
    bool has = marks_[row] == Has::kYes;
    if (number_of_[row] == 0) {
      has = text.in(literals_[index_of_[row]]);
    } else if (marks_[row] == Has::kMaybe) {
      scratch_.clear();
      if (auto done = append(scratch_, row); !done) return done;
      has = text.in(scratch_);
    }
    if (has) found.push_back(row);
  }
  return Done{};
}

template <class RowAt>
Result<Done> ReadMessages::build(std::size_t count, RowAt row_at, DecodedColumn& into) {
  into.view = Column{};
  into.unpacked.clear();
  std::vector<std::size_t> ends;
  ends.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (auto done = append(into.unpacked, row_at(i)); !done) return done;
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

Result<Done> ReadMessages::build(DecodedColumn& into) {
  return build(
      rows(), [](std::size_t row) { return row; }, into);
}

Result<Done> ReadMessages::build(std::span<const std::uint32_t> only, DecodedColumn& into) {
  return build(
      only.size(), [only](std::size_t i) { return only[i]; }, into);
}

}  // namespace securebase::logs
