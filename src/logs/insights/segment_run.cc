#include "logs/insights/segment_run.h"

#include <algorithm>

#include "logs/insights/json.h"

namespace securebase::logs::insights {

namespace {

// As many rows as unnest makes at once.
constexpr std::size_t kUnnested = 64 << 10;

std::string_view text_to_parse(const Vector& values, std::size_t row, Arena& arena) {
  const Cell cell = values.at(row);
  if (cell.missing()) return {};
  return cell.kind == Cell::Kind::kText ? cell.text : arena.keep(display(cell));
}

}  // namespace

SegmentRun::SegmentRun(const Segment& segment)
    : segment_(segment),
      frame_(segment.places, segment.scratch),
      inner_(segment.steps.size()),
      sink_(make_sink(segment)) {
  for (std::size_t i = 0; i < segment.steps.size(); ++i) {
    if (std::holds_alternative<UnnestStep>(segment.steps[i])) {
      inner_[i] = std::make_unique<Frame>(segment.places, segment.scratch);
    }
  }
}

void SegmentRun::take(const Batch& batch, std::uint64_t sequence) {
  if (batch.rows == 0) return;
  frame_.rows = batch.rows;
  frame_.arena.clear();
  for (const auto place : segment_.time_places) frame_.registers[place].time = true;
  for (std::size_t i = 0; i < segment_.fields.size(); ++i) {
    frame_.registers[segment_.fields[i].place].import(batch.columns[i], batch.rows);
  }
  counted_ = false;
  run(frame_, Selection::whole(batch.rows), 0, sequence);
}

void SegmentRun::take(const Table& table) {
  frame_.rows = table.rows;
  for (const auto& [column, place] : segment_.columns) {
    auto& values = frame_.registers[place];
    values.kind = Vector::Kind::kCells;
    values.cells = table.columns[column];
  }
  counted_ = false;
  run(frame_, Selection::whole(table.rows), 0, 0);
}

void SegmentRun::run(Frame& frame, Selection rows, std::size_t step, std::uint64_t sequence) {
  Selection kept;
  for (; step < segment_.steps.size(); ++step) {
    if (const auto* filter = std::get_if<FilterStep>(&segment_.steps[step])) {
      filter->condition->select(frame, rows, kept);
      std::swap(rows, kept);
      if (rows.size() == 0) return;
    } else if (const auto* compute = std::get_if<ComputeStep>(&segment_.steps[step])) {
      frame.registers[compute->place] = compute->node->evaluate(frame, rows).view();
      frame.registers[compute->place].time = compute->node->time;
    } else if (const auto* glob = std::get_if<GlobStep>(&segment_.steps[step])) {
      parse(*glob, frame, rows);
    } else if (const auto* regex = std::get_if<RegexStep>(&segment_.steps[step])) {
      parse(*regex, frame, rows);
    } else if (const auto* lookup = std::get_if<LookupStep>(&segment_.steps[step])) {
      look_up(*lookup, frame, rows);
    } else {
      return unnest(std::get<UnnestStep>(segment_.steps[step]), frame, rows, step, sequence);
    }
  }
  if (!counted_) matched_ += rows.size();
  sink_->take(frame, rows, sequence);
}

// What stands at the stars: the shortest that fits, from the left; the last star takes what is left.
void SegmentRun::parse(const GlobStep& step, Frame& frame, const Selection& rows) {
  const Vector& input = step.input->evaluate(frame, rows);
  std::vector<std::vector<std::string_view>*> outs;
  for (const auto place : step.places) outs.push_back(&frame.registers[place].make_texts(frame.rows));
  std::vector<std::string_view> found(step.places.size());
  rows.each([&](std::size_t row) {
    const auto text = text_to_parse(input, row, frame.arena);
    bool fits = text.data() != nullptr;
    std::size_t at = fits ? step.literals[0].find(text) : 0;
    fits = fits && at != std::string_view::npos;
    if (fits) at += step.literals[0].needle().size();
    for (std::size_t star = 0; fits && star < found.size(); ++star) {
      const auto rest = text.substr(at);
      const auto& next = step.literals[star + 1];
      const bool last = star + 1 == found.size() && next.needle().empty();
      const auto length = last ? rest.size() : next.find(rest);
      fits = length != std::string_view::npos;
      if (!fits) break;
      found[star] = rest.substr(0, length);
      if (last) {
        while (!found[star].empty() && (found[star].back() == '\n' || found[star].back() == '\r')) {
          found[star].remove_suffix(1);
        }
      }
      at += length + next.needle().size();
    }
    for (std::size_t star = 0; star < found.size(); ++star)
      (*outs[star])[row] = fits ? found[star] : std::string_view();
  });
}

void SegmentRun::parse(const RegexStep& step, Frame& frame, const Selection& rows) {
  const Vector& input = step.input->evaluate(frame, rows);
  std::vector<std::vector<std::string_view>*> outs;
  for (const auto place : step.places) outs.push_back(&frame.registers[place].make_texts(frame.rows));
  const int last_group = *std::max_element(step.groups.begin(), step.groups.end());
  std::vector<std::string_view> groups(static_cast<std::size_t>(last_group) + 1);
  rows.each([&](std::size_t row) {
    const auto text = text_to_parse(input, row, frame.arena);
    const bool fits = text.data() != nullptr && step.expression.match(text, groups);
    for (std::size_t i = 0; i < outs.size(); ++i) {
      (*outs[i])[row] = fits ? groups[static_cast<std::size_t>(step.groups[i])] : std::string_view();
    }
  });
}

void SegmentRun::look_up(const LookupStep& step, Frame& frame, const Selection& rows) {
  std::vector<const Vector*> keys;
  for (const auto& key : step.keys) keys.push_back(&key->evaluate(frame, rows));
  std::vector<std::vector<std::string_view>*> outs;
  for (const auto place : step.places) outs.push_back(&frame.registers[place].make_texts(frame.rows));
  std::vector<std::string> texts(keys.size());
  rows.each([&](std::size_t row) {
    bool all = true;
    for (std::size_t i = 0; all && i < keys.size(); ++i) {
      const Cell cell = keys[i]->at(row);
      all = !cell.missing();
      if (all) texts[i] = display(cell, step.keys[i]->precision);
    }
    const auto found = all ? step.index.find(texts) : std::nullopt;
    for (std::size_t i = 0; i < outs.size(); ++i) {
      (*outs[i])[row] = found ? step.index.table().text(*found, step.columns[i]) : std::string_view();
    }
  });
}

void SegmentRun::unnest(const UnnestStep& step, Frame& frame, const Selection& rows, std::size_t at,
                        std::uint64_t sequence) {
  if (!counted_) matched_ += rows.size();
  counted_ = true;
  const Vector& lists = step.list->evaluate(frame, rows);
  std::vector<std::uint32_t> sources;
  std::vector<Cell> items;
  std::vector<Cell> elements;
  const auto flush = [&] {
    if (sources.empty()) return;
    Frame& inner = *inner_[at];
    inner.rows = sources.size();
    inner.arena.clear();
    for (std::size_t i = 0; i < frame.registers.size(); ++i) {
      frame.registers[i].load(frame.rows);
      inner.registers[i].gather(frame.registers[i], sources);
    }
    auto& made = inner.registers[step.place].make_cells(sources.size());
    std::copy(items.begin(), items.end(), made.begin());
    run(inner, Selection::whole(sources.size()), at + 1, sequence);
    sources.clear();
    items.clear();
  };
  rows.each([&](std::size_t row) {
    json_elements(*frame.json, lists.at(row), frame.arena, elements);
    for (const auto& element : elements) {
      sources.push_back(static_cast<std::uint32_t>(row));
      items.push_back(element);
      if (sources.size() >= kUnnested) flush();
    }
  });
  flush();
}

}  // namespace securebase::logs::insights
