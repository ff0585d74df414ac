// The blocks of one segment, or those of a group that are in none, as a query reads them: newest first; what cannot
// match is left out by what is known of a block, then by its messages; columns are read when they are asked for.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "logs/insights/find_text.h"
#include "logs/insights/source.h"
#include "logs/store/read_block.h"
#include "logs/store/select_columns.h"
#include "logs/store/settings.h"

namespace securebase::logs {

inline constexpr std::string_view kLog = "@log";
inline constexpr std::string_view kPointer = "@ptr";

// What all parts of a scan share.
struct ScanPlan {
  insights::Scan scan;
  WordsOfTexts words;                               // that events must have
  std::vector<insights::TextFinder> message_parts;  // that messages must have
  std::string account;
};

class BlocksPart final : public insights::Part {
 public:
  BlocksPart(std::shared_ptr<const ScanPlan> plan, std::shared_ptr<const GroupSettings> settings, std::int64_t begin_ms,
             std::int64_t end_ms);

  void add(std::shared_ptr<const EncodedBlock> block);
  void set(std::shared_ptr<const Segment> segment) { segment_ = std::move(segment); }

  Result<bool> next(insights::Batch& batch) override;

 private:
  // A field of the batch, read when it is asked for.
  class LaterField final : public insights::LaterColumn {
   public:
    LaterField(BlocksPart& part, std::size_t field) : part_(part), field_(field) {}
    const Column& read() override;
    const Column* read_around(const insights::TextFinder& lead, std::size_t behind) override;
    void forget() { read_ = parts_read_ = false; }

   private:
    BlocksPart& part_;
    const std::size_t field_;
    bool read_ = false;
    bool parts_read_ = false;  // so that few rows are wanted whole
    Column view_;
    SelectedColumn selected_;
    DecodedColumn built_;
    DecodedColumn parts_;
  };
  // @ptr of the rows that somebody keeps.
  class Pointers final : public insights::MadeTexts {
   public:
    explicit Pointers(BlocksPart& part) : part_(part) {}
    std::string_view at(std::size_t row) override;
    void forget() { made_.clear(); }

   private:
    BlocksPart& part_;
    std::vector<std::unique_ptr<std::string>> made_;
  };
  // @message of the rows of which somebody wants more than a part.
  class Messages final : public insights::MadeTexts {
   public:
    explicit Messages(BlocksPart& part) : part_(part) {}
    std::string_view at(std::size_t row) override;
    void forget(std::size_t rows) {
      made_.clear();
      known_.assign(rows, {});
    }

   private:
    BlocksPart& part_;
    std::deque<std::string> made_;
    std::vector<std::string_view> known_;  // by row
  };
  // Which rows of the block are the batch's: all between two, or those of listed_.
  struct Rows {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool listed = false;
  };

  Result<bool> may_match();
  Result<Rows> rows_in_time();
  Result<Done> leave_out_deleted(Rows& rows);
  Result<Done> leave_out_without_texts(Rows& rows);
  Result<Done> read(insights::Batch& batch);
  Result<Column> read_field(std::string_view field, SelectedColumn& selected, DecodedColumn& built);
  std::size_t rows() const { return rows_.listed ? listed_.size() : rows_.end - rows_.begin; }
  std::size_t row_of(std::size_t batch_row) const {
    return rows_.listed ? listed_[batch_row] : rows_.begin + batch_row;
  }

  const std::shared_ptr<const ScanPlan> plan_;
  const std::shared_ptr<const GroupSettings> settings_;
  const std::int64_t begin_ms_;
  const std::int64_t end_ms_;
  const std::string log_;
  const std::string_view log_word_;
  std::shared_ptr<const Segment> segment_;
  std::vector<BlockPlace> blocks_;  // oldest first: taken from the end
  BlockReader reader_;
  Rows rows_;
  std::vector<std::uint32_t> listed_;
  std::vector<std::uint32_t> found_;
  std::vector<std::uint32_t> log_codes_;
  std::vector<LaterField> later_;
  Pointers pointers_;
  Messages messages_;
  std::vector<Column> views_;
  std::optional<Error> failed_;  // while a column was read
};

}  // namespace securebase::logs
