#include "logs/store/block.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <memory>
#include <numeric>
#include <unordered_map>

#include "logs/store/bytes.h"
#include "logs/store/messages.h"
#include "logs/store/zstd.h"

namespace securebase::logs {

namespace {

// Texts that outlive the discoverer's.
class TextPool {
 public:
  std::string_view keep(std::string_view text) {
    if (text.size() > kPieceBytes / 4) {
      large_.emplace_back(text);
      return large_.back();
    }
    if (pieces_.empty() || used_ + text.size() > kPieceBytes) {
      pieces_.push_back(std::make_unique<char[]>(kPieceBytes));
      used_ = 0;
    }
    char* const begin = pieces_.back().get() + used_;
    std::copy(text.begin(), text.end(), begin);
    used_ += text.size();
    return {begin, text.size()};
  }

 private:
  static constexpr std::size_t kPieceBytes = 256 << 10;
  std::vector<std::unique_ptr<char[]>> pieces_;
  std::size_t used_ = 0;
  std::deque<std::string> large_;
};

constexpr std::uint8_t kRebuilt = 0x80;  // a bit of the kind's byte
// Stands before the number of rows, which was first in a time when filters had other hashes: no block has 0 rows.
constexpr std::uint8_t kNewFilters = 0;

Column::Kind kind_from(std::uint8_t byte) {
  return byte <= static_cast<std::uint8_t>(Column::Kind::kMixed) ? static_cast<Column::Kind>(byte)
                                                                 : Column::Kind::kMissing;
}

}  // namespace

// The columns of a block's discovered fields while it is gathered.
class BlockBuilder::Fields final : public FieldReceiver {
 public:
  struct Gathered {
    std::string name;
    ColumnValues values;
    std::vector<std::string_view> words;  // once it is encoded as a dictionary
  };

  explicit Fields(std::string_view message_space) : message_space_(message_space) {}

  void begin_row(std::uint32_t row) {
    row_ = row;
    guess_ = row_start_;
    in_row_ = 0;
  }

  void number(std::string_view name, double value) override {
    if (!std::isfinite(value)) return;
    if (auto* column = at(name)) column->number(row_, value);
  }
  void text(std::string_view name, std::string_view value) override {
    auto* column = at(name);
    if (!column) return;
    // What stands in the message as it is needs no copy.
    const bool within = std::less_equal<>()(message_space_.data(), value.data()) &&
                        std::less_equal<>()(value.data() + value.size(), message_space_.data() + message_space_.size());
    column->text(row_, within ? value : pool_.keep(value));
  }

  std::deque<Gathered>& all() { return all_; }
  // Those that messages may refer to: of texts only, of numbers only.
  MessageFields by_row(std::size_t rows) const {
    MessageFields found;
    for (const auto& [name, values, words] : all_) {
      if (values.numbers.empty()) {
        auto& texts = found.texts.emplace_back(TextField{name, std::vector<std::string_view>(rows), words}).values;
        for (std::size_t i = 0; i < values.rows.size(); ++i) texts[values.rows[i]] = values.texts[i];
      } else if (values.texts.empty()) {
        auto& numbers = found.numbers.emplace_back(NumberField{name, std::vector<double>(rows, std::nan(""))}).values;
        for (std::size_t i = 0; i < values.rows.size(); ++i) numbers[values.rows[i]] = values.numbers[i];
      }
    }
    return found;
  }
  std::uint64_t left_out() const { return left_out_; }

 private:
  // nullptr: there are too many, or the row has this field already (JSON may name a member twice; the first counts).
  ColumnValues* at(std::string_view name) {
    // Events are like each other: after a field comes the one that came after it before.
    Gathered* found = nullptr;
    if (guess_ < next_.size() && next_[guess_] < all_.size() && all_[next_[guess_]].name == name) {
      found = &all_[next_[guess_]];
      guess_ = next_[guess_] + 1;
    } else {
      const auto known = index_.find(name);
      std::size_t at = all_.size();
      if (known != index_.end()) {
        at = known->second;
      } else {
        if (all_.size() >= kFields) {
          ++left_out_;
          return nullptr;
        }
        all_.push_back({std::string(name), {}, {}});
        index_.emplace(all_.back().name, at);
        next_.resize(all_.size() + 1, static_cast<std::size_t>(-1));
      }
      next_[guess_] = at;
      guess_ = at + 1;
      found = &all_[at];
    }
    if (!found->values.rows.empty() && found->values.rows.back() == row_) return nullptr;
    ++in_row_;
    return &found->values;
  }

