// For tests and fuzzing: events in memory, offered in any of the forms in which a store may have them.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "logs/insights/cell.h"
#include "logs/insights/source.h"

namespace securebase::logs::insights {

class MemorySource final : public Source {
 public:
  enum class Form { kTexts, kDictionary, kMixed, kNumbersWhereAll };
  struct Settings {
    Form form = Form::kMixed;
    std::size_t parts = 2;
    std::size_t batch_rows = 3;
    bool uses_hints = true;
  };
  using Event = std::map<std::string, base::Json>;  // numbers and texts; "@timestamp" in milliseconds

  explicit MemorySource(Settings settings) : settings_(settings) {}
  // A JSON object to an event; its members are the fields.
  void add(const std::string& group, std::string_view object) {
    const auto parsed = base::Json::parse(object);
    check(parsed.has_value() && parsed->is_object(), "an event is a JSON object");
    Event event;
    for (const auto& [name, value] : *parsed->as_object()) event[name] = value;
    events_.push_back({group, std::move(event)});
  }
  void fail_with(std::string message) { failure_ = std::move(message); }

  Result<std::vector<std::unique_ptr<Part>>> scan(const Scan& scan) const override {
    {
      const std::lock_guard lock(asked_->mutex);
      if (asked_->scans.size() > 16) asked_->scans.clear();
      asked_->scans.push_back(scan);
    }
    std::vector<std::vector<const Event*>> shares(settings_.parts);
    std::size_t next = 0;
    for (const auto& [group, event] : events_) {
      if (wanted(scan, group, event)) shares[next++ % settings_.parts].push_back(&event);
    }
    std::vector<std::unique_ptr<Part>> parts;
    for (auto& share : shares)
      parts.push_back(std::make_unique<Share>(settings_, scan.fields, std::move(share), failure_));
    return parts;
  }
  std::vector<std::string> fields_of(std::span<const std::string>) const override {
    std::vector<std::string> names;
    for (const auto& [group, event] : events_) {
      for (const auto& [name, value] : event) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
    return names;
  }
  // What was asked for, for tests of hints.
  const std::vector<Scan>& scans() const { return asked_->scans; }

 private:
  static std::string text_of(const base::Json& value) {
    return value.is_string() ? *value.as_string() : display_number(value.number_or(0), Precision::kStored);
  }

  bool wanted(const Scan& scan, const std::string& group, const Event& event) const {
    // As the store does: a name that no group has stands for all groups whose names begin with it.
    const bool in_group = std::any_of(scan.groups.begin(), scan.groups.end(), [&](const std::string& name) {
      const bool exact =
          std::any_of(events_.begin(), events_.end(), [&](const auto& one) { return one.first == name; });
      return exact ? name == group : group.starts_with(name);
    });
    const auto at = event.find("@timestamp");
    const double time = at == event.end() ? 0 : at->second.number_or(0);
    const auto ms = [](base::TimePoint point) { return static_cast<double>(point.time_since_epoch().count()) / 1000; };
    if (!in_group || time < ms(scan.begin) || time > ms(scan.end)) return false;
    if (!settings_.uses_hints) return true;
    const auto value = [&](const std::string& field) {
      const auto found = event.find(field);
      return found == event.end() ? std::nullopt : std::optional(text_of(found->second));
    };
    for (const auto& text : scan.message_contains) {
      if (value("@message").value_or("").find(text) == std::string::npos) return false;
    }
    for (const auto& equal : scan.equal) {
      if (value(equal.field) != equal.text) return false;
    }
    return std::all_of(scan.present.begin(), scan.present.end(), [&](const auto& field) { return value(field); });
  }

  class Share final : public Part {
   public:
    Share(const Settings& settings, std::vector<std::string> fields, std::vector<const Event*> events,
          const std::string& failure)
        : settings_(settings), fields_(std::move(fields)), events_(std::move(events)), failure_(failure) {}

    Result<bool> next(Batch& batch) override {
      if (!failure_.empty()) return Error{Errc::kUnavailable, failure_};
      if (at_ == events_.size()) return false;
      const auto rows = std::min(settings_.batch_rows, events_.size() - at_);
      held_.clear();
      held_.resize(fields_.size());
      columns_.clear();
      for (std::size_t i = 0; i < fields_.size(); ++i) columns_.push_back(fill(held_[i], fields_[i], rows));
      at_ += rows;
      batch = {rows, columns_, rows, 100 * rows};
      return true;
    }

   private:
    struct Held {
      std::vector<double> numbers;
      std::vector<std::string> owned;
      std::vector<std::string_view> texts;
      std::vector<std::uint32_t> codes;
      std::vector<std::uint64_t> is_text, present;
    };

    Column fill(Held& held, const std::string& field, std::size_t rows) const {
      const std::size_t words = (rows + 63) / 64;
      held.numbers.resize(rows);
      held.owned.resize(rows);
      held.is_text.resize(words);
      held.present.resize(words);
      bool any = false;
      bool all = true;
      bool numbers = true;
      for (std::size_t row = 0; row < rows; ++row) {
        const auto found = events_[at_ + row]->find(field);
        all = all && found != events_[at_ + row]->end();
        if (found == events_[at_ + row]->end()) continue;
        any = true;
        held.present[row / 64] |= std::uint64_t{1} << (row % 64);
        held.owned[row] = text_of(found->second);
        held.numbers[row] = found->second.number_or(0);
        if (found->second.is_string()) {
          numbers = false;
          held.is_text[row / 64] |= std::uint64_t{1} << (row % 64);
        }
      }
      for (std::size_t row = 0; row < rows; ++row) held.codes.push_back(static_cast<std::uint32_t>(row));
      for (const auto& text : held.owned) held.texts.push_back(text);
      Column column;
      if (!any) return column;
      if (!all) column.present = held.present;
      const bool time = field == "@timestamp" || field == "@ingestionTime";
      if (time || (settings_.form == Form::kNumbersWhereAll && numbers)) {
        column.kind = Column::Kind::kNumbers;
        column.numbers = held.numbers;
      } else if (settings_.form == Form::kTexts || settings_.form == Form::kNumbersWhereAll) {
        column.kind = Column::Kind::kTexts;
        column.texts = held.texts;
      } else if (settings_.form == Form::kDictionary) {
        column.kind = Column::Kind::kDictionary;
        column.codes = held.codes;
        column.words = held.texts;
      } else {
        column.kind = Column::Kind::kMixed;
        column.numbers = held.numbers;
        column.texts = held.texts;
        column.is_text = held.is_text;
      }
      return column;
    }

    const Settings settings_;
    const std::vector<std::string> fields_;
    const std::vector<const Event*> events_;
    const std::string failure_;
    std::size_t at_ = 0;
    std::vector<Held> held_;
    std::vector<Column> columns_;
  };

  const Settings settings_;
  std::vector<std::pair<std::string, Event>> events_;
  std::string failure_;
  struct Asked {
    std::mutex mutex;
    std::vector<Scan> scans;
  };
  std::shared_ptr<Asked> asked_ = std::make_shared<Asked>();
};

}  // namespace securebase::logs::insights
