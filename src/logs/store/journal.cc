#include "logs/store/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/durable.h"
#include "logs/store/bytes.h"

namespace securebase::logs {

namespace {

constexpr std::string_view kJournalMark = "SBLOGJ01";
constexpr std::size_t kRecordHead = 8;

struct ReadRecord {
  std::string_view stream;
  std::int64_t ingestion_ms = 0;
  std::vector<Event> events;
  std::vector<telemetry::LogField> fields;
};

bool take_record(std::string_view bytes, ReadRecord& into) {
  ByteReader from(bytes);
  into.events.clear();
  into.fields.clear();
  into.stream = from.text();
  into.ingestion_ms = from.signed_varint();
  std::vector<std::pair<std::size_t, std::size_t>> field_ranges;
  for (auto left = from.varint(); left > 0 && from.ok(); --left) {
    Event event;
    if (__builtin_add_overflow(into.ingestion_ms, from.signed_varint(), &event.time_ms)) return false;
    event.message = from.text();
    const auto begin = into.fields.size();
    for (auto fields = from.varint(); fields > 0 && from.ok(); --fields) {
      telemetry::LogField field;
      field.name = from.text();
      field.is_text = from.fixed<std::uint8_t>() != 0;
      if (field.is_text) {
        field.text = from.text();
      } else {
        field.number = from.fixed<double>();
      }
      into.fields.push_back(field);
    }
    field_ranges.emplace_back(begin, into.fields.size() - begin);
    into.events.push_back(event);
  }
  for (std::size_t i = 0; i < into.events.size(); ++i) {
    into.events[i].fields = std::span(into.fields).subspan(field_ranges[i].first, field_ranges[i].second);
  }
  return from.ok() && from.at_end();
}

}  // namespace

void put_journal_record(std::string& out, std::string_view stream, std::int64_t ingestion_ms,
                        std::span<const Event> events) {
  const auto begin = out.size();
  out.append(kRecordHead, '\0');
  put_text(out, stream);
  put_signed(out, ingestion_ms);
  put_varint(out, events.size());
  for (const auto& event : events) {
    put_signed(out, event.time_ms - ingestion_ms);
    put_text(out, event.message);
    put_varint(out, event.fields.size());
    for (const auto& field : event.fields) {
      put_text(out, field.name);
      out.push_back(field.is_text ? 1 : 0);
      if (field.is_text) {
        put_text(out, field.text);
      } else {
        put_fixed(out, field.number);
      }
    }
  }
  const auto body = std::string_view(out).substr(begin + kRecordHead);
  std::string head;
  put_fixed(head, static_cast<std::uint32_t>(body.size()));
  put_fixed(head, crc_of(body));
  out.replace(begin, kRecordHead, head);
}

std::string journal_head(std::uint64_t first_sequence) {
  std::string out(kJournalMark);
  put_fixed(out, first_sequence);
  return out;
}

std::optional<std::uint64_t> journal_first_sequence(std::string_view bytes) {
  if (!bytes.starts_with(kJournalMark) || bytes.size() < kJournalMark.size() + 8) return std::nullopt;
  return ByteReader(bytes.substr(kJournalMark.size())).fixed<std::uint64_t>();
}

Result<JournalRead> read_journal(
    std::string_view bytes,
    const std::function<void(std::string_view stream, std::int64_t ingestion_ms, std::span<const Event>)>& take) {
  JournalRead read;
  const auto first = journal_first_sequence(bytes);
  if (!first) return Error{Errc::kMalformed, "it does not begin as a journal does"};
  read.first_sequence = *first;
  std::uint64_t at = kJournalMark.size() + 8;
  ReadRecord record;
  while (at < bytes.size()) {
    ByteReader head(bytes.substr(at));
    const auto length = head.fixed<std::uint32_t>();
    const auto crc = head.fixed<std::uint32_t>();
    const auto body = head.take(length);
    if (!head.ok()) {
      read.torn = "its last record is cut short";
      break;
    }
    if (crc_of(body) != crc || !take_record(body, record)) {
      read.torn = fmt::format("the record at {} is not what was written", at);
      break;
    }
    take(record.stream, record.ingestion_ms, record.events);
    at += kRecordHead + length;
  }
  read.good_bytes = at;
  return read;
}

Result<std::unique_ptr<Journal>> Journal::begin(std::filesystem::path path, std::uint64_t first_sequence) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (file < 0) return system_error(errno, "open", path.native());
  const auto head = journal_head(first_sequence);
  auto done = base::write_all(file, head, path);
  if (!done) {
    ::close(file);
    return done.error();
  }
  return std::unique_ptr<Journal>(new Journal(std::move(path), file, head.size()));
}

Result<std::unique_ptr<Journal>> Journal::resume(std::filesystem::path path, std::uint64_t bytes) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return system_error(errno, "open", path.native());
  if (ftruncate(file, static_cast<off_t>(bytes)) != 0 || lseek(file, 0, SEEK_END) < 0) {
    const int failed = errno;
    ::close(file);
    return system_error(failed, "ftruncate", path.native());
  }
  return std::unique_ptr<Journal>(new Journal(std::move(path), file, bytes));
}

Journal::~Journal() { ::close(file_); }

Result<Done> Journal::append(std::string_view record) {
  if (broken()) {
    return Error{Errc::kIo,
                 fmt::format("{} could not be written before; the group seals it and begins another", path_.native())};
  }
  if (auto done = base::write_all(file_, record, path_); !done) {
    const auto cut = static_cast<off_t>(bytes_);
    if (ftruncate(file_, cut) != 0 || lseek(file_, cut, SEEK_SET) < 0) broken_.store(true, std::memory_order_relaxed);
    return done;
  }
  bytes_ += record.size();
  dirty_.store(true, std::memory_order_relaxed);
  return Done{};
}

Result<Done> Journal::sync() {
  dirty_.store(false, std::memory_order_relaxed);
  if (fdatasync(file_) == 0) return Done{};
  const int failure = errno;
  broken_.store(true, std::memory_order_relaxed);
  dirty_.store(true, std::memory_order_relaxed);
  return system_error(failure, "fdatasync", path_.native());
}

}  // namespace securebase::logs
