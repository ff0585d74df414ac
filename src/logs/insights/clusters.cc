#include "logs/insights/clusters.h"

#include <algorithm>

namespace securebase::logs::insights {

namespace {

constexpr std::string_view kVariable = "<*>";
constexpr double kSimilar = 0.6;

bool is_number_character(char c) { return c >= '0' && c <= '9'; }

bool is_token(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_number_character(c) || c == '_' || c == '-' ||
         c == '.' || (c & 0x80) != 0;
}

// Words with the blanks or commas that end them, so that together they are the line again.
std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool ends = line[i] == ' ' || line[i] == '\t' || line[i] == ',' || line[i] == '\n';
    const bool next_ends = i + 1 < line.size() && (line[i + 1] == ' ' || line[i + 1] == '\t' || line[i + 1] == '\n');
    if (!ends || next_ends) continue;
    words.emplace_back(line.substr(begin, i + 1 - begin));
    begin = i + 1;
  }
  if (begin < line.size()) words.emplace_back(line.substr(begin));
  return words;
}

// What ends a word stays when the word itself varies.
std::string varied(const std::string& word) {
  const auto end = word.find_last_not_of(" \t,\n");
  return std::string(kVariable) + (end == std::string::npos ? "" : word.substr(end + 1));
}

}  // namespace

void mask_variables(std::string_view line, std::string& masked) {
  masked.clear();
  for (std::size_t i = 0; i < line.size();) {
    if (!is_token(line[i])) {
      masked.push_back(line[i++]);
      continue;
    }
    bool digits = false;
    std::size_t end = i;
    for (; end < line.size(); ++end) {
      const char c = line[end];
      // 02:00:00 is one thing, "Duration: 12" is two.
      const bool clock = c == ':' && end > i && is_number_character(line[end - 1]) && end + 1 < line.size() &&
                         is_number_character(line[end + 1]);
      if (!is_token(c) && !clock) break;
      digits = digits || is_number_character(c);
    }
    // A full stop at the end belongs to the sentence.
    while (end > i + 1 && line[end - 1] == '.') --end;
    if (digits) {
      masked += kVariable;
    } else {
      masked += line.substr(i, end - i);
    }
    i = end;
  }
}

void Clusters::add(std::string_view line) {
  mask_variables(line.substr(0, limits_.line_bytes), masked_);
  ++clusters_[cluster_of(masked_)].count;
  ++total_;
}

std::size_t Clusters::cluster_of(std::string_view masked) {
  const std::string key(masked);
  if (const auto known = known_.find(key); known != known_.end()) return known->second;
  const auto found = fitting(split_words(masked));
  if (known_.size() >= limits_.known_lines) {
    known_.clear();
    known_bytes_ = 0;
  }
  known_.emplace(key, found);
  known_bytes_ += key.size() + 64;
  return found;
}

std::size_t Clusters::fitting(std::vector<std::string> words) {
  if (words.empty()) words.emplace_back();
  const auto shape = std::to_string(words.size()) + " " + words.front();
  const auto candidates = by_shape_.find(shape);
  std::size_t best = clusters_.size();
  std::size_t most = 0;
  for (const auto place : candidates == by_shape_.end() ? std::vector<std::size_t>() : candidates->second) {
    const auto& theirs = clusters_[place].words;
    std::size_t equal = 0;
    for (std::size_t i = 0; i < words.size(); ++i) {
      equal += theirs[i] == words[i] || theirs[i].starts_with(kVariable) ? 1 : 0;
    }
    if (equal > most) {
      most = equal;
      best = place;
    }
  }
  if (best < clusters_.size() && static_cast<double>(most) >= kSimilar * static_cast<double>(words.size())) {
    auto& theirs = clusters_[best].words;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (theirs[i] != words[i] && !theirs[i].starts_with(kVariable)) theirs[i] = varied(theirs[i]);
    }
    return best;
  }
  // The last one takes all that is new; no other line is compared with it.
  if (clusters_.size() > limits_.clusters) return limits_.clusters;
  if (clusters_.size() == limits_.clusters) {
    clusters_.push_back({{std::string(kVariable)}, 0});
    return limits_.clusters;
  }
  for (const auto& word : words) bytes_ += word.size() + 64;
  by_shape_[shape].push_back(clusters_.size());
  clusters_.push_back({std::move(words), 0});
  return clusters_.size() - 1;
}

void Clusters::merge(const Clusters& other) {
  for (const auto& theirs : other.clusters_) {
    if (theirs.count != 0) clusters_[fitting(theirs.words)].count += theirs.count;
  }
  total_ += other.total_;
}

std::vector<std::pair<std::string, std::uint64_t>> Clusters::patterns() const {
  // Two that were apart may have become alike.
  std::unordered_map<std::string, std::uint64_t> counts;
  for (const auto& cluster : clusters_) {
    std::string text;
    for (const auto& word : cluster.words) text += word;
    if (cluster.count != 0) counts[text] += cluster.count;
  }
  std::vector<std::pair<std::string, std::uint64_t>> made(counts.begin(), counts.end());
  std::sort(made.begin(), made.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  return made;
}

}  // namespace securebase::logs::insights