  const std::string_view message_space_;
  TextPool pool_;
  std::deque<Gathered> all_;
  std::unordered_map<std::string_view, std::size_t> index_;
  std::vector<std::size_t> next_{static_cast<std::size_t>(-1)};  // by the field before, plus one; 0: the row's first
  std::size_t guess_ = 0;
  static constexpr std::size_t row_start_ = 0;
  std::uint32_t row_ = 0;
  std::size_t in_row_ = 0;
  std::uint64_t left_out_ = 0;
};

BlockBuilder::BlockBuilder(Discoverer::Limits limits) : discoverer_(limits) {}

EncodedBlock BlockBuilder::build(const Chunk& chunk) {
  const auto& rows = chunk.rows();
  check(!rows.empty(), "a block has events");
  std::vector<std::uint32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return rows[a].time_ms < rows[b].time_ms; });
  words_.clear();
  Fields fields(chunk.text());
  ColumnValues times;
  ColumnValues ingestions;
  ColumnValues sequences;
  ColumnValues streams;
  std::vector<std::string_view> messages;
  std::vector<bool> stream_known;
  EncodedBlock made;
  auto& info = made.info;
  for (std::uint32_t row = 0; row < order.size(); ++row) {
    const auto& from = rows[order[row]];
    const auto message = chunk.message(from);
    times.number(row, static_cast<double>(from.time_ms));
    ingestions.number(row, static_cast<double>(from.ingestion_ms));
    sequences.number(row, static_cast<double>(chunk.first_sequence() + order[row]));
    streams.text(row, chunk.stream(from.stream));
    messages.push_back(message);
    info.message_bytes += message.size();
    if (stream_known.size() <= from.stream) stream_known.resize(from.stream + 1);
    if (!stream_known[from.stream]) {
      stream_known[from.stream] = true;
      words_.hashes.add(hash_of_field(kLogStream, chunk.stream(from.stream)));
    }
    fields.begin_row(row);
    for (std::uint32_t i = 0; i < from.fields; ++i) {
      const auto& given = chunk.fields()[from.first_field + i];
      if (given.is_text) {
        fields.text(given.name, given.text);
      } else {
        fields.number(given.name, given.number);
      }
    }
    discoverer_.discover(message, fields);
  }
  left_out_ += fields.left_out();
  info.rows = static_cast<std::uint32_t>(rows.size());
  info.first_ms = rows[order.front()].time_ms;
  info.last_ms = rows[order.back()].time_ms;
  const auto add = [&](std::string_view name, const ColumnValues& values) {
    auto encoded = encode_column(values, rows.size());
    info.fields.push_back({.name = std::string(name),
                           .kind = encoded.kind,
                           .offset = static_cast<std::uint32_t>(made.bytes.size()),
                           .bytes = static_cast<std::uint32_t>(encoded.bytes.size()),
                           .raw_bytes = encoded.raw_bytes,
                           .least = encoded.least,
                           .most = encoded.most});
    made.bytes += encoded.bytes;
    return std::move(encoded.words);
  };
  add(kTimestamp, times);
  add(kIngestionTime, ingestions);
  add(kSequence, sequences);
  add(kLogStream, streams);
  for (auto& field : fields.all()) {
    field.words = add(field.name, field.values);
    const FieldHash hash_of(field.name);
    for (const auto text : field.words.empty() ? field.values.texts : field.words) {
      if (text.size() <= kHashedTextBytes) words_.hashes.add(hash_of(text));
    }
  }
  const auto encoded = encode_messages(messages, fields.by_row(rows.size()), words_);
  info.fields.push_back({.name = std::string(kMessage),
                         .kind = encoded.kind,
                         .offset = static_cast<std::uint32_t>(made.bytes.size()),
                         .bytes = static_cast<std::uint32_t>(encoded.bytes.size()),
                         .raw_bytes = encoded.raw_bytes,
                         .rebuilt = true});
  made.bytes += encoded.bytes;
  const auto filter = words_.hashes.filter();
  info.filter_offset = static_cast<std::uint32_t>(made.bytes.size());
  info.filter_bytes = static_cast<std::uint32_t>(filter.size());
  made.bytes += filter;
  if (const auto list = words_.plain.list(); !list.empty()) {
    const auto stored = compress(list);
    info.list_bytes = static_cast<std::uint32_t>(stored.size());
    info.list_raw_bytes = static_cast<std::uint32_t>(list.size());
    made.bytes += stored;
  }
  info.bytes = static_cast<std::uint32_t>(made.bytes.size());
  return made;
}

