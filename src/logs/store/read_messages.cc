#include "logs/store/read_messages.h"

#include <algorithm>
#include <tuple>
#include <utility>

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

Reach ReadMessages::reach_of(const Shape& shape, std::size_t slot, const insights::TextFinder& text) const {
  auto alphabet = shape.slots[slot].alphabet(alphabet_);
  const bool runs = !shape.text.starts_with('{');  // else it may be JSON
  if (runs) alphabet.keep(Alphabet::run());
  const Reach::Place place{shape.fixed[slot], shape.fixed[slot + 1], slot == 0, slot + 1 == shape.slots.size()};
  return {text, place, alphabet};
}

Result<Done> ReadMessages::mark(Shape& shape, const insights::TextFinder& text) {
  for (const auto fixed : shape.fixed) {
    if (!text.in(fixed)) continue;
    for (const auto row : shape.rows) marks_[row] = Has::kYes;
    return Done{};
  }
  for (std::size_t i = 0; i < shape.slots.size(); ++i) {
    auto& slot = shape.slots[i];
    const Reach reach = reach_of(shape, i, text);
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

void ReadMessages::Around::begin_at(std::size_t at_fixed, std::size_t at_byte) {
  if (nowhere || std::pair(at_fixed, at_byte) < std::pair(fixed, byte)) std::tie(fixed, byte) = {at_fixed, at_byte};
  nowhere = false;
}

void ReadMessages::Around::last_at(std::size_t part) { last = std::max(last, part); }

ReadMessages::Around ReadMessages::around(const Shape& shape, const insights::TextFinder& lead) const {
  Around around;
  around.known = true;
  for (std::size_t i = 0; i < shape.fixed.size(); ++i) {
    const auto at = lead.find(shape.fixed[i]);
    if (at == std::string_view::npos) continue;
    around.begin_at(i, at);
    around.last_at(2 * i);
  }
  for (std::size_t i = 0; i < shape.slots.size(); ++i) {
    if (reach_of(shape, i, lead).impossible()) continue;
    // What reaches into the slot begins at most so many bytes before it; slots between may be empty.
    const auto before = lead.needle().size() - 1;
    auto fixed = i;
    auto bytes = shape.fixed[fixed].size();
    while (bytes < before && fixed > 0) bytes += shape.fixed[--fixed].size();
    around.begin_at(fixed, bytes - std::min(bytes, before));
    around.last_at(2 * i + 1);
  }
  return around;
}

Result<Done> ReadMessages::append_around(std::string& out, std::size_t row, const insights::TextFinder& lead,
                                         std::size_t behind) {
  if (number_of_[row] == 0) {
    out.append(literals_[index_of_[row]]);
    return Done{};
  }
  auto& shape = shapes_[number_of_[row] - 1];
  if (!shape.around.known) shape.around = around(shape, lead);
  if (shape.around.nowhere) return Done{};
  auto part = 2 * shape.around.fixed;
  out.append(shape.fixed[shape.around.fixed].substr(shape.around.byte));
  for (auto end = out.size(); part + 1 < 2 * shape.fixed.size() - 1;) {
    if (part >= shape.around.last && out.size() - end >= behind) break;
    ++part;
    if (part % 2 == 0) {
      out.append(shape.fixed[part / 2]);
    } else {
      auto& slot = shape.slots[part / 2];
      if (auto done = slot.read(field_); !done) return done;
      slot.append(out, index_of_[row], row);
    }
    if (part <= shape.around.last) end = out.size();
  }
  return Done{};
}

template <class RowAt, class Append>
Result<Done> ReadMessages::build(std::size_t count, RowAt row_at, Append append, DecodedColumn& into) {
  into.view = Column{};
  into.unpacked.clear();
  std::vector<std::size_t> ends;
  ends.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (auto done = append(into.unpacked, static_cast<std::size_t>(row_at(i))); !done) return done;
    if (into.unpacked.size() > kMostBuiltBytes) {
      return Error{Errc::kLimit,
                   "a block's log messages are larger together than can be built at a time; ask for a "
                   "shorter period, or for less than whole messages"};
    }
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
  const auto whole = [this](std::string& out, std::size_t row) { return append(out, row); };
  return build(
      rows(), [](std::size_t row) { return row; }, whole, into);
}

Result<Done> ReadMessages::build(std::span<const std::uint32_t> only, DecodedColumn& into) {
  const auto whole = [this](std::string& out, std::size_t row) { return append(out, row); };
  return build(
      only.size(), [only](std::size_t i) { return only[i]; }, whole, into);
}

Result<Done> ReadMessages::build_around(const insights::TextFinder& lead, std::size_t behind,
                                        std::span<const std::uint32_t> only, DecodedColumn& into) {
  for (auto& shape : shapes_) shape.around = {};
  const auto part = [&](std::string& out, std::size_t row) { return append_around(out, row, lead, behind); };
  return build(
      only.size(), [only](std::size_t i) { return only[i]; }, part, into);
}

}  // namespace securebase::logs
