// like: conditions on texts, which most queries spend their time with.
#include "logs/insights/find_text.h"
#include "logs/insights/node.h"
#include "logs/insights/regex.h"

namespace securebase::logs::insights {

namespace {

// A test of texts; what is missing fails it, and passes its negation.
template <class Test>
class LikeNode final : public Node {
 public:
  LikeNode(NodePtr input, Test test, bool negated, std::size_t scratch)
      : input_(std::move(input)), test_(std::move(test)), negated_(negated), scratch_(scratch) {}

  const Vector& evaluate(Frame& frame, const Selection& rows) const override {
    Selection kept;
    select(frame, rows, kept);
    auto& made = frame.scratch[scratch_];
    made.make_numbers(rows.rows).assign(rows.rows, 0.0);
    made.numbers = made.own_numbers;
    kept.each([&made](std::size_t row) { made.own_numbers[row] = 1; });
    return made;
  }

  void select(Frame& frame, const Selection& rows, Selection& kept) const override {
    kept.all = false;
    kept.rows = rows.rows;
    kept.list.clear();
    if (!select_in_parts(frame, rows, kept)) select_in_whole(frame, rows, kept);
    if (kept.list.size() == kept.rows) kept.all = true;
  }

 private:
  // False: parts of the texts would not do, or save nothing.
  bool select_in_parts(Frame& frame, const Selection& rows, Selection& kept) const {
    auto* const later = rows.all ? input_->unread(frame) : nullptr;
    const auto around = later ? test_.around() : std::nullopt;
    const Column* const parts = around ? later->read_around(around->lead, around->bytes) : nullptr;
    if (!parts) return false;
    for (std::size_t row = 0; row < rows.rows; ++row) {
      bool has = false;
      switch (test_.in_part(parts->texts[row])) {
        case SequenceRegex::Found::kNo:
          break;
        case SequenceRegex::Found::kYes:
          has = true;
          break;
        case SequenceRegex::Found::kAskOther:
          has = test_(input_->evaluate(frame, rows).at(row).text);
      }
      if (has != negated_) kept.list.push_back(static_cast<std::uint32_t>(row));
    }
    return true;
  }

  void select_in_whole(Frame& frame, const Selection& rows, Selection& kept) const {
    const Vector& values = input_->evaluate(frame, rows);
    std::vector<std::uint8_t> verdicts;
    const bool by_word = values.kind == Vector::Kind::kDictionary && values.words.size() <= 2 * rows.size();
    if (by_word) {
      for (const auto word : values.words) verdicts.push_back(test_(word) != negated_ ? 1 : 0);
    }
    const auto holds = [&](std::size_t row) {
      if (by_word) return values.codes[row] < verdicts.size() ? verdicts[values.codes[row]] != 0 : negated_;
      if (values.kind == Vector::Kind::kTexts) {
        const auto text = values.texts[row];
        return text.data() == nullptr ? negated_ : test_(text) != negated_;
      }
      const Cell cell = values.at(row);
      if (cell.missing()) return negated_;
      return (cell.kind == Cell::Kind::kText ? test_(cell.text) : test_(display(cell, input_->precision))) != negated_;
    };
    rows.each([&](std::size_t row) {
      if (holds(row)) kept.list.push_back(static_cast<std::uint32_t>(row));
    });
  }

  const NodePtr input_;
  const Test test_;
  const bool negated_;
  const std::size_t scratch_;
};

struct HasText {
  TextFinder finder;
  bool operator()(std::string_view text) const { return finder.in(text); }
  // The source has looked for it already.
  std::optional<Regex::Around> around() const { return std::nullopt; }
  SequenceRegex::Found in_part(std::string_view) const { return SequenceRegex::Found::kAskOther; }
};

struct HasMatch {
  Regex expression;
  bool operator()(std::string_view text) const { return expression.is_in(text); }
  std::optional<Regex::Around> around() const { return expression.around(); }
  SequenceRegex::Found in_part(std::string_view part) const { return expression.is_in_part(part); }
};

// Nothing in it means anything but itself.
bool is_plain(std::string_view pattern) { return pattern.find_first_of(".^$*+?()[]{}|\\") == std::string_view::npos; }

}  // namespace

NodePtr contains_node(NodePtr input, std::string needle, bool negated, std::size_t scratch) {
  return std::make_unique<LikeNode<HasText>>(std::move(input), HasText{TextFinder(std::move(needle))}, negated,
                                             scratch);
}

Result<NodePtr> matches_node(NodePtr input, const std::string& pattern, bool negated, std::size_t scratch) {
  if (is_plain(pattern)) return contains_node(std::move(input), pattern, negated, scratch);
  auto expression = Regex::compile(pattern);
  if (!expression) return expression.error();
  return NodePtr(
      std::make_unique<LikeNode<HasMatch>>(std::move(input), HasMatch{std::move(*expression)}, negated, scratch));
}

}  // namespace securebase::logs::insights
