#include "traces/record/record.h"

#include <unordered_map>

#include "traces/record/bytes.h"

namespace securebase::traces {

namespace {

constexpr std::uint64_t kBlockFormat = 1;
enum HopFlags : std::uint8_t { kFailedFlag = 1, kColdFlag = 2, kEntryFlag = 4, kTlsFlag = 8 };

// Texts by the number of their first occurrence.
class Texts {
 public:
  std::uint64_t number(std::string_view text) {
    const auto [place, fresh] = numbers_.try_emplace(std::string(text), numbers_.size());
    if (fresh) put_text(bytes_, text);
    return place->second;
  }
  std::string finish() const {
    std::string out;
    put_varint(out, numbers_.size());
    return out + bytes_;
  }

 private:
  std::unordered_map<std::string, std::uint64_t> numbers_;
  std::string bytes_;
};

void put_id(std::string& out, const TraceId& id) {
  put_fixed(out, id.high);
  put_fixed(out, id.low);
}

TraceId read_id(Bytes& in) {
  TraceId id;
  id.high = in.fixed<std::uint64_t>();
  id.low = in.fixed<std::uint64_t>();
  return id;
}

void put_hop(std::string& out, const HopRecord& record, const Hop& hop, WallTime begin, Texts& texts) {
  put_fixed(out, static_cast<std::uint8_t>(hop.kind));
  put_fixed(out, static_cast<std::uint8_t>((hop.failed ? kFailedFlag : 0) | (hop.cold ? kColdFlag : 0) |
                                           (hop.entry ? kEntryFlag : 0) | (hop.tls ? kTlsFlag : 0)));
  put_fixed(out, hop.id);
  // Most parents are hops of the same record: 2 + its place; 0: none; 1: another's, which follows.
  std::uint64_t parent = hop.parent == 0 ? 0 : 1;
  for (std::size_t i = 0; parent == 1 && i < record.hops.size(); ++i) {
    if (record.hops[i].id == hop.parent) parent = 2 + i;
  }
  put_varint(out, parent);
  if (parent == 1) put_fixed(out, hop.parent);
  put_signed(out, (hop.begin - begin).count());
  put_varint(out, static_cast<std::uint64_t>(std::max<std::int64_t>(hop.duration.count(), 0)));
  put_varint(out, hop.status);
  put_varint(out, hop.calls);
  for (const auto* text : {&hop.method, &hop.name, &hop.route, &hop.subject}) put_varint(out, texts.number(*text));
}

}  // namespace

std::string TraceId::text() const { return telemetry::to_xray_id({.trace_high = high, .trace_low = low}); }

std::optional<TraceId> TraceId::parse(std::string_view text) {
  telemetry::TraceContext trace;
  if (!telemetry::from_xray_id(text, trace)) return std::nullopt;
  return TraceId{trace.trace_high, trace.trace_low};
}

std::string reasons_text(std::uint8_t reasons) {
  static constexpr std::pair<Reason, std::string_view> kNames[] = {
      {kFailed, "failed"},   {kCold, "cold start"}, {kSlow, "slow"}, {kFirst, "first of its second"},
      {kSampled, "sampled"}, {kLate, "late"}};
  std::string text;
  for (const auto& [reason, name] : kNames) {
    if (reasons & reason) text.append(text.empty() ? "" : ", ").append(name);
  }
  return text;
}

std::string encode(const Records& records) {
  Texts texts;
  std::string body;
  put_varint(body, records.hops.size());
  for (const auto& record : records.hops) {
    put_id(body, record.id);
    put_fixed(body, record.reasons);
    const WallTime begin = record.hops.empty() ? WallTime{} : record.hops.front().begin;
    put_signed(body, begin.time_since_epoch().count());
    put_varint(body, record.hops.size());
    for (const auto& hop : record.hops) put_hop(body, record, hop, begin, texts);
  }
  put_varint(body, records.documents.size());
  for (const auto& document : records.documents) {
    put_id(body, document.id);
    put_signed(body, document.begin.time_since_epoch().count());
    put_text(body, document.json);
  }
  std::string out;
  put_varint(out, kBlockFormat);
  return out + texts.finish() + body;
}

Result<Records> decode(std::string_view bytes) {
  Bytes in(bytes);
  const auto malformed = [] { return Error{Errc::kMalformed, "a block of traces does not follow its format"}; };
  if (in.varint() != kBlockFormat) return malformed();
  std::vector<std::string_view> texts(in.count());
  for (auto& text : texts) text = in.text();
  const auto read_text = [&]() -> std::string {
    const auto number = in.varint();
    if (number >= texts.size()) return in.fail(), std::string();
    return std::string(texts[number]);
  };
  Records records;
  const auto hop_records = in.count(19);
  for (std::size_t i = 0; i < hop_records && !in.bad(); ++i) {
    HopRecord record;
    record.id = read_id(in);
    record.reasons = in.byte();
    const WallTime begin{std::chrono::nanoseconds{in.signed_varint()}};
    const auto hops = in.count(18);
    std::vector<std::uint64_t> parents;
    for (std::size_t k = 0; k < hops && !in.bad(); ++k) {
      Hop hop;
      const auto kind = in.byte();
      const auto flags = in.byte();
      if (kind >= telemetry::kHops) in.fail();
      hop.kind = static_cast<telemetry::Hop>(kind);
      hop.failed = flags & kFailedFlag;
      hop.cold = flags & kColdFlag;
      hop.entry = flags & kEntryFlag;
      hop.tls = flags & kTlsFlag;
      hop.id = in.fixed<std::uint64_t>();
      parents.push_back(in.varint());
      if (parents.back() == 1) hop.parent = in.fixed<std::uint64_t>();
      // Unsigned: foreign bytes may say anything.
      hop.begin = WallTime{std::chrono::nanoseconds{
          static_cast<std::int64_t>(static_cast<std::uint64_t>(begin.time_since_epoch().count()) +
                                    static_cast<std::uint64_t>(in.signed_varint()))}};
      hop.duration = std::chrono::nanoseconds{static_cast<std::int64_t>(in.varint() & 0x7fffffffffffffffULL)};
      hop.status = static_cast<std::uint16_t>(in.varint());
      hop.calls = static_cast<std::uint32_t>(in.varint());
      for (auto* text : {&hop.method, &hop.name, &hop.route, &hop.subject}) *text = read_text();
      record.hops.push_back(std::move(hop));
    }
    for (std::size_t k = 0; k < record.hops.size(); ++k) {
      if (parents[k] < 2) continue;
      if (parents[k] - 2 >= record.hops.size()) return malformed();
      record.hops[k].parent = record.hops[parents[k] - 2].id;
    }
    records.hops.push_back(std::move(record));
  }
  const auto documents = in.count(18);
  for (std::size_t i = 0; i < documents && !in.bad(); ++i) {
    DocumentRecord document;
    document.id = read_id(in);
    document.begin = WallTime{std::chrono::nanoseconds{in.signed_varint()}};
    document.json = in.text();
    records.documents.push_back(std::move(document));
  }
  if (in.bad() || !in.at_end()) return malformed();
  return records;
}

}  // namespace securebase::traces
