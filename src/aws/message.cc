#include "aws/message.h"

#include <fmt/format.h>

#include <algorithm>

#include "aws/cbor.h"
#include "aws/json_codec.h"
#include "aws/query_codec.h"
#include "aws/rest_codec.h"
#include "aws/xml_codec.h"
#include "base/encoding.h"
#include "base/hash.h"
#include "base/random.h"

namespace securebase::aws {

namespace {

constexpr std::string_view kXmlProlog = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

bool has_body_members(const Shape& shape) {
  return std::any_of(shape.members.begin(), shape.members.end(),
                     [](const Member& member) { return member.location == Location::kBody; });
}

// --- inputs ---------------------------------------------------------------------------------------------------------

Result<Value, Complaint> decode_document(const Target& target, std::string_view body, const Shape& shape,
                                         std::string_view root) {
  return target.protocol == Protocol::kRestXml ? decode_xml(body, shape, root) : decode_json(body, shape);
}

Result<Value, Complaint> decode_rest(const Target& target, const http::Request& request, std::string_view body) {
  const Shape& shape = *target.operation->input;
  Value input = Value::structure();
  if (const Member* payload = shape.payload) {
    if (payload->streaming || body.empty()) {
      // The handler reads it, or there is none.
    } else if (payload->shape->type == Type::kBlob) {
      input.set(payload->name, Blob{std::string(body)});
    } else if (payload->shape->type == Type::kString) {
      input.set(payload->name, body);
    } else {
      auto value = decode_document(target, body, *payload->shape,
                                   payload->shape->wire.empty() ? payload->wire : payload->shape->wire);
      if (!value) return value;
      input.set(payload->name, std::move(*value));
    }
  } else if (!body.empty() && has_body_members(shape)) {
    auto value = decode_document(target, body, shape, target.operation->input_wire);
    if (!value) return value;
    input = std::move(*value);
  }
  if (auto taken = take_bound_members(input, target, request); !taken) return taken.error();
  return input;
}

// S3 keeps Content-Encoding with the object; aws-chunked was only about the way.
void drop_aws_chunked(Value& input) {
  const auto* encoding = input["ContentEncoding"].as_string();
  if (!encoding || encoding->find("aws-chunked") == std::string::npos) return;
  std::string rest;
  for (std::string_view text = *encoding; !text.empty();) {
    const auto end = std::min(text.find(','), text.size());
    auto one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.empty() || one == "aws-chunked") continue;
    if (!rest.empty()) rest += ", ";
    rest += one;
  }
  input.set("ContentEncoding", rest.empty() ? Value() : Value(rest));
}

// --- outputs --------------------------------------------------------------------------------------------------------

// A length without bytes: what HEAD says of a body that GET would have.
class NoBytes final : public http::BodyReader {
 public:
  net::Task<Result<std::string_view>> next() override { co_return std::string_view{}; }
};

void encode_query_output(const Target& target, const Value& output, std::string_view request_id,
                         http::Response& response) {
  const Operation& operation = *target.operation;
  std::string text = fmt::format("<{}Response xmlns=\"{}\">", operation.name, target.service->xml_namespace);
  if (operation.output) {
    const std::string wrapper = operation.result_wrapper.empty() ? fmt::format("{}Result", operation.name)
                                                                 : std::string(operation.result_wrapper);
    text += fmt::format("<{}>", wrapper);
    encode_xml_members(text, output, operation.output);
    text += fmt::format("</{}>", wrapper);
  }
  text += fmt::format("<ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{}Response>", request_id,
                      operation.name);
  response.headers.add("Content-Type", "text/xml");
  response.body = std::move(text);
}

// The namespace that documents of a service carry.
std::string_view document_namespace(const Service& service) {
  if (!service.xml_namespace.empty()) return service.xml_namespace;
  if (service.name == "s3") return "http://s3.amazonaws.com/doc/2006-03-01/";
  return service.name == "cloudfront" ? "http://cloudfront.amazonaws.com/doc/2020-05-31/" : "";
}

void encode_xml_output(const Target& target, const Value& output, http::Response& response) {
  const Operation& operation = *target.operation;
  const Shape& shape = *operation.output;
  std::string text(kXmlProlog);
  if (const Member* payload = shape.payload) {
    const auto* value = output.find(payload->name);
    if (!value) return;
    encode_xml(text, payload->shape->wire.empty() ? payload->wire : payload->shape->wire, *value, payload->shape,
               document_namespace(*target.service));
  } else if (!has_body_members(shape)) {
    return;
  } else if (operation.unwrapped_output) {
    // GetBucketLocation: the one member is the document.
    const auto& member = shape.members.front();
    encode_xml(text, member.wire, output[member.name].is_null() ? Value("") : output[member.name], member.shape,
               document_namespace(*target.service));
  } else {
    const std::string root =
        operation.output_wire.empty() ? fmt::format("{}Result", operation.name) : std::string(operation.output_wire);
    encode_xml(text, root, output, &shape, document_namespace(*target.service));
  }
  if (!response.headers.has("Content-Type")) response.headers.add("Content-Type", "application/xml");
  response.body = std::move(text);
}

void encode_json_output(const Value& output, const Shape& shape, http::Response& response) {
  std::string text;
  if (const Member* payload = shape.payload) {
    const auto* value = output.find(payload->name);
    if (!value) return;
    encode_json(text, *value, payload->shape);
  } else {
    encode_json(text, output, &shape);
  }
  if (!response.headers.has("Content-Type")) response.headers.add("Content-Type", "application/json");
  response.body = std::move(text);
}

// Bytes and text as they are. False: the output has no such payload.
bool put_raw_payload(const Value& output, const Shape& shape, http::Response& response) {
  const Member* payload = shape.payload;
  if (!payload || (payload->shape->type != Type::kBlob && payload->shape->type != Type::kString)) return false;
  if (auto* value = output.find(payload->name)) {
    if (const auto* blob = value->as_blob()) response.body = blob->bytes;
    if (const auto* text = value->as_string()) response.body = *text;
  }
  if (!response.headers.has("Content-Type")) {
    response.headers.add("Content-Type",
                         payload->shape->type == Type::kBlob ? "application/octet-stream" : "text/plain");
  }
  return true;
}

void encode_rest_output(const Target& target, Answer& answer, http::Method method, http::Response& response) {
  const Shape* shape = target.operation->output;
  if (!shape) return;
  if (const int status = put_bound_members(answer.output, *shape, response.headers); status != 0) {
    response.status = status;
  }
  const auto length = answer.output["ContentLength"].integer_or(-1);
  if (answer.payload.is_stream() || answer.payload.length().value_or(0) > 0) {
    response.body = std::move(answer.payload);
  } else if (method == http::Method::kHead && length > 0) {
    response.body = http::Body(std::make_unique<NoBytes>(), static_cast<std::uint64_t>(length));
  } else if (put_raw_payload(answer.output, *shape, response)) {
    return;
  } else if (target.protocol == Protocol::kRestXml) {
    encode_xml_output(target, answer.output, response);
  } else {
    encode_json_output(answer.output, *shape, response);
  }
}

void add_request_id(const Service* service, std::string_view request_id, http::Headers& headers) {
  if (service && service->name == "s3") {
    headers.set("x-amz-request-id", request_id);
    headers.set("x-amz-id-2", base::base64(base::sha256(request_id)));
  }
  headers.set("x-amzn-RequestId", request_id);
}

std::string json_content_type(const Service& service) {
  return fmt::format("application/x-amz-json-{}", service.json_version);
}

// --- faults ---------------------------------------------------------------------------------------------------------

struct FaultWords {
  const Shape* shape = nullptr;  // null: none that the model has
  std::string name;              // of the shape
  std::string code;              // of the query protocol and XML
  int status = 400;
  bool sender = true;
};

FaultWords words_of(const Service* service, const Fault& fault) {
  FaultWords words;
  words.shape = service ? service->find_exception(fault.code) : nullptr;
  words.name = words.shape ? std::string(words.shape->name) : fault.code;
  words.code = words.shape && !words.shape->error_code.empty() ? std::string(words.shape->error_code) : fault.code;
  words.status = fault.status != 0 ? fault.status : words.shape ? words.shape->error_status : 400;
  words.sender = words.status < 500;
  return words;
}

// The error's structure as JSON and CBOR have it.
Value fault_structure(const Service* service, const FaultWords& words, const Fault& fault) {
  const auto space = service ? service->error_namespace : std::string_view();
  Value value = Value::structure();
  value.set("__type", space.empty() ? words.name : fmt::format("{}#{}", space, words.name));
  const bool capital = words.shape && !words.shape->find("message") && words.shape->find("Message");
  value.set(capital ? "Message" : "message", fault.message);
  for (const auto& [name, member] : fault.members.members()) value.set(name, member);
  return value;
}

std::string xml_fault(const Service* service, const FaultWords& words, const Fault& fault,
                      std::string_view request_id) {
  const bool s3 = service && service->name == "s3";
  std::string inside;
  encode_xml(inside, "Code", words.code, nullptr);
  encode_xml(inside, "Message", fault.message, nullptr);
  encode_xml_members(inside, fault.members, words.shape);
  if (s3) {
    return fmt::format("{}<Error>{}<RequestId>{}</RequestId><HostId>{}</HostId></Error>", kXmlProlog, inside,
                       request_id, base::base64(base::sha256(request_id)));
  }
  const auto space = service ? document_namespace(*service) : std::string_view();
  return fmt::format("<ErrorResponse{}><Error><Type>{}</Type>{}</Error><RequestId>{}</RequestId></ErrorResponse>",
                     space.empty() ? "" : fmt::format(" xmlns=\"{}\"", space), words.sender ? "Sender" : "Receiver",
                     inside, request_id);
}

}  // namespace

