// Virtual users of the native scenarios: requests that were made before the run, sent once per arrival (open model) or
// again and again (closed model).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "load/engine/session.h"
#include "load/scenarios/http_measures.h"

namespace securebase::load {

struct HttpStep {
  Request request;
  double weight = 1;     // how often it is drawn
  std::string endpoint;  // the tag of its measures; empty: none
};

struct HttpWork {
  std::vector<HttpStep> steps;       // at least one
  bool loop = false;                 // until the run ends
  std::chrono::nanoseconds think{};  // between two requests of a user
};

class HttpFlow final : public Flow {
 public:
  // `work` and `collector` outlive it. `seed` makes the draw the same in every run.
  HttpFlow(const HttpWork& work, Collector& collector, std::uint64_t seed);
  net::Task<void> walk(Session& session) override;
  void skipped(const Arrival&) override {}

 private:
  std::size_t draw();

  const HttpWork& work_;
  std::vector<HttpMeasures> measures_;  // by step
  std::vector<double> up_to_;           // weights added up
  std::uint64_t random_;
};

}  // namespace securebase::load
