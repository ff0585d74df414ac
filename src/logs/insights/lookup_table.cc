#include "logs/insights/lookup_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"

namespace securebase::logs::insights {

namespace {

constexpr std::size_t kMostTables = 100;  // CloudWatch's own
constexpr std::size_t kNameBytes = 256;

// Cuts fields from the front of CSV, and writes those with quotes in them anew, in place: they only become shorter.
class CsvReader {
 public:
  explicit CsvReader(std::string& text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }
  std::size_t line() const { return line_; }

  // False: a quote is not closed, or something follows it.
  bool field(std::string_view& into, bool& ends_line) {
    if (at_ < text_.size() && text_[at_] == '"') return quoted(into, ends_line);
    const auto begin = at_;
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
    into = std::string_view(text_).substr(begin, at_ - begin);
    return end_field(ends_line);
  }

 private:
  bool quoted(std::string_view& into, bool& ends_line) {
    const auto begin = ++at_;
    auto to = begin;
    for (;;) {
      if (at_ >= text_.size()) return false;
      if (text_[at_] == '"') {
        ++at_;
        if (at_ >= text_.size() || text_[at_] != '"') break;
      }
      if (text_[at_] == '\n') ++line_;
      text_[to++] = text_[at_++];
    }
    into = std::string_view(text_).substr(begin, to - begin);
    return end_field(ends_line);
  }

  bool end_field(bool& ends_line) {
    ends_line = true;
    if (at_ >= text_.size()) return true;
    if (text_[at_] == ',') {
      ++at_;
      ends_line = false;
      return true;
    }
    if (text_[at_] == '\r') ++at_;
    if (at_ >= text_.size()) return true;
    if (text_[at_] != '\n') return false;
    ++at_;
    ++line_;
    return true;
  }

  std::string& text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytes && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
}

// Equal lists of texts give equal keys, different ones different ones.
template <class TextAt>
std::string key_of(std::size_t count, TextAt text_at) {
  std::string key;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view text = text_at(i);
    key += std::to_string(text.size());
    key += ':';
    key += text;
  }
  return key;
}

}  // namespace

Result<std::shared_ptr<const LookupTable>> LookupTable::parse(std::string text, const Limits& limits) {
  if (text.size() > limits.bytes) {
    return Error{Errc::kLimit, fmt::format("a lookup table has at most {} MB, this one has {} bytes",
                                           limits.bytes >> 20, text.size())};
  }
  auto made = std::make_shared<LookupTable>();
  made->text_ = std::move(text);
  if (made->text_.starts_with("\xef\xbb\xbf")) made->text_.erase(0, 3);
  CsvReader from(made->text_);
  std::vector<std::string_view> line;
  while (!from.at_end()) {
    const auto number = from.line();
    line.clear();
    for (bool ends = false; !ends;) {
      if (!from.field(line.emplace_back(), ends)) {
        return Error{Errc::kMalformed, fmt::format("line {}: a quote is not closed, or more follows it", number)};
      }
      if (line.size() > limits.columns) {
        return Error{Errc::kLimit, fmt::format("line {}: more than {} columns", number, limits.columns)};
      }
    }
    if (line.size() == 1 && line.front().empty()) continue;
    if (made->names_.empty()) {
      made->names_ = line;
    } else if (line.size() != made->names_.size()) {
      return Error{Errc::kMalformed, fmt::format("line {}: {} fields, where the first line has {} names", number,
                                                 line.size(), made->names_.size())};
    } else {
      made->cells_.insert(made->cells_.end(), line.begin(), line.end());
      ++made->rows_;
    }
  }
  if (made->names_.empty()) return Error{Errc::kMalformed, "its first line has to have the names of its columns"};
  return std::shared_ptr<const LookupTable>(std::move(made));
}

std::optional<std::size_t> LookupTable::column(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names_.begin());
}

LookupIndex::LookupIndex(std::shared_ptr<const LookupTable> table, std::vector<std::size_t> columns)
    : table_(std::move(table)) {
  for (std::size_t row = 0; row < table_->rows(); ++row) {
    rows_.emplace(key_of(columns.size(), [&](std::size_t i) { return table_->text(row, columns[i]); }), row);
  }
}

std::optional<std::size_t> LookupIndex::find(std::span<const std::string> texts) const {
  const auto found = rows_.find(key_of(texts.size(), [&](std::size_t i) -> std::string_view { return texts[i]; }));
  if (found == rows_.end()) return std::nullopt;
  return found->second;
}

Result<std::shared_ptr<const LookupTable>> LookupTables::none(const std::string& name) {
  return Error{Errc::kNotFound, fmt::format("there is no lookup table {}", name)};
}

Result<std::shared_ptr<const LookupTable>> LookupTables::find(const std::string& name) const {
  if (!is_name(name)) {
    return Error{Errc::kMalformed, "the name of a lookup table has letters, digits, _ and -, at most 256 of them"};
  }
  const auto path = directory_ / (name + ".csv");
  std::error_code failure;
  const auto bytes = std::filesystem::file_size(path, failure);
  const auto changed = failure ? std::filesystem::file_time_type{} : std::filesystem::last_write_time(path, failure);
  if (failure) {
    return Error{Errc::kNotFound,
                 fmt::format("there is no lookup table {}: it would be the file {}", name, path.native())};
  }
  const std::lock_guard lock(mutex_);
  if (const auto known = known_.find(name);
      known != known_.end() && known->second.changed == changed && known->second.bytes == bytes) {
    return known->second.table;
  }
  const LookupTable::Limits limits;
  auto text = base::read_file(path, limits.bytes + 1);
  if (!text) return text.error();
  auto table = LookupTable::parse(std::move(*text), limits);
  if (!table) return table.error().within(path.native());
  if (known_.size() >= kMostTables) known_.clear();
  known_[name] = {changed, bytes, *table};
  return table;
}

}  // namespace securebase::logs::insights