const BlockInfo::Field* BlockInfo::find(std::string_view name) const {
  for (const auto& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

void put_block_info(std::string& out, const BlockInfo& info) {
  if (!info.filter_is_old) out.push_back(static_cast<char>(kNewFilters));
  put_varint(out, info.rows);
  put_signed(out, info.first_ms);
  put_signed(out, info.last_ms);
  put_varint(out, info.message_bytes);
  put_varint(out, info.filter_offset);
  put_varint(out, info.filter_bytes);
  if (!info.filter_is_old) {
    put_varint(out, info.list_bytes);
    put_varint(out, info.list_raw_bytes);
  }
  put_varint(out, info.bytes);
  put_varint(out, info.fields.size());
  for (const auto& field : info.fields) {
    put_text(out, field.name);
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(field.kind) | (field.rebuilt ? kRebuilt : 0)));
    put_varint(out, field.offset);
    put_varint(out, field.bytes);
    put_varint(out, field.raw_bytes);
    put_fixed(out, field.least);
    put_fixed(out, field.most);
  }
}

Result<BlockInfo> take_block_info(std::string_view bytes) {
  ByteReader from(bytes);
  BlockInfo info;
  const auto small = [&from] {
    const auto value = from.varint();
    return value <= UINT32_MAX ? static_cast<std::uint32_t>(value) : UINT32_MAX;
  };
  info.rows = small();
  info.filter_is_old = info.rows != kNewFilters;
  if (!info.filter_is_old) info.rows = small();
  info.first_ms = from.signed_varint();
  info.last_ms = from.signed_varint();
  info.message_bytes = from.varint();
  info.filter_offset = small();
  info.filter_bytes = small();
  if (!info.filter_is_old) {
    info.list_bytes = small();
    info.list_raw_bytes = small();
  }
  info.bytes = small();
  const auto fields = from.varint();
  const auto fits = [&](std::uint64_t offset, std::uint64_t size) { return offset + size <= info.bytes; };
  bool ok = from.ok() && info.rows <= kMostRows && fields <= BlockBuilder::kFields + 16 &&
            fits(std::uint64_t{info.filter_offset} + info.filter_bytes, info.list_bytes) &&
            info.list_raw_bytes <= 2 * PlainWords::kMostBytes;
  for (std::uint64_t i = 0; ok && i < fields; ++i) {
    BlockInfo::Field field;
    field.name = std::string(from.text());
    const auto kind = from.fixed<std::uint8_t>();
    field.rebuilt = (kind & kRebuilt) != 0;
    field.kind = kind_from(kind & ~kRebuilt);
    field.offset = small();
    field.bytes = small();
    field.raw_bytes = small();
    field.least = from.fixed<double>();
    field.most = from.fixed<double>();
    ok = from.ok() && fits(field.offset, field.bytes) && field.raw_bytes <= kMostRawBytes;
    info.fields.push_back(std::move(field));
  }
  if (!ok) return Error{Errc::kMalformed, "the head of a block of log events cannot be read"};
  return info;
}

}  // namespace securebase::logs
