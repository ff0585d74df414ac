#include "logs/insights/sequence_regex.h"

#include <algorithm>
#include <cstring>

namespace securebase::logs::insights {

namespace {

constexpr std::uint32_t kUnbounded = ~std::uint32_t{0};
constexpr std::uint32_t kMostRepeats = 1000;  // RE2's own
constexpr std::size_t kMostElements = 200;    // and so is the depth of the search
constexpr std::size_t kStepsOfByte = 8;       // of a text, before RE2 is asked, which needs no steps back
constexpr std::size_t kBytesOfStep = 16;      // that a class runs over

bool is_ascii(std::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + i, 8);
    if ((eight & 0x8080808080808080) != 0) return false;
  }
  for (; i < text.size(); ++i) {
    if ((text[i] & 0x80) != 0) return false;
  }
  return true;
}

template <std::size_t N>
void add_range(std::bitset<N>& set, char from, char to) {
  for (int c = from; c <= to; ++c) set.set(static_cast<std::size_t>(c));
}

bool is_letter_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

// Reads a pattern; every function returns false where the pattern is no sequence.
struct SequenceRegex::Reader {
  std::string_view rest;
  SequenceRegex& made;
  std::vector<std::size_t> open;  // groups; kNotCaptured: (?:
  static constexpr std::size_t kNotCaptured = 0;

  bool take(std::string_view what) {
    if (!rest.starts_with(what)) return false;
    rest.remove_prefix(what.size());
    return true;
  }
  char next() {
    const char c = rest.front();
    rest.remove_prefix(1);
    return c;
  }

  bool all() {
    made.from_begin_ = take("^");
    while (!rest.empty()) {
      if (made.elements_.size() > kMostElements || (rest.front() & 0x80) != 0) return false;
      if (rest == "$") {
        made.to_end_ = true;
        rest = {};
      } else if (!(rest.front() == '(' ? group_begin() : rest.front() == ')' ? group_end() : atom())) {
        return false;
      }
    }
    return open.empty();
  }

  bool group_begin() {
    rest.remove_prefix(1);
    if (take("?:")) {
      open.push_back(kNotCaptured);
      return true;
    }
    if (take("?")) {
      take("P");
      if (!take("<")) return false;
      const auto end = rest.find('>');
      if (end == 0 || end == std::string_view::npos || !is_letter_or_digit(rest.front())) return false;
      rest.remove_prefix(end + 1);
    }
    open.push_back(++made.groups_);
    add_mark(Element::Kind::kGroupBegin, open.back());
    return true;
  }

  bool group_end() {
    rest.remove_prefix(1);
    if (open.empty() || (!rest.empty() && std::string_view("*+?{").find(rest.front()) != std::string_view::npos)) {
      return false;
    }
    if (open.back() != kNotCaptured) add_mark(Element::Kind::kGroupEnd, open.back());
    open.pop_back();
    return true;
  }

  void add_mark(Element::Kind kind, std::size_t group) {
    Element mark;
    mark.kind = kind;
    mark.group = group;
    made.elements_.push_back(std::move(mark));
  }

  bool atom() {
    Class characters;
    const char c = next();
    if (c == '\\') {
      if (!escaped(characters)) return false;
    } else if (c == '.') {
      characters.set();
      characters.reset('\n');
    } else if (c == '[') {
      if (!bracketed(characters)) return false;
    } else if (std::string_view("^$*+?{|").find(c) != std::string_view::npos) {
      return false;
    } else {
      characters.set(static_cast<std::size_t>(c));
    }
    return repeated(characters);
  }

  // Behind the backslash.
  bool escaped(Class& characters) {
    if (rest.empty() || (rest.front() & 0x80) != 0) return false;
    const char c = next();
    Class known;
    switch (c) {
      case 'd':
      case 'D':
        add_range(known, '0', '9');
        break;
      case 'w':
      case 'W':
        add_range(known, '0', '9');
        add_range(known, 'a', 'z');
        add_range(known, 'A', 'Z');
        known.set('_');
        break;
      case 's':
      case 'S':
        for (const char space : {'\t', '\n', '\f', '\r', ' '}) known.set(static_cast<std::size_t>(space));
        break;
      case 't':
        known.set('\t');
        break;
      case 'n':
        known.set('\n');
        break;
      case 'r':
        known.set('\r');
        break;
      default:
        if (is_letter_or_digit(c) || c < ' ') return false;
        known.set(static_cast<std::size_t>(c));
    }
    characters |= c == 'D' || c == 'W' || c == 'S' ? ~known : known;
    return true;
  }

