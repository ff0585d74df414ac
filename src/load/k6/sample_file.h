// A file with every sample, as `k6 run --out json=FILE` and `--out csv=FILE` write it. Any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "k6/metrics.h"
#include "k6/system_tags.h"

struct gzFile_s;  // zlib's

namespace securebase::k6 {

class SampleFile {
 public:
  enum class Format { kJson, kCsv };

  // `output` as the flag has it: json=FILE, csv=FILE, csv=fileName=FILE,timeFormat=rfc3339; without a file, or with -,
  // standard output; a file that ends in .gz is compressed. `tags` says which of the system's are written.
  static Result<std::unique_ptr<SampleFile>> open(std::string_view output, const SystemTags& tags);
  ~SampleFile();

  // Nobody writes any more. An error: samples are missing in the file.
  Result<Done> finish();

  void write(const Metrics::Metric& metric, double value, const SampleTags& tags);

 private:
  enum class Time { kUnix, kUnixMilli, kUnixMicro, kUnixNano, kRfc3339, kRfc3339Nano };
  struct Output {
    Format format = Format::kJson;
    std::string path;  // "": standard output
    Time time = Time::kUnix;
  };
  SampleFile(Output output, SystemTags tags, gzFile_s* file)
      : output_(std::move(output)), tags_(std::move(tags)), columns_(tags_.columns()), file_(file) {}
  static Result<Output> output_from(std::string_view text);
  std::string time_text(base::TimePoint at) const;
  void put(const std::string& text);
  void write_json(const Metrics::Metric& metric, double value, const SampleTags& tags);
  void write_csv(const Metrics::Metric& metric, double value, const SampleTags& tags);

  const Output output_;
  const SystemTags tags_;
  const std::vector<std::string_view> columns_;
  std::mutex mutex_;
  gzFile_s* file_;               // guarded by mutex_, as the next two; null: finished
  bool complete_ = true;         // everything was taken so far
  std::vector<bool> described_;  // by index of series: a line of JSON says once what a metric is; guarded by mutex_
};

// As k6 writes it: "time".
std::string_view to_string(Contains contains);

}  // namespace securebase::k6
