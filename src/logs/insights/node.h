// A compiled expression: nodes that compute a column from columns. Immutable while it runs, so threads share it; what
// it computes lies in the frame of the thread.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "logs/insights/frame.h"
#include "logs/insights/functions.h"
#include "logs/insights/syntax.h"

namespace securebase::logs::insights {

class Node {
 public:
  virtual ~Node() = default;
  // The values for the selected rows; of other rows nothing is said. Lives until the node is asked for other rows.
  virtual const Vector& evaluate(Frame& frame, const Selection& rows) const = 0;
  // Those of `rows` for which it is true: a number that is not 0, or the text "true". Missing is false.
  virtual void select(Frame& frame, const Selection& rows, Selection& kept) const;
  // Not null: the same in every row.
  virtual const Cell* constant() const { return nullptr; }
  // Not null: a field as it is, which nobody has read yet.
  virtual LaterColumn* unread(const Frame&) const { return nullptr; }

  bool time = false;
  Precision precision = Precision::kComputed;
};
using NodePtr = std::unique_ptr<Node>;

// The values that a subquery gave: filled before the scan that asks for them begins, constant while it runs.
struct ValueSet {
  std::set<double> numbers;
  std::set<std::string, std::less<>> texts;
  void add(const Cell& cell);
  bool has(const Cell& cell) const;
};

NodePtr field_node(std::size_t register_, bool time, Precision precision);
NodePtr constant_node(const Cell& cell, std::size_t scratch);
NodePtr compare_node(Operator op, NodePtr left, NodePtr right, std::size_t scratch);
NodePtr logic_node(Operator op, NodePtr left, NodePtr right, std::size_t scratch);
NodePtr not_node(NodePtr inner, std::size_t scratch);
NodePtr arithmetic_node(Operator op, NodePtr left, NodePtr right, std::size_t scratch);
NodePtr contains_node(NodePtr input, std::string needle, bool negated, std::size_t scratch);
// kMalformed: RE2 does not take the expression; says why.
Result<NodePtr> matches_node(NodePtr input, const std::string& pattern, bool negated, std::size_t scratch);
NodePtr in_node(NodePtr input, std::shared_ptr<const ValueSet> values, bool negated, std::size_t scratch);
// Of those inputs that are numbers, or texts that spell one; times are none. Missing: none is.
NodePtr sum_node(std::vector<NodePtr> inputs, std::size_t scratch);
NodePtr json_path_node(NodePtr input, std::vector<std::string> path, std::size_t scratch);
// `extra`: the period of bin() and its kin.
NodePtr call_node(Function function, std::vector<NodePtr> arguments, Period extra, std::size_t scratch);

}  // namespace securebase::logs::insights