  // Behind the bracket.
  bool bracketed(Class& characters) {
    const bool negated = take("^");
    bool first = true;
    for (;; first = false) {
      if (rest.empty() || (rest.front() & 0x80) != 0) return false;
      if (!first && take("]")) break;
      const char c = next();
      if (c == '[') return false;  // [:alpha:], or what looks like it
      if (c == '\\') {
        if (!escaped(characters)) return false;
        if (rest.starts_with('-')) return false;
        continue;
      }
      if (rest.size() < 2 || rest[0] != '-' || rest[1] == ']') {
        characters.set(static_cast<std::size_t>(c));
        continue;
      }
      rest.remove_prefix(1);
      const char to = next();
      if (to == '\\' || to == '[' || (to & 0x80) != 0 || to < c) return false;
      add_range(characters, c, to);
    }
    if (negated) characters.flip();
    return true;
  }

  bool repeated(const Class& characters) {
    Element made_of;
    made_of.kind = Element::Kind::kClass;
    made_of.characters = characters;
    if (take("*")) {
      made_of.least = 0;
      made_of.most = kUnbounded;
    } else if (take("+")) {
      made_of.most = kUnbounded;
    } else if (take("?")) {
      made_of.least = 0;
    } else if (rest.starts_with('{')) {
      if (!counted(made_of)) return false;
    } else {
      return add(std::move(made_of), false);
    }
    made_of.lazy = take("?");
    if (!rest.empty() && std::string_view("*+?{").find(rest.front()) != std::string_view::npos) return false;
    return add(std::move(made_of), true);
  }

  // {n}, {n,}, {n,m}
  bool counted(Element& element) {
    rest.remove_prefix(1);
    if (!number(element.least)) return false;
    element.most = element.least;
    if (take(",")) {
      element.most = kUnbounded;
      if (!rest.starts_with('}') && !number(element.most)) return false;
    }
    return take("}") && element.least <= element.most;
  }

  bool number(std::uint32_t& value) {
    std::size_t digits = 0;
    for (value = 0; !rest.empty() && rest.front() >= '0' && rest.front() <= '9' && digits < 5; ++digits) {
      value = value * 10 + static_cast<std::uint32_t>(next() - '0');
    }
    return digits > 0 && value <= kMostRepeats;
  }

  bool add(Element element, bool is_repeated) {
    if (!is_repeated && element.characters.count() == 1) {
      std::size_t at = 0;
      while (!element.characters[at]) ++at;
      if (made.elements_.empty() || made.elements_.back().kind != Element::Kind::kText) {
        made.elements_.emplace_back();
      }
      made.elements_.back().text.push_back(static_cast<char>(at));
      return true;
    }
    made.elements_.push_back(std::move(element));
    return true;
  }
};

std::optional<SequenceRegex> SequenceRegex::compile(std::string_view pattern) {
  SequenceRegex made;
  Reader reader{pattern, made, {}};
  if (!reader.all() || made.groups_ >= kMostGroups) return std::nullopt;
  made.finish();
  return made;
}

void SequenceRegex::finish() {
  const auto is_mark = [](const Element& element) {
    return element.kind == Element::Kind::kGroupBegin || element.kind == Element::Kind::kGroupEnd;
  };
  for (std::size_t i = 0; i < elements_.size(); ++i) {
    auto& element = elements_[i];
    if (element.kind != Element::Kind::kClass || element.most != kUnbounded || element.lazy) continue;
    auto next = i + 1;
    while (next < elements_.size() && is_mark(elements_[next])) ++next;
    if (next == elements_.size()) {
      element.exclusive = true;  // the most there is, and that is the end
    } else if (elements_[next].kind == Element::Kind::kText) {
      element.exclusive = !element.characters[static_cast<std::size_t>(elements_[next].text.front())];
    } else if (elements_[next].least > 0) {
      element.exclusive = (element.characters & elements_[next].characters).none();
    }
  }
  const auto first = std::find_if_not(elements_.begin(), elements_.end(), is_mark);
  if (!from_begin_ && first != elements_.end() && first->kind == Element::Kind::kText) lead_.emplace(first->text);
  if (from_begin_ || to_end_) return;
  std::size_t most = 0;
  for (const auto& element : elements_) {
    if (element.kind == Element::Kind::kText) most += element.text.size();
    if (element.kind == Element::Kind::kClass && element.most == kUnbounded) return;
    if (element.kind == Element::Kind::kClass) most += element.most;
  }
  most_bytes_ = most;
}

