// What the tests of traces share: spans as hops record them, and a directory that goes.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/random.h"
#include "telemetry/span.h"
#include "traces/record/record.h"

namespace securebase::traces {

using namespace std::chrono_literals;

class TestDirectory {
 public:
  TestDirectory() : path_(std::filesystem::temp_directory_path() / ("traces-test-" + base::random_hex(12))) {}
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  const std::filesystem::path path_;
};

// A hop from `from` to `to` after a fixed moment.
inline telemetry::Span hop(telemetry::Hop kind, std::uint64_t id, std::uint64_t parent, std::chrono::nanoseconds from,
                           std::chrono::nanoseconds to, std::uint64_t trace = 1) {
  const base::SteadyPoint zero{std::chrono::hours{10}};
  telemetry::Span span;
  span.trace_high = std::uint64_t{1'700'000'000} << 32;
  span.trace_low = trace;
  span.id = id;
  span.parent = parent;
  span.hop = kind;
  span.entry = parent == 0;
  span.begin = zero + from;
  span.end = zero + to;
  span.status = 200;
  span.method = "GET";
  span.name.assign(kind == telemetry::Hop::kEdge ? "d1.cloudfront.net" : "securebase-api/prod");
  return span;
}

// GET /v1/customers/{id}: 10 ms at the edge, of which the gateway has 9, the function's call 8, the handler 5.
inline std::vector<telemetry::Span> cold_request(std::uint64_t trace = 1) {
  using H = telemetry::Hop;
  std::vector<telemetry::Span> spans{
      hop(H::kInit, 15, 13, -1ms, 4ms, trace),          hop(H::kFunction, 14, 13, 4ms, 9ms, trace),
      hop(H::kInvoke, 13, 12, 1ms, 9ms, trace),         hop(H::kGateway, 12, 11, 500us, 9500us, trace),
      hop(H::kOriginApi, 11, 10, 400us, 9600us, trace), hop(H::kEdge, 10, 0, 0ms, 10ms, trace)};
  spans[0].name.assign("customers");
  spans[1].name.assign("customers");
  spans[1].cold = true;
  spans[2].name.assign("customers");
  spans[3].route.assign("/v1/customers/{id}");
  spans[5].route.assign("/v1/customers/{id}");
  spans[5].subject.assign("/v1/customers/42");
  return spans;
}

}  // namespace securebase::traces
