// The public models of the services, as the codecs walk them: which operations there are, the shapes of what they take
// and give, and where each member travels. Read once from the tables that compile_models.py made; constant afterwards,
// any thread, never destroyed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace securebase::aws {

enum class Type : std::uint8_t {
  kStructure,
  kList,
  kMap,
  kString,
  kBlob,
  kBoolean,
  kInteger,
  kLong,
  kFloat,
  kDouble,
  kTimestamp,
};
enum class Location : std::uint8_t { kBody, kUri, kQuery, kHeader, kPrefixHeaders, kStatus };
enum class TimeFormat : std::uint8_t { kByProtocol, kIso8601, kUnix, kHttpDate };
enum class Protocol : std::uint8_t { kQuery = 1, kJson = 2, kRestJson = 4, kRestXml = 8, kCbor = 16 };

struct Shape;

// A member of a structure; also what a list holds, and the key and the value of a map.
struct Member {
  std::string_view name;  // in a Value
  std::string_view wire;  // on the wire: of a header, a query parameter, an element, a JSON member
  const Shape* shape = nullptr;
  Location location = Location::kBody;
  TimeFormat time_format = TimeFormat::kByProtocol;
  bool required = false;
  bool flattened = false;
  bool xml_attribute = false;
  bool streaming = false;
  bool idempotency_token = false;
  bool json_value = false;     // JSON inside a text
  bool has_wire_name = false;  // `wire` was given, and is not just the name
  std::string_view xml_namespace;
  std::string_view xml_prefix;
};

struct Shape {
  std::string_view name;
  Type type = Type::kString;
  bool is_exception = false;
  bool flattened = false;
  bool sender_fault = true;
  bool event_stream = false;
  bool sensitive = false;  // not repeated in messages
  TimeFormat time_format = TimeFormat::kByProtocol;
  std::string_view wire;  // of its own, where the model gives one; else empty
  std::string_view xml_namespace;
  std::string_view xml_prefix;
  // Of a number its value, of a text its length, of a list or map its size. Empty pattern, empty enum: any.
  std::optional<double> min;
  std::optional<double> max;
  std::string_view pattern;      // as the model has it
  std::string_view re2_pattern;  // the same for RE2
  std::vector<std::string_view> enumeration;
  // Of exceptions: the code on the wire (empty: the name), and the status.
  std::string_view error_code;
  int error_status = 0;

  std::vector<Member> members;      // of a structure; of a list its one element; of a map key and value
  const Member* payload = nullptr;  // of a structure

  const Member& element() const { return members[0]; }
  const Member& key() const { return members[0]; }
  const Member& value() const { return members[1]; }
  const Member* find(std::string_view member) const;
  const Member* find_wire(std::string_view wire_name) const;  // among those of the body
};

// How a list comes in pages (paginators-1.json). Names are paths into the output: "DistributionList.Items".
struct Pages {
  std::vector<std::string_view> input_tokens;
  std::vector<std::string_view> output_tokens;
  std::string_view limit;
  std::vector<std::string_view> results;
  std::string_view more;
};

struct Operation {
  std::string_view name;
  std::string_view method;
  std::string_view uri;  // "/{Bucket}/{Key+}?acl"
  int status = 200;
  const Shape* input = nullptr;  // null: takes nothing
  std::string_view input_wire;   // the root element of the input
  std::string_view input_namespace;
  const Shape* output = nullptr;  // null: gives nothing
  std::string_view output_wire;
  std::string_view result_wrapper;
  bool is_unsigned = false;  // may come without a signature
  bool unwrapped_output = false;
  Pages pages;
};

struct Service {
  std::string_view name;          // "cloudwatch"
  std::string_view signing_name;  // "monitoring"
  std::string_view id;            // "CloudWatch"
  std::string_view version;       // "2010-08-01"
  std::string_view xml_namespace;
  std::vector<std::string_view> target_prefixes;  // "GraniteServiceVersion20100801"
  std::string_view json_version;
  std::string_view error_namespace;  // of shape ids: "com.amazonaws.cloudwatch"
  Protocol protocol = Protocol::kQuery;
  unsigned protocols = 0;  // all that it speaks, as bits
  std::vector<Shape> shapes;
  std::vector<Operation> operations;  // by name

  bool speaks(Protocol wanted) const { return (protocols & static_cast<unsigned>(wanted)) != 0; }
  const Operation* find(std::string_view operation) const;
  // The exception of that name or wire code; null when the model has none.
  const Shape* find_exception(std::string_view code) const;
};

const std::vector<Service>& services();
const Service* find_service(std::string_view name);

}  // namespace securebase::aws
