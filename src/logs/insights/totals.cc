// Sums for addtotals: of each row, and of columns.
#include <cmath>
#include <limits>

#include "logs/insights/node.h"
#include "logs/insights/tables.h"

namespace securebase::logs::insights {

namespace {

// NaN: it is no number.
double summand(const Cell& cell) {
  return cell.kind == Cell::Kind::kTime ? std::numeric_limits<double>::quiet_NaN() : number_of(cell);
}

class SumNode final : public Node {
 public:
  SumNode(std::vector<NodePtr> inputs, std::size_t scratch) : inputs_(std::move(inputs)), scratch_(scratch) {}

  const Vector& evaluate(Frame& frame, const Selection& rows) const override {
    std::vector<const Vector*> values;
    for (const auto& input : inputs_) values.push_back(&input->evaluate(frame, rows));
    auto& made = frame.scratch[scratch_];
    auto& sums = made.make_numbers(rows.rows);
    rows.each([&](std::size_t row) {
      double sum = std::numeric_limits<double>::quiet_NaN();
      for (const auto* value : values) {
        const double number = summand(value->at(row));
        if (!std::isnan(number)) sum = std::isnan(sum) ? number : sum + number;
      }
      sums[row] = sum;
    });
    return made;
  }

 private:
  const std::vector<NodePtr> inputs_;
  const std::size_t scratch_;
};

}  // namespace

NodePtr sum_node(std::vector<NodePtr> inputs, std::size_t scratch) {
  return std::make_unique<SumNode>(std::move(inputs), scratch);
}

void add_totals(const TotalsPlan& plan, Table& table) {
  for (auto& column : table.columns) column.emplace_back();
  for (const auto at : plan.columns) {
    auto& column = table.columns[at];
    bool any = false;
    double sum = 0;
    for (std::size_t row = 0; row < table.rows; ++row) {
      const double number = summand(column[row]);
      if (std::isnan(number)) continue;
      any = true;
      sum += number;
    }
    if (any) column.back() = Cell::of(sum);
  }
  ++table.rows;
}

}  // namespace securebase::logs::insights
