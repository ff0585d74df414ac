#include "logs/store/blocks_part.h"

#include <algorithm>
#include <charconv>

#include "logs/store/scan.h"

namespace securebase::logs {

namespace {

bool always_there(std::string_view field) {
  return field == kTimestamp || field == kIngestionTime || field == kLogStream || field == kMessage || field == kLog ||
         field == kPointer;
}

std::optional<double> as_number(std::string_view text) {
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

const Column& BlocksPart::LaterField::read() {
  if (read_) return view_;
  read_ = true;
  if (parts_read_) {
    view_ = Column{};
    view_.kind = Column::Kind::kMade;
    view_.made = &part_.messages_;
    part_.messages_.forget(part_.rows());
    return view_;
  }
  auto column = part_.read_field(part_.plan_->scan.fields[field_], selected_, built_);
  if (column) {
    view_ = *column;
  } else {
    view_ = Column{};
    part_.failed_ = column.error();
  }
  return view_;
}

const Column* BlocksPart::LaterField::read_around(const insights::TextFinder& lead, std::size_t behind) {
  if (read_ || !part_.rows_.listed || part_.plan_->scan.fields[field_] != kMessage) return nullptr;
  auto messages = part_.reader_.messages();
  if (!messages) return nullptr;  // as read() says
  if (!(*messages)->build_around(lead, behind, part_.listed_, parts_)) return nullptr;
  parts_read_ = true;
  return &parts_.view;
}

std::string_view BlocksPart::Messages::at(std::size_t row) {
  if (known_[row].data() != nullptr) return known_[row];
  auto messages = part_.reader_.messages();
  std::string text;
  Result<Done> done = messages ? (*messages)->append(text, part_.row_of(row)) : messages.error();
  if (!done) {
    part_.failed_ = part_.reader_.unreadable(done.error());
    return {};
  }
  return known_[row] = made_.emplace_back(std::move(text));
}

std::string_view BlocksPart::Pointers::at(std::size_t row) {
  auto times = part_.reader_.column(kTimestamp);
  auto sequences = part_.reader_.column(kSequence);
  if (!times || !sequences) {
    part_.failed_ = times ? sequences.error() : times.error();
    return {};
  }
  const auto at = part_.row_of(row);
  made_.push_back(std::make_unique<std::string>(to_text(
      {part_.settings_->name,
       {static_cast<std::int64_t>((*times)->numbers[at]), static_cast<std::uint64_t>((*sequences)->numbers[at])}})));
  return *made_.back();
}

BlocksPart::BlocksPart(std::shared_ptr<const ScanPlan> plan, std::shared_ptr<const GroupSettings> settings,
                       std::int64_t begin_ms, std::int64_t end_ms)
    : plan_(std::move(plan)),
      settings_(std::move(settings)),
      begin_ms_(begin_ms),
      end_ms_(end_ms),
      log_(plan_->account + ":" + settings_->name),
      log_word_(log_),
      pointers_(*this),
      messages_(*this),
      views_(plan_->scan.fields.size()) {
  later_.reserve(views_.size());  // columns refer to them
  for (std::size_t i = 0; i < views_.size(); ++i) later_.emplace_back(*this, i);
}

void BlocksPart::add(std::shared_ptr<const EncodedBlock> block) {
  BlockPlace place;
  place.in_memory = std::move(block);
  blocks_.push_back(std::move(place));
}

Result<bool> BlocksPart::next(insights::Batch& batch) {
  batch = insights::Batch{};
  if (failed_) return *failed_;
  if (segment_) {
    auto opened = blocks_of(*segment_);
    if (!opened) return Error{Errc::kUnavailable, opened.error().message};
    blocks_ = std::move(*opened);
    segment_.reset();
  }
  while (!blocks_.empty()) {
    const auto place = std::move(blocks_.back());
    blocks_.pop_back();
    if (place.info().last_ms < begin_ms_ || place.info().first_ms > end_ms_) continue;
    reader_.begin(place);
    auto may = may_match();
    if (!may) return may.error();
    if (!*may) continue;
    if (auto done = read(batch); !done) return done.error();
    return true;
  }
  return false;
}

Result<bool> BlocksPart::may_match() {
  const auto& scan = plan_->scan;
  auto hashes = plan_->words.hashes;
  for (const auto& field : scan.present) {
    if (!always_there(field) && !reader_.info().find(field)) return false;
  }
  for (const auto& equal : scan.equal) {
    if (equal.field == kLog && equal.text != log_) return false;
    if (always_there(equal.field) && equal.field != kLogStream) continue;
    const auto* field = reader_.info().find(equal.field);
    if (!field) return false;
    const bool texts = field->kind == Column::Kind::kTexts || field->kind == Column::Kind::kDictionary;
    if (field->kind == Column::Kind::kNumbers) {
      const auto number = as_number(equal.text);
      if (!number || *number < field->least || *number > field->most) return false;
    } else if (texts && equal.text.size() <= kHashedTextBytes) {
      hashes.push_back(hash_of_field(equal.field, equal.text));
    }
  }
  auto may = reader_.may_have_all(hashes);
  return may && *may ? reader_.may_have_all(plan_->words.plain) : may;
}

Result<BlocksPart::Rows> BlocksPart::rows_in_time() {
  Rows rows{0, reader_.info().rows, false};
  if (reader_.info().first_ms >= begin_ms_ && reader_.info().last_ms <= end_ms_) return rows;
  auto times = reader_.column(kTimestamp);
  if (!times) return times.error();
  const auto& all = (*times)->numbers;
  const auto begin = std::lower_bound(all.begin(), all.end(), static_cast<double>(begin_ms_));
  const auto end = std::upper_bound(all.begin(), all.end(), static_cast<double>(end_ms_));
  rows.begin = static_cast<std::size_t>(begin - all.begin());
  rows.end = static_cast<std::size_t>(end - all.begin());
  return rows;
}

Result<Done> BlocksPart::leave_out_deleted(Rows& rows) {
  if (settings_->deleted_streams.empty()) return Done{};
  auto streams = reader_.column(kLogStream);
  if (!streams) return streams.error();
  auto sequences = reader_.column(kSequence);
  if (!sequences) return sequences.error();
  listed_.clear();
  for (auto row = rows.begin; row < rows.end; ++row) {
    const auto gone = settings_->deleted_streams.find(text_at(**streams, row));
    if (gone == settings_->deleted_streams.end() ||
        static_cast<std::uint64_t>((*sequences)->numbers[row]) >= gone->second) {
      listed_.push_back(static_cast<std::uint32_t>(row));
    }
  }
  rows.listed = listed_.size() != rows.end - rows.begin;
  return Done{};
}

Result<Done> BlocksPart::leave_out_without_texts(Rows& rows) {
  if (plan_->message_parts.empty()) return Done{};
  auto messages = reader_.messages();
  if (!messages) return messages.error();
  for (const auto& part : plan_->message_parts) {
    if (auto done = (*messages)->find(part, rows.begin, rows.end, found_); !done) {
      return reader_.unreadable(done.error());
    }
    if (!rows.listed) {
      listed_ = found_;
      rows.listed = listed_.size() != rows.end - rows.begin;
    } else {
      const auto end =
          std::set_intersection(listed_.begin(), listed_.end(), found_.begin(), found_.end(), listed_.begin());
      listed_.erase(end, listed_.end());
    }
    if (rows.listed && listed_.empty()) break;
  }
  return Done{};
}

Result<Done> BlocksPart::read(insights::Batch& batch) {
  auto rows = rows_in_time();
  if (!rows) return rows.error();
  const auto& info = reader_.info();
  batch.scanned_rows = rows->end - rows->begin;
  batch.scanned_bytes = info.message_bytes * batch.scanned_rows / std::max<std::uint32_t>(info.rows, 1);
  if (auto done = leave_out_deleted(*rows); !done) return done;
  if (auto done = leave_out_without_texts(*rows); !done) return done;
  rows_ = *rows;
  batch.rows = this->rows();
  pointers_.forget();
  for (std::size_t i = 0; i < views_.size(); ++i) {
    const auto& field = plan_->scan.fields[i];
    views_[i] = Column{};
    if (batch.rows == 0) continue;
    if (field == kLog) {
      log_codes_.assign(batch.rows, 0);
      views_[i].kind = Column::Kind::kDictionary;
      views_[i].codes = log_codes_;
      views_[i].words = std::span(&log_word_, 1);
    } else if (field == kPointer) {
      views_[i].kind = Column::Kind::kMade;
      views_[i].made = &pointers_;
    } else if (info.find(field)) {
      later_[i].forget();
      views_[i].kind = Column::Kind::kLater;
      views_[i].later = &later_[i];
    }
  }
  batch.columns = views_;
  return Done{};
}

Result<Column> BlocksPart::read_field(std::string_view field, SelectedColumn& selected, DecodedColumn& built) {
  if (field == kMessage && rows_.listed) {
    auto messages = reader_.messages();
    if (!messages) return messages.error();
    if (auto done = (*messages)->build(listed_, built); !done) return reader_.unreadable(done.error());
    return built.view;
  }
  auto column = reader_.column(field);
  if (!column) return column.error();
  if (rows_.listed) {
    select_rows(**column, listed_, selected);
    return selected.view;
  }
  if (rows_.begin == 0 && rows_.end == reader_.info().rows) return **column;
  select_range(**column, rows_.begin, rows_.end, selected);
  return selected.view;
}

}  // namespace securebase::logs
