// What a request costs the server without the kernel: parsing a head, and putting an answer together.
#include <benchmark/benchmark.h>

#include "net/http/output.h"
#include "net/http/request_parser.h"

namespace securebase::http {
namespace {

constexpr std::string_view kRequest =
    "GET /assets/index-1a2b3c.js?v=1 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: a browser of some length/1.0\r\n"
    "Accept: */*\r\nAccept-Encoding: gzip, br\r\nCookie: session=0123456789abcdef\r\n\r\n";

void parse_a_head(benchmark::State& state) {
  RequestParser parser({});
  Request request;
  std::string memory(kRequest);
  for (auto _ : state) {
    parser.reset();
    benchmark::DoNotOptimize(parser.parse(memory, request));
  }
}
BENCHMARK(parse_a_head);

void queue_a_prepared_response(benchmark::State& state) {
  Headers headers;
  headers.add("Content-Type", "text/plain");
  const auto prepared = prepare(200, std::move(headers), std::string(1024, 'x'));
  Output output;
  Response response;
  for (auto _ : state) {
    response.headers.clear();
    response.headers.add("Age", "10");
    response.prepared = prepared;
    const ResponseFraming framing{.date_line = "Date: Tue, 24 Nov 2026 06:57:25 GMT\r\n"};
    benchmark::DoNotOptimize(add_head(output, response, framing));
    output.add_body_of(*prepared);
    output.hold(std::move(response.prepared));
    benchmark::DoNotOptimize(output.gather().data());
    output.clear();
  }
}
BENCHMARK(queue_a_prepared_response);

}  // namespace
}  // namespace securebase::http
