#include "aws/constraints.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "aws/scalar.h"

namespace securebase::aws {

namespace {

constexpr std::size_t kMaxComplaints = 10;

bool checks_bounds(const Service& service) {
  static constexpr std::string_view kOwnWords[] = {"s3", "cloudfront", "apigateway", "rds", "elasticache", "sns"};
  return std::find(std::begin(kOwnWords), std::end(kOwnWords), service.name) == std::end(kOwnWords);
}

// AWS counts characters, not bytes.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

class Constraints::Walk {
 public:
  Walk(const Constraints& constraints, bool bounds) : constraints_(constraints), bounds_(bounds) {}

  void visit(const Value& value, const Shape& shape) {
    if (complaints.size() >= kMaxComplaints) return;
    switch (shape.type) {
      case Type::kStructure:
        structure(value, shape);
        return;
      case Type::kList: {
        if (bounds_) size(value.elements().size(), shape);
        std::size_t index = 0;
        for (const auto& element : value.elements()) step(fmt::format("{}", ++index), element, *shape.element().shape);
        return;
      }
      case Type::kMap:
        if (bounds_) size(value.members().size(), shape);
        for (const auto& [key, held] : value.members()) step(key, held, *shape.value().shape);
        return;
      case Type::kString:
        if (bounds_) text(value.string_or(""), shape);
        return;
      case Type::kBlob:
        if (const auto* blob = value.as_blob(); blob && bounds_) length(blob->bytes.size(), shape, {});
        return;
      case Type::kInteger:
      case Type::kLong:
      case Type::kFloat:
      case Type::kDouble:
        if (bounds_) number(value, shape);
        return;
      case Type::kBoolean:
      case Type::kTimestamp:
        return;
    }
  }

  std::vector<Complaint> complaints;

 private:
  void structure(const Value& value, const Shape& shape) {
    for (const auto& member : shape.members) {
      const auto* held = value.find(member.name);
      if (held && !held->is_null()) {
        step(member.name, *held, *member.shape);
      } else if (member.required && !member.streaming && !member.idempotency_token) {
        const auto mark = enter(member.name);
        complain(Complaint::Kind::kMissing, "Member must not be null", {});
        path_.resize(mark);
      }
    }
  }

  void step(std::string_view name, const Value& value, const Shape& shape) {
    const auto mark = enter(name);
    if (!value.is_null()) visit(value, shape);
    path_.resize(mark);
  }

  void text(std::string_view text, const Shape& shape) {
    length(characters(text), shape, text);
    if (!shape.enumeration.empty() &&
        std::find(shape.enumeration.begin(), shape.enumeration.end(), text) == shape.enumeration.end()) {
      complain(Complaint::Kind::kInvalid,
               fmt::format("Member must satisfy enum value set: [{}]", fmt::join(shape.enumeration, ", ")),
               shown(text, shape));
    }
    if (shape.pattern.empty()) return;
    const auto* pattern = constraints_.pattern_of(shape);
    if (pattern && !re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *pattern)) {
      complain(Complaint::Kind::kInvalid,
               fmt::format("Member must satisfy regular expression pattern: {}", shape.pattern), shown(text, shape));
    }
  }

  void length(std::size_t length, const Shape& shape, std::string_view text) {
    const auto value = static_cast<double>(length);
    if (shape.min && value < *shape.min) {
      complain(Complaint::Kind::kInvalid,
               fmt::format("Member must have length greater than or equal to {}", *shape.min), shown(text, shape));
    }
    if (shape.max && value > *shape.max) {
      complain(Complaint::Kind::kInvalid,
               fmt::format("Member must have length less than or equal to {:.0f}", *shape.max), shown(text, shape));
    }
  }

  void size(std::size_t size, const Shape& shape) { length(size, shape, {}); }

  void number(const Value& value, const Shape& shape) {
    const double number = value.number_or(0);
    std::string shown;
    if ((shape.min && number < *shape.min) || (shape.max && number > *shape.max)) {
      append_scalar(shown, value, TimeFormat::kUnix);
    }
    if (shape.min && number < *shape.min) {
      complain(Complaint::Kind::kInvalid, fmt::format("Member must have value greater than or equal to {}", *shape.min),
               shown);
    }
    if (shape.max && number > *shape.max) {
      complain(Complaint::Kind::kInvalid, fmt::format("Member must have value less than or equal to {}", *shape.max),
               shown);
    }
  }

  static std::string shown(std::string_view text, const Shape& shape) {
    return shape.sensitive ? std::string() : std::string(text.substr(0, 200));
  }

  void complain(Complaint::Kind kind, std::string message, std::string value) {
    if (complaints.size() < kMaxComplaints) complaints.push_back({kind, path_, std::move(message), std::move(value)});
  }

  std::size_t enter(std::string_view name) {
    const auto mark = path_.size();
    if (mark > 0) path_ += '.';
    path_ += name;
    return mark;
  }

  const Constraints& constraints_;
  const bool bounds_;
  std::string path_;
};

Constraints::Constraints() = default;
Constraints::~Constraints() = default;

std::vector<Complaint> Constraints::check(const Value& input, const Shape& shape, const Service& service) const {
  Walk walk(*this, checks_bounds(service));
  walk.visit(input, shape);
  return std::move(walk.complaints);
}

const re2::RE2* Constraints::pattern_of(const Shape& shape) const {
  const std::lock_guard lock(mutex_);
  auto& pattern = patterns_[&shape];
  if (!pattern) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    options.set_max_mem(1 << 20);
    pattern = std::make_unique<re2::RE2>(re2::StringPiece(shape.re2_pattern.data(), shape.re2_pattern.size()), options);
  }
  return pattern->ok() ? pattern.get() : nullptr;
}

}  // namespace securebase::aws
