// A file with every sample, as `k6 run --out json=FILE` and `--out csv=FILE` write it. Any thread.
#pragma once

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "k6/metrics.h"

namespace securebase::k6 {

class SampleFile {
 public:
  enum class Format { kJson, kCsv };

  // `output` as the flag has it: json, json=FILE, csv=FILE; without a file, or with -, standard output.
  static Result<std::unique_ptr<SampleFile>> open(std::string_view output);
  ~SampleFile();

  void write(const Metrics::Metric& metric, double value, const SampleTags& tags);

 private:
  SampleFile(Format format, std::FILE* file) : format_(format), file_(file) {}
  void write_json(const Metrics::Metric& metric, double value, const SampleTags& tags);
  void write_csv(const Metrics::Metric& metric, double value, const SampleTags& tags);

  const Format format_;
  std::mutex mutex_;
  std::FILE* const file_;        // guarded by mutex_
  std::vector<bool> described_;  // by index of series: a line of JSON says once what a metric is; guarded by mutex_
};

// As k6 writes it: "time".
std::string_view to_string(Contains contains);

}  // namespace securebase::k6
