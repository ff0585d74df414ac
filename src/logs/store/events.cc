#include "logs/store/events.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "logs/store/bytes.h"
#include "logs/store/read_block.h"

namespace securebase::logs {

namespace {

struct CandidateBlock {
  BlockPlace place;
  std::shared_ptr<const GroupSettings> settings;
  std::int64_t begin_ms = 0;  // of what is visible
};

// Reads blocks by their times until those that are left cannot hold an event that belongs on the page.
class PageReader {
 public:
  explicit PageReader(const EventRead& read) : read_(read) {
    for (const auto& text : read.texts) {
      words_.add(text);
      texts_.emplace_back(text);
    }
  }

  Result<Done> gather(const Store& store) {
    for (const auto& group : read_.groups) {
      const auto view = group->view();
      const auto begin = std::max(read_.begin_ms, store.oldest_visible_ms(*view.settings));
      const auto add = [&](BlockPlace place) {
        if (place.info().last_ms < begin || place.info().first_ms > read_.end_ms || beyond(place.info())) return;
        blocks_.push_back({std::move(place), view.settings, begin});
      };
      for (const auto& segment : view.segments) {
        if (segment->summary().last_ms < begin || segment->summary().first_ms > read_.end_ms) continue;
        auto places = blocks_of(*segment);
        if (!places) return Error{Errc::kUnavailable, places.error().message};
        for (auto& place : *places) add(std::move(place));
      }
      for (const auto& block : view.blocks) {
        BlockPlace place;
        place.in_memory = block;
        add(std::move(place));
      }
    }
    std::stable_sort(blocks_.begin(), blocks_.end(), [this](const auto& a, const auto& b) {
      return read_.newest ? a.place.info().last_ms > b.place.info().last_ms
                          : a.place.info().first_ms < b.place.info().first_ms;
    });
    return Done{};
  }

