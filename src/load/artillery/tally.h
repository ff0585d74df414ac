// What the users of one worker count and measure, under Artillery's names: every series is looked up once.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "load/artillery/script.h"
#include "load/engine/exchange.h"
#include "load/measure/collector.h"
#include "load/measure/recorder.h"

namespace securebase::load::artillery {

class Tally {
 public:
  // All outlive it.
  Tally(Collector& collector, Recorder& recorder, const Config& config, const std::vector<Scenario>& scenarios);

  // An endpoint's series; found by its name, kept by whoever asks.
  struct Endpoint {
    std::string name;  // empty: it is not kept
    Series time;
    std::vector<std::pair<int, Series>> codes;
    std::array<std::optional<Series>, kFailures> failures;
    std::optional<Series> server_timing;
  };
  Endpoint endpoint(std::string name);

  void user_began(std::size_t scenario);
  void user_ended(bool completed, std::chrono::nanoseconds length);
  void user_skipped();
  void request_sent();
  // `intended`: when the schedule, or the script, wanted it to begin.
  void answered(const Answer& answer, base::SteadyPoint intended);
  void endpoint_answered(Endpoint& endpoint, const Answer& answer);
  void endpoint_failed(Endpoint& endpoint, Failure failure);
  void expectation(bool ok, const std::string& type);
  void error(std::string_view name);

  void count(std::string_view name, double value) { add(Kind::kCounter, name, value); }
  void measure(std::string_view name, double value) { add(Kind::kTrend, name, value); }
  void rate(std::string_view name) { add(Kind::kRate, name, 1); }

 private:
  void add(Kind kind, std::string_view name, double value);
  Series series(Kind kind, std::string_view name);
  Series code(int status);

  Collector& collector_;
  Recorder& recorder_;
  const Config& config_;
  std::map<std::string, Series, std::less<>> others_[4];  // by kind; before what is looked up in it
  Series requests_, responses_, downloaded_, response_time_, total_time_, from_schedule_;
  Series created_, completed_, failed_, session_length_;
  std::array<std::optional<Series>, 6> classes_;  // by hundreds
  std::array<std::optional<Series>, 600> codes_;
  std::vector<Series> created_by_name_;
};

}  // namespace securebase::load::artillery
