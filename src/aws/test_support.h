// What the tests and benchmarks of the room have in common: requests without a network, and a caller who signs them.
#pragma once

#include <algorithm>
#include <cctype>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "aws/authorization.h"
#include "aws/aws.h"
#include "aws/form.h"
#include "aws/sigv4.h"
#include "aws/timestamps.h"
#include "base/encoding.h"
#include "base/hash.h"
#include "net/worker.h"

namespace securebase::aws {

// A body that comes in pieces of one size.
class PiecedBody final : public http::BodyReader {
 public:
  PiecedBody(std::string bytes, std::size_t piece) : bytes_(std::move(bytes)), rest_(bytes_), piece_(piece) {}
  net::Task<Result<std::string_view>> next() override {
    const auto piece = rest_.substr(0, piece_);
    rest_.remove_prefix(piece.size());
    co_return piece;
  }

 private:
  const std::string bytes_;
  std::string_view rest_;
  const std::size_t piece_;
};

struct TestRequest {
  TestRequest(std::string method, std::string target) : texts{std::move(method), std::move(target)} {
    request.method_name = texts.front();
    request.method = http::method_from(request.method_name);
    request.target = texts.back();
    const auto question = std::min(request.target.find('?'), request.target.size());
    request.path = request.target.substr(0, question);
    request.query = request.target.substr(std::min(question + 1, request.target.size()));
  }
  void header(std::string_view name, std::string_view value) {
    request.headers.add(name, value);
    if (name == "Host") request.authority = texts.emplace_back(value);
  }
  void body(std::string bytes, std::size_t piece = 1 << 20) {
    request.content_length = bytes.size();
    reader = std::make_unique<PiecedBody>(std::move(bytes), piece);
    request.body = reader.get();
  }

  std::list<std::string> texts;
  std::unique_ptr<PiecedBody> reader;
  http::Request request;
};

constexpr std::string_view kTestKey = "AKIDEXAMPLE";
constexpr std::string_view kTestSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

class TestIdentities final : public Identities {
 public:
  std::optional<Found> find(std::string_view access_key_id) const override {
    if (access_key_id != kTestKey) return std::nullopt;
    return Found{{std::string(kTestKey), "123456789012", "arn:aws:iam::123456789012:root", "123456789012"},
                 std::string(kTestSecret),
                 "",
                 std::nullopt};
  }
};

// Signs by header: host, x-amz-date and what else is there.
inline void sign_request(TestRequest& request, std::string_view service, std::string_view payload_hash,
                         base::TimePoint now) {
  request.header("X-Amz-Date", format_compact_time(now));
  Authorization authorization;
  authorization.access_key_id = kTestKey;
  authorization.time = format_compact_time(now);
  authorization.date = authorization.time.substr(0, 8);
  authorization.region = "us-east-1";
  authorization.service = service;
  std::string names;
  for (const auto& field : request.request.headers.fields()) {
    std::string name(field.name);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    names += (names.empty() ? "" : ";") + name;
    authorization.signed_headers.push_back(std::move(name));
  }
  auto query = parse_form(request.request.query);
  const auto canonical = canonical_request(request.request, *query, authorization, payload_hash,
                                           service == "s3" ? PathForm::kS3 : PathForm::kOthers);
  const auto key = signing_key(kTestSecret, authorization.date, authorization.region, authorization.service);
  request.header("Authorization", "AWS4-HMAC-SHA256 Credential=" + std::string(kTestKey) + "/" + authorization.scope() +
                                      ", SignedHeaders=" + names +
                                      ", Signature=" + sign(key, string_to_sign(authorization, canonical)));
}

template <class T>
net::Task<void> keep_answer(net::Task<T> task, std::optional<T>& answer) {
  answer.emplace(co_await std::move(task));
}

// Runs a task to its end on a worker of its own.
template <class T>
T run(net::Task<T> task) {
  net::Worker worker(0);
  std::optional<T> answer;
  worker.run_until_done(keep_answer(std::move(task), answer));
  return std::move(*answer);
}

}  // namespace securebase::aws