Result<Value, Complaint> decode_input(Target& target, const http::Request& request, std::string_view body) {
  const Shape* shape = target.operation->input;
  if (!shape) return Value::structure();
  auto input = [&]() -> Result<Value, Complaint> {
    switch (target.protocol) {
      case Protocol::kQuery:
        std::erase_if(target.form, [](const Parameter& one) { return one.name == "Action" || one.name == "Version"; });
        return decode_query(std::move(target.form), *shape);
      case Protocol::kJson:
        return decode_json(body, *shape);
      case Protocol::kCbor:
        return decode_cbor(body, *shape);
      case Protocol::kRestJson:
      case Protocol::kRestXml:
        break;
    }
    return decode_rest(target, request, body);
  }();
  if (!input) return input;
  for (const auto& member : shape->members) {
    if (member.idempotency_token && !input->find(member.name)) input->set(member.name, base::random_uuid());
  }
  if (target.service->name == "s3") drop_aws_chunked(*input);
  return input;
}

http::Response encode_output(const Target& target, Answer answer, std::string_view request_id, http::Method method) {
  http::Response response;
  response.status = target.operation->status;
  if (answer.output.is_null()) answer.output = Value::structure();
  switch (target.protocol) {
    case Protocol::kQuery:
      encode_query_output(target, answer.output, request_id, response);
      break;
    case Protocol::kJson: {
      response.headers.add("Content-Type", json_content_type(*target.service));
      if (!target.operation->output) break;
      std::string text;
      encode_json(text, answer.output, target.operation->output);
      response.body = std::move(text);
      break;
    }
    case Protocol::kCbor: {
      response.headers.add("smithy-protocol", "rpc-v2-cbor");
      if (!target.operation->output) break;
      std::string bytes;
      encode_cbor(bytes, answer.output, target.operation->output);
      response.headers.add("Content-Type", "application/cbor");
      response.body = std::move(bytes);
      break;
    }
    case Protocol::kRestJson:
    case Protocol::kRestXml:
      encode_rest_output(target, answer, method, response);
      break;
  }
  for (const auto& field : answer.headers.fields()) response.headers.set(field.name, field.value);
  if (answer.status != 0) response.status = answer.status;
  if (response.status == 204 || response.status == 304) response.body = http::Body();
  add_request_id(target.service, request_id, response.headers);
  return response;
}

