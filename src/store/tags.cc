#include "store/tags.h"

#include <algorithm>
#include <bit>

#include "base/random.h"
#include "net/http/syntax.h"
#include "store/key_hash.h"

namespace securebase::store {

namespace {

std::string lower_tag(std::string_view text) {
  std::string made(text);
  for (char& c : made) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return made;
}

// '*' is any text. Linear but for what a star has to take back.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool covers_everything(std::string_view path) {
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  return !path.empty() && std::all_of(path.begin(), path.end(), [](char c) { return c == '*'; });
}

Verdict weigh(Generation birth, Generation soft, Generation hard) {
  if (hard > birth) return Verdict::kGone;
  return soft > birth ? Verdict::kStale : Verdict::kValid;
}

}  // namespace

Labels::Labels(Labels&& other) noexcept { *this = std::move(other); }

Labels& Labels::operator=(Labels&& other) noexcept {
  birth_ = other.birth_;
  slots_ = std::move(other.slots_);
  address_ = std::move(other.address_);
  scope_length_ = other.scope_length_;
  valid_at_.store(other.valid_at_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  return *this;
}

Labels::Labels(const Labels& other) { *this = other; }

Labels& Labels::operator=(const Labels& other) {
  birth_ = other.birth_;
  slots_ = other.slots_;
  address_ = other.address_;
  scope_length_ = other.scope_length_;
  valid_at_.store(other.valid_at_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  return *this;
}

Tags::Tags() : Tags(Limits{}) {}

Tags::Tags(Limits limits)
    : limits_(limits),
      seed_(base::random_u64()),
      mask_(std::bit_ceil(std::max<std::size_t>(limits.slots, 2)) - 1),
      slots_(std::make_unique<Slot[]>(mask_ + 1)) {}

Tags::~Tags() = default;

std::uint32_t Tags::slot_of(char kind, std::string_view scope, std::string_view text) const {
  const std::uint64_t outer = key_hash(scope, seed_ + static_cast<unsigned char>(kind));
  return static_cast<std::uint32_t>(key_hash(text, outer) & mask_);
}

// The slot is written before the clock: who has seen a generation on the clock sees everything raised up to it.
Generation Tags::raise_slot(std::uint32_t slot, Strength strength) {
  const std::lock_guard lock(mutex_);
  const Generation generation = clock_.load(std::memory_order_relaxed) + 1;
  auto& raised = strength == Strength::kHard ? slots_[slot].hard : slots_[slot].soft;
  raised.store(generation, std::memory_order_release);
  clock_.store(generation, std::memory_order_release);
  return generation;
}

Generation Tags::raise(std::string_view tag, Strength strength) {
  return raise_slot(slot_of('t', {}, lower_tag(http::trim_blanks(tag))), strength);
}

Generation Tags::raise_all(Strength strength) {
  const std::lock_guard lock(mutex_);
  const Generation generation = clock_.load(std::memory_order_relaxed) + 1;
  (strength == Strength::kHard ? everything_.hard : everything_.soft).store(generation, std::memory_order_release);
  clock_.store(generation, std::memory_order_release);
  return generation;
}

Generation Tags::raise_path(std::string_view scope, std::string_view path, Strength strength) {
  if (covers_everything(path)) return raise_slot(slot_of('s', {}, scope), strength);
  if (path.find('*') == std::string_view::npos) {
    return raise_slot(slot_of(path.find('?') == std::string_view::npos ? 'p' : 'q', scope, path), strength);
  }
  const std::lock_guard lock(mutex_);
  const Generation generation = clock_.load(std::memory_order_relaxed) + 1;
  Pattern made{std::string(scope), std::string(path), 0, 0};
  (strength == Strength::kHard ? made.hard : made.soft) = generation;
  // What the new pattern covers with the same strength or more says nothing any more. As texts: the stars of the older
  // one can only be met by stars of the new one.
  std::erase_if(patterns_, [&](const Pattern& older) {
    return older.scope == scope && matches(path, older.path) && (strength == Strength::kHard || older.hard == 0);
  });
  patterns_.push_back(std::move(made));
  if (patterns_.size() > limits_.patterns) {
    const Pattern& oldest = patterns_.front();
    auto& slot = slots_[slot_of('s', {}, oldest.scope)];
    slot.soft.store(std::max(slot.soft.load(), oldest.soft), std::memory_order_release);
    slot.hard.store(std::max(slot.hard.load(), oldest.hard), std::memory_order_release);
    patterns_.erase(patterns_.begin());
  }
  youngest_pattern_.store(generation, std::memory_order_release);
  clock_.store(generation, std::memory_order_release);
  return generation;
}

Labels Tags::labels(Generation birth, std::string_view scope, std::string_view path, std::string_view query,
                    std::span<const std::string_view> tag_lists) const {
  Labels made;
  made.birth_ = birth;
  made.address_.reserve(scope.size() + path.size() + query.size() + 1);
  made.address_.append(scope).append(path);
  made.scope_length_ = scope.size();
  made.slots_.push_back(slot_of('s', {}, scope));
  made.slots_.push_back(slot_of('p', scope, path));
  if (!query.empty()) {
    made.address_.append("?").append(query);
    made.slots_.push_back(slot_of('q', scope, std::string_view(made.address_).substr(scope.size())));
  }
  std::size_t tags = 0;
  for (const auto list : tag_lists) {
    http::for_each_element(list, [&](std::string_view tag) {
      if (tag.size() > limits_.tag_characters || tags == limits_.tags_an_object) return;
      ++tags;
      made.slots_.push_back(slot_of('t', {}, lower_tag(tag)));
    });
  }
  made.slots_.shrink_to_fit();
  return made;
}

Verdict Tags::judge(const Labels& labels) const {
  const Generation at = now();
  if (labels.valid_at_.load(std::memory_order_relaxed) == at) return Verdict::kValid;
  Generation soft = everything_.soft.load(std::memory_order_acquire);
  Generation hard = everything_.hard.load(std::memory_order_acquire);
  for (const auto slot : labels.slots_) {
    soft = std::max(soft, slots_[slot].soft.load(std::memory_order_acquire));
    hard = std::max(hard, slots_[slot].hard.load(std::memory_order_acquire));
  }
  auto verdict = weigh(labels.birth_, soft, hard);
  if (verdict != Verdict::kGone && youngest_pattern_.load(std::memory_order_acquire) > labels.birth_) {
    verdict = std::max(verdict, judge_patterns(labels));
  }
  if (verdict == Verdict::kValid) labels.valid_at_.store(at, std::memory_order_relaxed);
  return verdict;
}

Verdict Tags::judge_patterns(const Labels& labels) const {
  const std::string_view address = labels.address_;
  const auto scope = address.substr(0, labels.scope_length_);
  const auto full = address.substr(labels.scope_length_);
  const auto path = full.substr(0, full.find('?'));
  auto verdict = Verdict::kValid;
  const std::lock_guard lock(mutex_);
  for (const auto& pattern : patterns_) {
    const auto weight = weigh(labels.birth_, pattern.soft, pattern.hard);
    if (weight <= verdict || pattern.scope != scope) continue;
    if (matches(pattern.path, path) || matches(pattern.path, full)) verdict = weight;
  }
  return verdict;
}

Tags::Statistics Tags::statistics() const {
  const std::lock_guard lock(mutex_);
  Statistics now;
  now.raised = clock_.load(std::memory_order_relaxed) - 1;
  now.patterns = patterns_.size();
  now.bytes = (mask_ + 1) * sizeof(Slot);
  for (const auto& pattern : patterns_) now.bytes += sizeof(Pattern) + pattern.scope.size() + pattern.path.size();
  return now;
}

}  // namespace securebase::store
