#include "aws/model.h"

#include <algorithm>
#include <charconv>

#include "aws/model_tables.h"
#include "base/check.h"

namespace securebase::aws {

namespace {

constexpr std::uint64_t kFormat = 1;

// Reads a table. Our own build made it: what does not fit is a broken build.
class TableReader {
 public:
  explicit TableReader(std::string_view table) : rest_(table) {
    check(number() == kFormat, "compile_models.py and model.cc are of the same version");
    texts_.resize(number());
    for (auto& text : texts_) {
      const auto size = number();
      text = rest_.substr(0, size);
      rest_.remove_prefix(size);
    }
  }

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      check(!rest_.empty() && shift < 63, "a model's table is whole");
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
  }
  std::string_view text() { return texts_.at(number()); }
  std::vector<std::string_view> texts() {
    std::vector<std::string_view> list(number());
    for (auto& one : list) one = text();
    return list;
  }
  std::optional<double> bound() {
    const auto digits = text();
    if (digits.empty()) return std::nullopt;
    double value = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    check(failure == std::errc{} && end == digits.data() + digits.size(), "a bound is a number");
    return value;
  }
  template <class Enum>
  Enum value() {
    return static_cast<Enum>(number());
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  std::vector<std::string_view> texts_;
};

Member read_member(TableReader& table, const std::vector<Shape>& shapes) {
  Member member;
  member.name = table.text();
  member.wire = table.text();
  member.shape = &shapes.at(table.number());
  member.location = table.value<Location>();
  member.time_format = table.value<TimeFormat>();
  const auto flags = table.number();
  member.required = flags & 1;
  member.flattened = flags & 2;
  member.xml_attribute = flags & 4;
  member.streaming = flags & 8;
  member.idempotency_token = flags & 16;
  member.json_value = flags & 32;
  member.has_wire_name = flags & 64;
  member.xml_namespace = table.text();
  member.xml_prefix = table.text();
  return member;
}

void read_shape(TableReader& table, Shape& shape, const std::vector<Shape>& shapes) {
  shape.name = table.text();
  shape.type = table.value<Type>();
  const auto flags = table.number();
  shape.is_exception = flags & 1;
  shape.flattened = flags & 2;
  shape.sender_fault = flags & 4;
  shape.event_stream = flags & 8;
  shape.sensitive = flags & 16;
  shape.time_format = table.value<TimeFormat>();
  shape.wire = table.text();
  shape.xml_namespace = table.text();
  shape.xml_prefix = table.text();
  shape.min = table.bound();
  shape.max = table.bound();
  shape.pattern = table.text();
  shape.re2_pattern = table.text();
  shape.enumeration = table.texts();
  shape.error_code = table.text();
  shape.error_status = static_cast<int>(table.number());
  const auto payload = table.number();
  const auto members = table.number();
  shape.members.reserve(members);
  for (std::uint64_t i = 0; i < members; ++i) shape.members.push_back(read_member(table, shapes));
  if (payload > 0) shape.payload = &shape.members.at(payload - 1);
}

void read_operation(TableReader& table, Operation& operation, const std::vector<Shape>& shapes) {
  const auto shape = [&]() -> const Shape* {
    const auto number = table.number();
    return number == 0 ? nullptr : &shapes.at(number - 1);
  };
  operation.name = table.text();
  operation.method = table.text();
  operation.uri = table.text();
  operation.status = static_cast<int>(table.number());
  operation.input = shape();
  operation.input_wire = table.text();
  operation.input_namespace = table.text();
  operation.output = shape();
  operation.output_wire = table.text();
  operation.result_wrapper = table.text();
  const auto flags = table.number();
  operation.is_unsigned = flags & 1;
  operation.unwrapped_output = flags & 2;
  operation.pages.input_tokens = table.texts();
  operation.pages.output_tokens = table.texts();
  operation.pages.limit = table.text();
  operation.pages.results = table.texts();
  operation.pages.more = table.text();
}

Service read_service(std::string_view bytes) {
  TableReader table(bytes);
  Service service;
  service.name = table.text();
  service.signing_name = table.text();
  service.id = table.text();
  service.version = table.text();
  service.xml_namespace = table.text();
  service.target_prefixes = table.texts();
  service.json_version = table.text();
  service.error_namespace = table.text();
  service.protocol = table.value<Protocol>();
  service.protocols = static_cast<unsigned>(table.number());
  // Shapes point at each other: their places are fixed before the first is read, and a vector keeps them when moved.
  service.shapes.resize(table.number());
  for (auto& shape : service.shapes) read_shape(table, shape, service.shapes);
  service.operations.resize(table.number());
  for (auto& operation : service.operations) read_operation(table, operation, service.shapes);
  check(table.at_end(), "a model's table ends where it should");
  return service;
}

std::vector<Service> read_services() {
  std::vector<Service> all;
  for (const auto table : model_tables()) all.push_back(read_service(table));
  return all;
}

}  // namespace

const Member* Shape::find(std::string_view member) const {
  for (const auto& one : members) {
    if (one.name == member) return &one;
  }
  return nullptr;
}

const Member* Shape::find_wire(std::string_view wire_name) const {
  for (const auto& one : members) {
    if (one.wire == wire_name && one.location == Location::kBody) return &one;
  }
  return nullptr;
}

const Operation* Service::find(std::string_view operation) const {
  const auto at = std::lower_bound(operations.begin(), operations.end(), operation,
                                   [](const Operation& one, std::string_view wanted) { return one.name < wanted; });
  return at != operations.end() && at->name == operation ? &*at : nullptr;
}

const Shape* Service::find_exception(std::string_view code) const {
  const Shape* by_code = nullptr;
  for (const auto& shape : shapes) {
    if (!shape.is_exception) continue;
    if (shape.name == code) return &shape;
    if (shape.error_code == code && !code.empty()) by_code = &shape;
  }
  return by_code;
}

const std::vector<Service>& services() {
  static const std::vector<Service> all = read_services();
  return all;
}

const Service* find_service(std::string_view name) {
  for (const auto& service : services()) {
    if (service.name == name) return &service;
  }
  return nullptr;
}

}  // namespace securebase::aws
