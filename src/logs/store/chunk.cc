#include "logs/store/chunk.h"

namespace securebase::logs {

void Chunk::add(std::string_view stream, std::int64_t ingestion_ms, const Event& event) {
  // Events come in runs of one stream.
  std::uint32_t index = rows_.empty() ? 0 : rows_.back().stream;
  if (rows_.empty() || streams_[index] != stream) {
    auto found = stream_index_.find(stream);
    if (found == stream_index_.end()) {
      found = stream_index_.emplace(std::string(stream), static_cast<std::uint32_t>(streams_.size())).first;
      streams_.emplace_back(stream);
    }
    index = found->second;
  }
  rows_.push_back({.time_ms = event.time_ms,
                   .ingestion_ms = ingestion_ms,
                   .stream = index,
                   .begin = static_cast<std::uint32_t>(text_.size()),
                   .length = static_cast<std::uint32_t>(event.message.size()),
                   .first_field = static_cast<std::uint32_t>(fields_.size()),
                   .fields = static_cast<std::uint32_t>(event.fields.size())});
  text_.append(event.message);
  for (const auto& field : event.fields) {
    fields_.push_back({std::string(field.name), std::string(field.text), field.number, field.is_text});
  }
}

}  // namespace securebase::logs
