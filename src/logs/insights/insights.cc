#include "logs/insights/insights.h"

#include "base/file.h"
#include "logs/insights/api.h"
#include "logs/insights/ask.h"
#include "logs/logs.h"
#include "logs/store/scan.h"

namespace securebase::logs::insights {

namespace {

using Record = std::vector<std::pair<std::string, std::string>>;

// The events of the pointer's millisecond, and of them the one that has it.
Result<Record> find_record(const Source& source, std::string_view text) {
  const auto pointer = pointer_from(text);
  if (!pointer) return Error{Errc::kMalformed, "logRecordPointer is none that a query has given (@ptr)"};
  Scan scan;
  scan.groups = {pointer->group};
  scan.begin = scan.end = base::TimePoint{std::chrono::milliseconds{pointer->at.time_ms}};
  scan.fields = source.fields_of(scan.groups);
  scan.fields.emplace_back("@ptr");
  auto parts = source.scan(scan);
  if (!parts) return parts.error();
  for (auto& part : *parts) {
    Batch batch;
    while (true) {
      auto more = part->next(batch);
      if (!more) return more.error();
      if (!*more) break;
      std::vector<Vector> columns(scan.fields.size());
      for (std::size_t i = 0; i < columns.size(); ++i) {
        columns[i].time = scan.fields[i] == "@timestamp" || scan.fields[i] == "@ingestionTime";
        columns[i].import(batch.columns[i], batch.rows);
        columns[i].load(batch.rows);
      }
      for (std::size_t row = 0; row < batch.rows; ++row) {
        if (columns.back().at(row).text != text) continue;
        Record record;
        for (std::size_t i = 0; i < columns.size(); ++i) {
          const auto cell = columns[i].at(row);
          const bool told = scan.fields[i] == "@ptr" && i + 1 < columns.size();  // fields_of() may name it, too
          if (!cell.missing() && !told) record.emplace_back(scan.fields[i], display(cell));
        }
        return record;
      }
    }
  }
  return Error{Errc::kNotFound, "the event is not stored any more"};
}

}  // namespace

struct Insights::Engine {
  Engine(const Logs& logs, const base::Clock& clock, std::unique_ptr<Definitions> opened,
         std::filesystem::path lookup_tables)
      : definitions(std::move(opened)),
        queries(logs.source(), {.lookup_tables = std::move(lookup_tables)}, clock),
        api{queries, *definitions, [&logs](std::string_view group) { return logs.knows(group); },
            [&logs](std::string_view pointer) { return find_record(logs.source(), pointer); }} {}

  const std::unique_ptr<Definitions> definitions;
  Queries queries;
  const Api api;
};

Insights::Insights(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Insights::~Insights() = default;

Result<std::unique_ptr<Insights>> Insights::open(std::filesystem::path directory, const Logs& logs,
                                                 const base::Clock& clock) {
  auto lookup_tables = directory / "lookup-tables";
  if (auto made = base::make_directory(lookup_tables, 0750); !made) return made.error();
  auto definitions = Definitions::open(std::move(directory));
  if (!definitions) return definitions.error().within("saved queries");
  return std::unique_ptr<Insights>(
      new Insights(std::make_unique<Engine>(logs, clock, std::move(*definitions), std::move(lookup_tables))));
}

void Insights::add_operations(aws::Operations& operations) { insights::add_operations(operations, engine_->api); }

Result<base::Json> Insights::ask(const base::Json& question) { return insights::ask(engine_->api, question); }

}  // namespace securebase::logs::insights