http::Response encode_fault(const Target& target, const Fault& fault, std::string_view request_id,
                            http::Method method) {
  http::Response response;
  const auto* service = target.service;
  const auto words = words_of(service, fault);
  response.status = words.status;
  add_request_id(service, request_id, response.headers);
  const bool json = target.protocol == Protocol::kJson || target.protocol == Protocol::kRestJson;
  if (target.query_compatible) {
    response.headers.add("x-amzn-query-error", fmt::format("{};{}", words.code, words.sender ? "Sender" : "Receiver"));
  }
  if (json) {
    response.headers.add("x-amzn-errortype", words.name);
    std::string text;
    encode_json(text, fault_structure(service, words, fault), words.shape);
    response.headers.add("Content-Type", target.protocol == Protocol::kJson && service ? json_content_type(*service)
                                                                                       : "application/json");
    response.body = std::move(text);
  } else if (target.protocol == Protocol::kCbor) {
    response.headers.add("smithy-protocol", "rpc-v2-cbor");
    response.headers.add("Content-Type", "application/cbor");
    std::string bytes;
    encode_cbor(bytes, fault_structure(service, words, fault), words.shape);
    response.body = std::move(bytes);
  } else if (method != http::Method::kHead && response.status != 304) {
    response.headers.add("Content-Type", target.protocol == Protocol::kQuery ? "text/xml" : "application/xml");
    response.body = xml_fault(service, words, fault, request_id);
  }
  return response;
}

}  // namespace securebase::aws
