#include "logs/insights/node.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "logs/insights/json.h"

namespace securebase::logs::insights {

namespace {

constexpr double kNull = std::numeric_limits<double>::quiet_NaN();

bool truth(const Cell& cell) {
  if (cell.kind == Cell::Kind::kText) {
    const auto number = number_of(cell.text);
    return number ? *number != 0 : cell.text == "true";
  }
  return !cell.missing() && cell.number != 0;
}

// Keeps the rows for which `holds` says so, without a branch for each.
template <class Holds>
void keep_rows(const Selection& rows, Selection& kept, Holds holds) {
  kept.all = false;
  kept.rows = rows.rows;
  kept.list.resize(rows.size());
  std::size_t count = 0;
  rows.each([&](std::size_t row) {
    kept.list[count] = static_cast<std::uint32_t>(row);
    count += holds(row) ? 1 : 0;
  });
  kept.list.resize(count);
  if (count == kept.rows) kept.all = true;
}

// The same by any test of a cell: once for each word of a dictionary.
template <class Holds>
void keep_cells(const Vector& values, const Selection& rows, Selection& kept, Holds holds) {
  switch (values.kind) {
    case Vector::Kind::kMissing: {
      const bool verdict = holds(Cell{});
      return keep_rows(rows, kept, [verdict](std::size_t) { return verdict; });
    }
    case Vector::Kind::kDictionary: {
      // A dictionary that is larger than the batch is used where it is used.
      if (values.words.size() > 2 * rows.size()) break;
      std::vector<std::uint8_t> verdicts(values.words.size() + 1);
      for (std::size_t word = 0; word < values.words.size(); ++word) {
        verdicts[word] = holds(Vector::text_cell(values.words[word])) ? 1 : 0;
      }
      verdicts.back() = holds(Cell{}) ? 1 : 0;
      const auto last = static_cast<std::uint32_t>(values.words.size());
      return keep_rows(rows, kept, [&](std::size_t row) { return verdicts[std::min(values.codes[row], last)] != 0; });
    }
    case Vector::Kind::kTexts:
      return keep_rows(rows, kept, [&](std::size_t row) { return holds(Vector::text_cell(values.texts[row])); });
    default:
      break;
  }
  keep_rows(rows, kept, [&](std::size_t row) { return holds(values.at(row)); });
}

class FieldNode final : public Node {
 public:
  explicit FieldNode(std::size_t place) : place_(place) {}
  const Vector& evaluate(Frame& frame, const Selection&) const override {
    frame.registers[place_].load(frame.rows);
    return frame.registers[place_];
  }
  LaterColumn* unread(const Frame& frame) const override {
    const auto& field = frame.registers[place_];
    return field.kind == Vector::Kind::kLater ? field.later : nullptr;
  }

 private:
  const std::size_t place_;
};

class ConstantNode final : public Node {
 public:
  ConstantNode(const Cell& cell, std::size_t scratch) : text_(cell.text), cell_(cell), scratch_(scratch) {
    if (cell_.kind == Cell::Kind::kText) cell_.text = text_;
    precision = Precision::kStored;
  }
  const Vector& evaluate(Frame& frame, const Selection& rows) const override {
    auto& made = frame.scratch[scratch_];
    if (cell_.kind == Cell::Kind::kText) {
      made.make_texts(rows.rows).assign(rows.rows, cell_.text);
      made.texts = made.own_texts;
    } else if (cell_.missing()) {
      made.kind = Vector::Kind::kMissing;
    } else {
      made.make_numbers(rows.rows).assign(rows.rows, cell_.number);
      made.numbers = made.own_numbers;
    }
    return made;
  }
  const Cell* constant() const override { return &cell_; }

 private:
  const std::string text_;
  Cell cell_;
  const std::size_t scratch_;
};

// A condition: its value is 1 or 0.
class Condition : public Node {
 public:
  explicit Condition(std::size_t scratch) : scratch_(scratch) {}
  const Vector& evaluate(Frame& frame, const Selection& rows) const override {
    Selection kept;
    select(frame, rows, kept);
    auto& made = frame.scratch[scratch_];
    made.make_numbers(rows.rows).assign(rows.rows, 0.0);
    made.numbers = made.own_numbers;
    kept.each([&made](std::size_t row) { made.own_numbers[row] = 1; });
    return made;
  }

 private:
  const std::size_t scratch_;
};

template <class Verdict>
void with_operator(Operator op, Verdict verdict) {
  switch (op) {
    case Operator::kEqual:
      return verdict([](auto a, auto b) { return a == b; });
    case Operator::kNotEqual:
      return verdict([](auto a, auto b) { return a != b; });
    case Operator::kLess:
      return verdict([](auto a, auto b) { return a < b; });
    case Operator::kLessOrEqual:
      return verdict([](auto a, auto b) { return a <= b; });
    case Operator::kGreater:
      return verdict([](auto a, auto b) { return a > b; });
    default:
      return verdict([](auto a, auto b) { return a >= b; });
  }
}

// What is missing on either side is equal to nothing, less than nothing, and unequal to everything.
class CompareNode final : public Condition {
 public:
  CompareNode(Operator op, NodePtr left, NodePtr right, std::size_t scratch)
      : Condition(scratch), op_(op), left_(std::move(left)), right_(std::move(right)) {}

