#include "logs/insights/clusters.h"
#include "logs/insights/sink.h"

namespace securebase::logs::insights {

namespace {

class PatternSink final : public Sink {
 public:
  explicit PatternSink(const PatternSpec& spec) : spec_(spec) {}

  void take(Frame& frame, const Selection& rows, std::uint64_t) override {
    const Vector& values = spec_.input->evaluate(frame, rows);
    rows.each([&](std::size_t row) {
      const Cell cell = values.at(row);
      if (!cell.missing()) clusters_.add(cell.kind == Cell::Kind::kText ? cell.text : display(cell));
    });
  }
  void merge(const Sink& other) override { clusters_.merge(static_cast<const PatternSink&>(other).clusters_); }

  Table table() const override {
    Table made;
    auto arena = std::make_shared<Arena>();
    made.columns.resize(3);
    const auto total = static_cast<double>(clusters_.total());
    for (const auto& [text, count] : clusters_.patterns()) {
      made.columns[0].push_back(Cell::of(arena->keep(text)));
      made.columns[1].push_back(Cell::of(static_cast<double>(count)));
      made.columns[2].push_back(Cell::of(static_cast<double>(count) / total));
      ++made.rows;
    }
    made.memory.push_back(std::move(arena));
    return made;
  }
  std::size_t bytes() const override { return clusters_.bytes(); }

 private:
  const PatternSpec& spec_;
  Clusters clusters_;
};

}  // namespace

std::unique_ptr<Sink> make_pattern_sink(const Segment& segment) {
  return std::make_unique<PatternSink>(std::get<PatternSpec>(segment.sink));
}

}  // namespace securebase::logs::insights
