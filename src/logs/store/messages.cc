#include "logs/store/messages.h"

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>

#include "logs/store/cut_message.h"
#include "logs/store/numbers.h"
#include "logs/store/texts.h"
#include "logs/store/zstd.h"

namespace securebase::logs {

namespace {

constexpr std::size_t kLeastMessages = 4;  // of a template; fewer are literal
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

struct Shape {
  std::string text;
  std::vector<std::uint32_t> rows;
  std::vector<std::vector<std::string_view>> slots;

  bool rare() const { return rows.size() < kLeastMessages; }
};

// The templates of a block's messages, as they are found.
class Shapes {
 public:
  explicit Shapes(std::span<const std::string_view> messages) : messages_(messages), shape_of_(messages.size(), kNone) {
    for (std::uint32_t row = 0; row < messages.size(); ++row) {
      // Messages are like each other: after one of a shape comes one of the shape that came after it before.
      if (last_ < all_.size() && next_[last_] < all_.size() &&
          cut_like(messages[row], all_[next_[last_]].text, variables_)) {
        last_ = next_[last_];
        put(row, last_);
      } else if (cut_json(messages[row], text_, variables_) || cut_text(messages[row], text_, variables_)) {
        put(row, find());
      }
    }
    // JSON whose names vary has many shapes; as text it may have few.
    std::vector<std::uint32_t> again;
    for (auto& shape : all_) {
      if (!shape.rare() || !shape.text.starts_with('{')) continue;
      for (const auto row : std::exchange(shape.rows, {})) again.push_back(row);
      for (auto& slot : shape.slots) slot.clear();
    }
    std::sort(again.begin(), again.end());
    for (const auto row : again) {
      shape_of_[row] = kNone;
      if (cut_text(messages[row], text_, variables_)) put(row, find());
    }
  }

  std::deque<Shape>& all() { return all_; }
  // kNone: it is literal.
  std::size_t shape_of(std::size_t row) const { return shape_of_[row]; }

 private:
  void put(std::uint32_t row, std::size_t at) {
    auto& shape = all_[at];
    // A row that is cut again may come to a shape of the first round, whose later rows are there already: it stays
    // literal, since rows ascend.
    if (!shape.rows.empty() && shape.rows.back() > row) return;
    shape_of_[row] = at;
    shape.rows.push_back(row);
    for (std::size_t i = 0; i < variables_.size(); ++i) shape.slots[i].push_back(variables_[i]);
  }

  std::size_t find() {
    auto known = index_.find(text_);
    if (known == index_.end()) {
      all_.push_back({text_, {}, std::vector<std::vector<std::string_view>>(variables_.size())});
      next_.push_back(kNone);
      known = index_.emplace(all_.back().text, all_.size() - 1).first;
    }
    if (last_ < all_.size()) next_[last_] = known->second;
    return last_ = known->second;
  }

  const std::span<const std::string_view> messages_;
  std::vector<std::size_t> shape_of_;
  std::deque<Shape> all_;
  std::unordered_map<std::string_view, std::size_t> index_;
  std::vector<std::size_t> next_;
  std::size_t last_ = kNone;
  std::string text_;
  std::vector<std::string_view> variables_;
};

// Whether no word, and no UUID, is partly in the template and partly in a variable.
bool variables_stand_apart(std::string_view shape) {
  const auto is_part = [&](std::size_t at) {
    return at < shape.size() &&
           (shape[at] == '-' || shape[at] == kVariable || kWordBytes.is_word[static_cast<unsigned char>(shape[at])]);
  };
  for (auto hole = shape.find(kVariable); hole != std::string_view::npos; hole = shape.find(kVariable, hole + 1)) {
    if ((hole > 0 && is_part(hole - 1)) || is_part(hole + 1)) return false;
  }
  return true;
}

}  // namespace

EncodedColumn encode_messages(std::span<const std::string_view> messages, const MessageFields& fields,
                              BlockWords& words) {
  const auto take_words = [&words](std::string_view text) { words.add(text); };
  Shapes shapes(messages);
  // Those of enough messages, numbered from 1; 0 is a literal.
  std::vector<std::uint64_t> number_of(shapes.all().size());
  std::uint64_t used = 0;
  for (std::size_t i = 0; i < number_of.size(); ++i) {
    if (!shapes.all()[i].rare()) number_of[i] = ++used;
  }
  std::vector<std::uint64_t> numbers;
  std::vector<std::string_view> literals;
  for (std::size_t row = 0; row < messages.size(); ++row) {
    const auto shape = shapes.shape_of(row);
    numbers.push_back(shape == kNone ? 0 : number_of[shape]);
    if (numbers.back() == 0) {
      literals.push_back(messages[row]);
      take_words(messages[row]);
    }
  }
  MixedBytes raw;
  put_varint(raw, used);
  put_planes(raw, numbers);
  put_texts(raw, literals);
  for (std::size_t i = 0; i < number_of.size(); ++i) {
    if (number_of[i] == 0) continue;
    const auto& shape = shapes.all()[i];
    put_text(raw, shape.text);
    // Words of the template are those of every message, and need one look, if none goes on in a variable.
    const bool apart = variables_stand_apart(shape.text);
    if (apart) {
      take_words(shape.text);
    } else {
      for (const auto row : shape.rows) take_words(messages[row]);
    }
    for (const auto& slot : shape.slots) {
      Slot::put(
          raw, slot, shape.rows, fields, apart ? Slot::VisitText(take_words) : [](std::string_view) {});
    }
  }
  check(raw.size() <= kMostRawBytes, "a block of log events is a few MiB");
  EncodedColumn out;
  out.kind = Column::Kind::kTexts;
  out.raw_bytes = static_cast<std::uint32_t>(raw.size());
  out.bytes = compress(raw);
  return out;
}

}  // namespace securebase::logs