struct SequenceRegex::Attempt {
  Attempt(const SequenceRegex& of, std::string_view in, std::span<std::string_view> into, std::size_t most_steps)
      : regex(of), text(in), groups(into), steps(most_steps) {}

  const SequenceRegex& regex;
  const std::string_view text;
  const std::span<std::string_view> groups;
  std::size_t steps = 0;
  std::size_t end = 0;
  std::size_t begins[kMostGroups];  // of those that were passed

  bool has(const Element& element, std::size_t at) const {
    return element.characters[static_cast<std::size_t>(text[at])];
  }

  // Whether the elements from `index` on match what begins at `at`. When it says yes, the groups are set.
  bool from(std::size_t index, std::size_t at) {
    for (; index < regex.elements_.size(); ++index) {
      if (steps == 0) return false;
      --steps;
      const auto& element = regex.elements_[index];
      switch (element.kind) {
        case Element::Kind::kText:
          if (!text.substr(at).starts_with(element.text)) return false;
          at += element.text.size();
          break;
        case Element::Kind::kGroupBegin:
          begins[element.group] = at;
          break;
        case Element::Kind::kGroupEnd:
          if (element.group < groups.size()) {
            groups[element.group] = text.substr(begins[element.group], at - begins[element.group]);
          }
          break;
        case Element::Kind::kClass:
          if (!element.exclusive) return element.lazy ? few_first(element, index, at) : many_first(element, index, at);
          if (const auto length = run(element, at); length >= element.least) {
            at += length;
            break;
          }
          return false;
      }
    }
    end = at;
    return !regex.to_end_ || at == text.size();
  }

  std::size_t run(const Element& element, std::size_t at) {
    const auto most = std::min<std::size_t>(element.most, text.size() - at);
    std::size_t length = 0;
    while (length < most && has(element, at + length)) ++length;
    steps -= std::min(steps, length / kBytesOfStep);
    return length;
  }

  bool many_first(const Element& element, std::size_t index, std::size_t at) {
    auto length = run(element, at);
    if (length < element.least) return false;
    // Where a text follows, its first character says where it cannot be.
    const bool text_follows =
        index + 1 < regex.elements_.size() && regex.elements_[index + 1].kind == Element::Kind::kText;
    const char follows = text_follows ? regex.elements_[index + 1].text.front() : '\0';
    for (;; --length) {
      const bool may = !text_follows || (at + length < text.size() && text[at + length] == follows);
      if (may && from(index + 1, at + length)) return true;
      if (length == element.least || steps == 0) return false;
    }
  }

  bool few_first(const Element& element, std::size_t index, std::size_t at) {
    for (std::size_t length = 0;; ++length) {
      if (length >= element.least && from(index + 1, at + length)) return true;
      if (steps == 0 || length >= element.most || at + length >= text.size() || !has(element, at + length))
        return false;
    }
  }
};

SequenceRegex::Found SequenceRegex::match(std::string_view text, std::span<std::string_view> groups) const {
  if (!is_ascii(text)) return Found::kAskOther;
  Attempt attempt{*this, text, groups, 1000 + kStepsOfByte * text.size()};
  for (std::size_t begin = 0; begin <= text.size(); ++begin) {
    if (lead_) {
      const auto next = lead_->find(text.substr(begin));
      if (next == std::string_view::npos) return Found::kNo;
      begin += next;
    }
    if (attempt.from(0, begin)) {
      if (!groups.empty()) groups[0] = text.substr(begin, attempt.end - begin);
      return Found::kYes;
    }
    if (attempt.steps == 0) return Found::kAskOther;
    if (from_begin_) break;
  }
  return Found::kNo;
}

}  // namespace securebase::logs::insights