  Result<EventPage> page() {
    std::size_t scanned = 0;
    for (const auto& block : blocks_) {
      const auto& info = block.place.info();
      const auto nearest = read_.newest ? info.last_ms : info.first_ms;
      if (full_ && is_farther(nearest)) break;
      if (scanned >= read_.scan_rows && stop_at(nearest)) break;
      auto looked = look_at(block);
      if (!looked) return looked.error();
      scanned += *looked;
    }
    EventPage page;
    std::sort(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    if (stopped_at_) {
      page.reached = stopped_at_;
    } else if (full_ && !kept_.empty()) {
      page.reached = read_.newest ? kept_.front().key : kept_.back().key;
    }
    page.events = std::move(kept_);
    return page;
  }

 private:
  // Of two, which is nearer to where the page begins.
  bool is_nearer(const EventKey& a, const EventKey& b) const { return read_.newest ? b < a : a < b; }
  bool is_farther(std::int64_t time_ms) const {
    const auto farthest = kept_.front().key.time_ms;
    return read_.newest ? time_ms < farthest : time_ms > farthest;
  }
  bool beyond(const BlockInfo& info) const {
    return (read_.after && info.last_ms < read_.after->time_ms) ||
           (read_.before && info.first_ms > read_.before->time_ms);
  }

  // Blocks from here on are for the next page; what was found may be among theirs in order, so it goes with them. False
  // if the page would not get on that way.
  bool stop_at(std::int64_t nearest) {
    EventKey border{nearest, "", 0};
    if (read_.newest) border = {nearest + 1, "", 0};  // after all of that millisecond
    const auto& from = read_.newest ? read_.before : read_.after;
    if (from && !is_nearer(*from, border)) return false;
    if (!from && !read_.newest && nearest <= read_.begin_ms) return false;
    std::erase_if(kept_, [&](const auto& event) { return !is_nearer(event.key, border); });
    std::make_heap(kept_.begin(), kept_.end(), by_distance());
    // Exclusive on both sides: forward, the border itself is no event's key, since no group has an empty name.
    stopped_at_ = border;
    return true;
  }

  std::function<bool(const FoundEvent&, const FoundEvent&)> by_distance() const {
    return [this](const FoundEvent& a, const FoundEvent& b) { return is_nearer(a.key, b.key); };
  }

  bool wants_stream(std::string_view stream) const {
    if (!read_.streams.empty()) return read_.streams.contains(stream);
    return stream.starts_with(read_.stream_prefix);
  }

  Result<bool> may_have(const CandidateBlock& block) {
    reader_.begin(block.place);
    auto may = reader_.may_have_all(words_.hashes);
    if (may && *may) may = reader_.may_have_all(words_.plain);
    if (!may || !*may || read_.streams.empty()) return may;
    for (const auto& stream : read_.streams) {
      auto has = reader_.may_have_all(std::array{hash_of_field(kLogStream, stream)});
      if (!has || *has) return has;
    }
    return false;
  }

  // How many rows.
  Result<std::size_t> look_at(const CandidateBlock& block) {
    auto may = may_have(block);
    if (!may) return may.error();
    if (!*may) return std::size_t{0};
    const Column* columns[4];
    const std::string_view names[] = {kTimestamp, kSequence, kLogStream, kIngestionTime};
    for (std::size_t i = 0; i < std::size(names); ++i) {
      auto column = reader_.column(names[i]);
      if (!column) return column.error();
      columns[i] = *column;
    }
    auto messages = reader_.messages();
    if (!messages) return messages.error();
    if (auto done = mark_rows_with_texts(**messages); !done) {
      return reader_.unreadable(done.error());
    }
    EventKey key;
    key.group = block.settings->name;
    const std::size_t rows = block.place.info().rows;
    for (std::size_t i = 0; i < rows; ++i) {
      const auto row = read_.newest ? rows - 1 - i : i;
      key.time_ms = static_cast<std::int64_t>(columns[0]->numbers[row]);
      if (key.time_ms < block.begin_ms || key.time_ms > read_.end_ms) continue;
      key.sequence = static_cast<std::uint64_t>(columns[1]->numbers[row]);
      if (read_.after && key <= *read_.after) continue;
      if (read_.before && key >= *read_.before) continue;
      if (full_ && !is_nearer(key, kept_.front().key)) break;  // and so are all that follow in this block
      if (marked_[row] != read_.texts.size()) continue;
      const auto stream = text_at(*columns[2], row);
      if (!wants_stream(stream)) continue;
      if (const auto gone = block.settings->deleted_streams.find(stream);
          gone != block.settings->deleted_streams.end() && key.sequence < gone->second) {
        continue;
      }
      message_.clear();
      if (auto done = (*messages)->append(message_, row); !done) {
        return reader_.unreadable(done.error());
      }
      if (read_.wanted && !read_.wanted(message_)) continue;
      keep({key, static_cast<std::int64_t>(columns[3]->numbers[row]), std::string(stream), message_});
    }
    return rows;
  }

  // How many of the texts each row's message has.
  Result<Done> mark_rows_with_texts(ReadMessages& messages) {
    marked_.assign(messages.rows(), 0);
    for (const auto& text : texts_) {
      if (auto done = messages.find(text, 0, messages.rows(), found_); !done) return done;
      for (const auto row : found_) ++marked_[row];
    }
    return Done{};
  }

  // The farthest goes while there are too many.
  void keep(FoundEvent event) {
    bytes_ += event.message.size();
    kept_.push_back(std::move(event));
    std::push_heap(kept_.begin(), kept_.end(), by_distance());
    while (kept_.size() > read_.limit || (bytes_ > read_.message_bytes && kept_.size() > 1)) {
      std::pop_heap(kept_.begin(), kept_.end(), by_distance());
      bytes_ -= kept_.back().message.size();
      kept_.pop_back();
      full_ = true;
    }
  }

  const EventRead& read_;
  WordsOfTexts words_;
  std::vector<insights::TextFinder> texts_;
  std::vector<CandidateBlock> blocks_;
  BlockReader reader_;
  std::vector<std::size_t> marked_;
  std::vector<std::uint32_t> found_;
  std::string message_;
  std::vector<FoundEvent> kept_;  // a heap: the farthest is in front
  std::size_t bytes_ = 0;
  bool full_ = false;  // something was left out, so that nothing farther than what is kept belongs on the page
  std::optional<EventKey> stopped_at_;
};

}  // namespace

Result<EventPage> read_events(const Store& store, const EventRead& read) {
  PageReader reader(read);
  if (auto done = reader.gather(store); !done) return done.error();
  return reader.page();
}

std::string to_text(const EventKey& key) {
  std::string bytes;
  put_signed(bytes, key.time_ms);
  put_varint(bytes, key.sequence);
  bytes += key.group;
  return base::base64url(bytes);
}

std::optional<EventKey> key_from(std::string_view text) {
  const auto bytes = base::from_base64url(text);
  if (!bytes) return std::nullopt;
  ByteReader from(*bytes);
  EventKey key;
  key.time_ms = from.signed_varint();
  key.sequence = from.varint();
  key.group = std::string(from.take(from.left()));
  if (!from.ok()) return std::nullopt;
  return key;
}

}  // namespace securebase::logs
