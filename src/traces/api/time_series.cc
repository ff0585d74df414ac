#include "traces/api/time_series.h"

#include "traces/filter/syntax.h"

namespace securebase::traces {

bool EntitySelector::Choice::fits(const Node& node) const {
  return (name.empty() || name == node.name) && (type.empty() || type == node.type);
}

Result<EntitySelector> EntitySelector::parse(std::string_view text) {
  auto filter = Filter::parse(text);
  if (!filter) return filter.error();
  EntitySelector selector;
  const auto* expression = filter->expression();
  if (!expression) return selector;
  using Kind = Filter::Expression::Kind;
  const bool service = expression->kind == Kind::kService;
  if ((!service && expression->kind != Kind::kEdge) || !expression->parts.empty()) {
    return Error{
        Errc::kMalformed,
        R"(EntitySelectorExpression is service("name") or edge("from", "to"), with id(name: "", type: "") where )"
        "the name is not enough, and nothing in braces"};
  }
  const auto choice = [](const ServiceChoice& said) { return Choice{said.name, said.type}; };
  selector.is_service_ = service;
  selector.to_ = choice(expression->services.back());
  if (!service) selector.from_ = choice(expression->services.front());
  return selector;
}

bool EntitySelector::selects(const Node& from, const Node& to) const { return from_.fits(from) && to_.fits(to); }

void add_to(TimeSeries& series, const Counts& counts, WallTime begin, std::chrono::seconds period,
            const EntitySelector& selector) {
  const auto window = begin - begin.time_since_epoch() % period;
  for (const auto& [between, edge] : counts.edges) {
    if (selector.selects(between.first, between.second)) series[window].merge(edge);
  }
}

}  // namespace securebase::traces