  void select(Frame& frame, const Selection& rows, Selection& kept) const override {
    const Vector& left = left_->evaluate(frame, rows);
    if (const Cell* right = right_->constant()) return against(*right, left, rows, kept);
    const Vector& right = right_->evaluate(frame, rows);
    if (left.kind == Vector::Kind::kNumbers && right.kind == Vector::Kind::kNumbers) {
      // NaN, which is missing, compares as said above by itself.
      return with_operator(op_, [&](auto holds) {
        keep_rows(rows, kept, [&](std::size_t row) { return holds(left.numbers[row], right.numbers[row]); });
      });
    }
    keep_rows(rows, kept, [&](std::size_t row) { return holds(left.at(row), right.at(row)); });
  }

 private:
  bool holds(const Cell& a, const Cell& b) const {
    if (a.missing() || b.missing()) return op_ == Operator::kNotEqual;
    const int order = compare(a, b);
    bool verdict = false;
    with_operator(op_, [&](auto compared) { verdict = compared(order, 0); });
    return verdict;
  }

  void against(const Cell& right, const Vector& left, const Selection& rows, Selection& kept) const {
    const double number = number_of(right);
    if (left.kind == Vector::Kind::kNumbers && !std::isnan(number)) {
      return with_operator(op_, [&](auto holds) {
        keep_rows(rows, kept, [&](std::size_t row) { return holds(left.numbers[row], number); });
      });
    }
    if (right.kind == Cell::Kind::kText && std::isnan(number) &&
        (op_ == Operator::kEqual || op_ == Operator::kNotEqual)) {
      const bool equal = op_ == Operator::kEqual;
      return keep_cells(left, rows, kept, [&](const Cell& cell) {
        return (cell.kind == Cell::Kind::kText ? cell.text == right.text : holds_equal(cell, right)) == equal;
      });
    }
    keep_cells(left, rows, kept, [&](const Cell& cell) { return holds(cell, right); });
  }
  static bool holds_equal(const Cell& cell, const Cell& right) { return !cell.missing() && compare(cell, right) == 0; }

  const Operator op_;
  const NodePtr left_;
  const NodePtr right_;
};

class LogicNode final : public Condition {
 public:
  LogicNode(Operator op, NodePtr left, NodePtr right, std::size_t scratch)
      : Condition(scratch), op_(op), left_(std::move(left)), right_(std::move(right)) {}
  void select(Frame& frame, const Selection& rows, Selection& kept) const override {
    Selection first;
    left_->select(frame, rows, first);
    if (op_ == Operator::kAnd) return right_->select(frame, first, kept);
    Selection rest;
    Selection second;
    subtract(rows, first, rest);
    right_->select(frame, rest, second);
    unite(first, second, kept);
  }

 private:
  const Operator op_;
  const NodePtr left_;
  const NodePtr right_;
};

class NotNode final : public Condition {
 public:
  NotNode(NodePtr inner, std::size_t scratch) : Condition(scratch), inner_(std::move(inner)) {}
  void select(Frame& frame, const Selection& rows, Selection& kept) const override {
    Selection true_;
    inner_->select(frame, rows, true_);
    subtract(rows, true_, kept);
  }

 private:
  const NodePtr inner_;
};

class InNode final : public Condition {
 public:
  InNode(NodePtr input, std::shared_ptr<const ValueSet> values, bool negated, std::size_t scratch)
      : Condition(scratch), input_(std::move(input)), values_(std::move(values)), negated_(negated) {}
  void select(Frame& frame, const Selection& rows, Selection& kept) const override {
    keep_cells(input_->evaluate(frame, rows), rows, kept,
               [this](const Cell& cell) { return values_->has(cell) != negated_; });
  }

 private:
  const NodePtr input_;
  const std::shared_ptr<const ValueSet> values_;
  const bool negated_;
};

double compute(Operator op, double a, double b) {
  switch (op) {
    case Operator::kAdd:
      return a + b;
    case Operator::kSubtract:
      return a - b;
    case Operator::kMultiply:
      return a * b;
    case Operator::kDivide:
      return b == 0 ? kNull : a / b;
    case Operator::kModulo:
      return b == 0 ? kNull : std::fmod(a, b);
    default:
      return std::pow(a, b);
  }
}

class ArithmeticNode final : public Node {
 public:
  ArithmeticNode(Operator op, NodePtr left, NodePtr right, std::size_t scratch)
      : op_(op), left_(std::move(left)), right_(std::move(right)), scratch_(scratch) {}

