#include "net/http/output.h"

#include <fmt/format.h>

#include <charconv>

#include "base/check.h"
#include "net/http/syntax.h"

namespace securebase::http {

void Output::add_copy(std::string_view text) {
  check(!last_in_, "nothing follows a file within a write");
  const std::size_t offset = scratch_.size();
  scratch_.append(text);
  bytes_ += text.size();
  if (!pieces_.empty() && !pieces_.back().view) {  // then it ends where this begins
    pieces_.back().length += text.size();
  } else {
    pieces_.push_back({nullptr, offset, text.size()});
  }
}

void Output::add_view(std::string_view text) {
  constexpr std::size_t kCopiedUpTo = 256;  // a copy of that much is cheaper than one more piece for the kernel
  if (text.empty()) return;
  if (text.size() <= kCopiedUpTo) return add_copy(text);
  check(!last_in_, "nothing follows a file within a write");
  bytes_ += text.size();
  pieces_.push_back({text.data(), 0, text.size()});
}

void Output::add_body(Body body) {
  if (body.bytes().empty()) return;
  bodies_.push_back(std::move(body));
  add_bytes(bodies_.back().bytes(), bodies_.back().file());
}

void Output::add_body_of(const PreparedResponse& prepared) { add_bytes(prepared.body, prepared.body.file()); }

void Output::add_bytes(std::string_view bytes, net::FilePlace file) {
  add_view(bytes);
  // A part of a file may be too small for it.
  if (bytes.size() >= SharedBytes::kLeastInFile) last_in_ = file;
}

std::span<iovec> Output::gather() {
  gathered_.clear();
  for (const auto& piece : pieces_) {
    const char* start = piece.view ? piece.view : scratch_.data() + piece.offset;
    gathered_.push_back({const_cast<char*>(start), piece.length});
  }
  return gathered_;
}

void Output::clear() {
  scratch_.clear();
  pieces_.clear();
  prepared_.clear();
  bodies_.clear();
  bytes_ = 0;
  last_in_ = {};
}

namespace {

bool are_well_formed(const Headers& headers) {
  for (const auto& field : headers.fields()) {
    if (!is_token(field.name) || !is_field_value(field.value)) return false;
  }
  return true;
}

void add_field(Output& output, std::string_view name, std::string_view value) {
  output.add_copy(name);
  output.add_copy(": ");
  output.add_copy(value);
  output.add_copy("\r\n");
}

void add_number_field(Output& output, std::string_view name, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  add_field(output, name, {digits, static_cast<std::size_t>(end - digits)});
}

void add_status_line(Output& output, int status) {
  if (status == 200) return output.add_copy("HTTP/1.1 200 OK\r\n");
  output.add_copy(fmt::format("HTTP/1.1 {} {}\r\n", status, reason_phrase(status)));
}

}  // namespace

std::optional<BodyFraming> add_head(Output& output, const Response& response, const ResponseFraming& framing) {
  const auto* prepared = response.prepared.get();
  const int status = prepared ? prepared->status : response.status;
  if (status < 200 || status > 599 || !are_well_formed(response.headers)) return std::nullopt;

  const bool bodiless = status == 204 || status == 304;
  auto body = framing.head_only || bodiless ? BodyFraming::kNone : BodyFraming::kWhole;
  if (prepared) {
    output.add_view(prepared->head);
  } else {
    add_status_line(output, status);
  }
  bool dated = false;
  for (const auto& field : response.headers.fields()) {
    if (is_framing(field.name)) continue;
    if (field.name.size() == 4 && equal_ignoring_case(field.name, "Date")) dated = true;
    add_field(output, field.name, field.value);
  }
  bool close = framing.close;
  if (!prepared && !bodiless) {
    const auto length = response.body.length();
    if (length) {
      add_number_field(output, "Content-Length", *length);
      if (body != BodyFraming::kNone && response.body.is_stream()) body = BodyFraming::kLength;
    } else if (framing.may_chunk) {
      output.add_copy("Transfer-Encoding: chunked\r\n");
      if (body != BodyFraming::kNone) body = BodyFraming::kChunked;
    } else if (body != BodyFraming::kNone) {
      body = BodyFraming::kUntilClose;
      close = true;
    }
  }
  if (!dated) output.add_copy(framing.date_line);
  if (close) {
    output.add_copy("Connection: close\r\n");
  } else if (framing.keep_alive) {
    output.add_copy("Connection: keep-alive\r\n");
  }
  output.add_copy("\r\n");
  return body;
}

}  // namespace securebase::http
