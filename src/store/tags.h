// Invalidation by generations: no index from tags to objects, nothing is searched, nothing is deleted.
//
// One counter ticks with every invalidation. A tag, or a path, that is invalidated gets the tick as its generation; a
// stored object remembers the tick at which its fetch began; it is stale when something that it bears has a younger
// generation. The numbers lie in a table of fixed size under a hash: two tags that share a slot are invalidated
// together, so the table never grows, never forgets, and errs to the stale side alone. The hash is seeded at random, so
// that nobody can choose tags that meet another tenant's.
//
//   const auto birth = tags.now();                                  // before the fetch: what is raised meanwhile
//   counts
//   ... fetch ...
//   auto labels = tags.labels(birth, "E1234ABCD", "/img/a.png", "", {cache_tag_header});   // kept with the object
//   switch (tags.judge(labels)) ...                                 // at each lookup; one load when nothing was raised
//
// Any thread. One Tags for the whole platform: raised once, stale at the edge and at the gateway.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace securebase::store {

enum class Strength {
  kSoft,  // stale: served while one refresh runs
  kHard,  // gone: not served again
};

enum class Verdict { kValid, kStale, kGone };

using Generation = std::uint64_t;

// What invalidations can find an object by. Made by Tags::labels(), then constant.
class Labels {
 public:
  Labels() = default;
  Labels(Labels&& other) noexcept;
  Labels& operator=(Labels&& other) noexcept;
  Labels(const Labels& other);
  Labels& operator=(const Labels& other);

  Generation birth() const { return birth_; }
  // What it holds beside itself.
  std::size_t bytes() const { return slots_.capacity() * sizeof(std::uint32_t) + address_.capacity(); }

 private:
  friend class Tags;
  Generation birth_ = 0;
  std::vector<std::uint32_t> slots_;
  std::string address_;  // for patterns: "E1234ABCD/img/a.png?v=1"
  std::size_t scope_length_ = 0;
  // The last generation at which nothing of this was raised.
  mutable std::atomic<Generation> valid_at_{0};
};

class Tags {
 public:
  struct Limits {
    std::size_t slots = 1 << 18;      // of 16 bytes; rounded up to a power of two
    std::size_t patterns = 256;       // wildcard paths kept; beyond, the oldest one becomes "everything of its age"
    std::size_t tags_an_object = 50;  // as CloudFront: further ones are not looked at
    std::size_t tag_characters = 256;
  };

  Tags();
  explicit Tags(Limits limits);
  ~Tags();
  Tags(const Tags&) = delete;
  Tags& operator=(const Tags&) = delete;

  // The generation of a fetch that begins now.
  Generation now() const { return clock_.load(std::memory_order_acquire); }

  // Tags compare without case (ASCII), blanks around them do not count; without '#'.
  Generation raise(std::string_view tag, Strength strength);
  // "/img/a.png" (with any query), "/img/a.png?v=1" (that query), "/img/*", "*"; '*' stands for any text, at any place.
  // `scope` says whose paths: a distribution, an API's stage.
  Generation raise_path(std::string_view scope, std::string_view path, Strength strength);
  // Everything of every scope.
  Generation raise_all(Strength strength);

  // `path` and `query` as they are keyed; `tag_lists` are the values of the tag header, each a comma separated list.
  Labels labels(Generation birth, std::string_view scope, std::string_view path, std::string_view query,
                std::span<const std::string_view> tag_lists) const;

  Verdict judge(const Labels& labels) const;

  struct Statistics {
    std::uint64_t raised = 0;  // invalidations so far
    std::size_t patterns = 0;  // in force
    std::size_t bytes = 0;
  };
  Statistics statistics() const;

 private:
  struct Slot {
    std::atomic<Generation> soft{0};
    std::atomic<Generation> hard{0};
  };
  struct Pattern {
    std::string scope;
    std::string path;
    Generation soft = 0;
    Generation hard = 0;
  };

  std::uint32_t slot_of(char kind, std::string_view scope, std::string_view text) const;
  Generation raise_slot(std::uint32_t slot, Strength strength);
  Verdict judge_patterns(const Labels& labels) const;

  // Constant after construction.
  const Limits limits_;
  const std::uint64_t seed_;
  const std::size_t mask_;
  const std::unique_ptr<Slot[]> slots_;
  // Any thread.
  std::atomic<Generation> clock_{1};
  Slot everything_;
  // Youngest generation of any pattern: objects born later need not look at them.
  std::atomic<Generation> youngest_pattern_{0};
  mutable std::mutex mutex_;
  std::vector<Pattern> patterns_;  // guarded by mutex_, oldest first
};

}  // namespace securebase::store