  const Vector& evaluate(Frame& frame, const Selection& rows) const override {
    const Vector& left = left_->evaluate(frame, rows);
    const Vector& right = right_->evaluate(frame, rows);
    auto& made = frame.scratch[scratch_];
    auto& out = made.make_numbers(rows.rows);
    if (left.kind == Vector::Kind::kNumbers && right.kind == Vector::Kind::kNumbers) {
      const auto* const a = left.numbers.data();
      const auto* const b = right.numbers.data();
      each_of(rows, [&](std::size_t row, auto op) { out[row] = op(a[row], b[row]); });
    } else {
      rows.each([&](std::size_t row) {
        out[row] = compute(op_, number_of(left.at(row)), number_of(right.at(row)));
        if (std::isinf(out[row])) out[row] = kNull;
      });
    }
    return made;
  }

 private:
  // The operator is chosen once a batch, not once a row.
  template <class Visit>
  void each_of(const Selection& rows, Visit visit) const {
    switch (op_) {
      case Operator::kAdd:
        return rows.each([&](std::size_t row) { visit(row, [](double a, double b) { return a + b; }); });
      case Operator::kSubtract:
        return rows.each([&](std::size_t row) { visit(row, [](double a, double b) { return a - b; }); });
      case Operator::kMultiply:
        return rows.each([&](std::size_t row) { visit(row, [](double a, double b) { return a * b; }); });
      case Operator::kDivide:
        return rows.each(
            [&](std::size_t row) { visit(row, [](double a, double b) { return b == 0 ? kNull : a / b; }); });
      default:
        return rows.each([&](std::size_t row) {
          visit(row, [this](double a, double b) {
            const double result = compute(op_, a, b);
            return std::isinf(result) ? kNull : result;
          });
        });
    }
  }

  const Operator op_;
  const NodePtr left_;
  const NodePtr right_;
  const std::size_t scratch_;
};

class JsonPathNode final : public Node {
 public:
  JsonPathNode(NodePtr input, std::vector<std::string> path, std::size_t scratch)
      : input_(std::move(input)), path_(std::move(path)), scratch_(scratch) {
    precision = Precision::kStored;
  }
  const Vector& evaluate(Frame& frame, const Selection& rows) const override {
    const Vector& input = input_->evaluate(frame, rows);
    auto& out = frame.scratch[scratch_].make_cells(rows.rows);
    rows.each([&](std::size_t row) {
      const Cell cell = input.at(row);
      out[row] = cell.kind == Cell::Kind::kText ? json_at(*frame.json, cell.text, path_, frame.arena) : Cell{};
    });
    return frame.scratch[scratch_];
  }

 private:
  const NodePtr input_;
  const std::vector<std::string> path_;
  const std::size_t scratch_;
};

}  // namespace

void Node::select(Frame& frame, const Selection& rows, Selection& kept) const {
  keep_cells(evaluate(frame, rows), rows, kept, truth);
}

void ValueSet::add(const Cell& cell) {
  if (cell.missing()) return;
  const double number = number_of(cell);
  if (std::isnan(number)) {
    texts.emplace(cell.text);
  } else {
    numbers.insert(number);
  }
}

bool ValueSet::has(const Cell& cell) const {
  if (cell.missing()) return false;
  const double number = number_of(cell);
  if (!std::isnan(number) && !numbers.empty() && numbers.count(number) != 0) return true;
  return std::isnan(number) && texts.find(cell.text) != texts.end();
}

NodePtr field_node(std::size_t register_, bool time, Precision precision) {
  auto made = std::make_unique<FieldNode>(register_);
  made->time = time;
  made->precision = precision;
  return made;
}

NodePtr constant_node(const Cell& cell, std::size_t scratch) { return std::make_unique<ConstantNode>(cell, scratch); }

NodePtr compare_node(Operator op, NodePtr left, NodePtr right, std::size_t scratch) {
  return std::make_unique<CompareNode>(op, std::move(left), std::move(right), scratch);
}

NodePtr logic_node(Operator op, NodePtr left, NodePtr right, std::size_t scratch) {
  return std::make_unique<LogicNode>(op, std::move(left), std::move(right), scratch);
}

NodePtr not_node(NodePtr inner, std::size_t scratch) { return std::make_unique<NotNode>(std::move(inner), scratch); }

NodePtr arithmetic_node(Operator op, NodePtr left, NodePtr right, std::size_t scratch) {
  return std::make_unique<ArithmeticNode>(op, std::move(left), std::move(right), scratch);
}

NodePtr in_node(NodePtr input, std::shared_ptr<const ValueSet> values, bool negated, std::size_t scratch) {
  return std::make_unique<InNode>(std::move(input), std::move(values), negated, scratch);
}

NodePtr json_path_node(NodePtr input, std::vector<std::string> path, std::size_t scratch) {
  return std::make_unique<JsonPathNode>(std::move(input), std::move(path), scratch);
}

}  // namespace securebase::logs::insights
