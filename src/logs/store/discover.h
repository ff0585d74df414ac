// The fields that a log event has beside its text, found once, when it is stored (CloudWatch Logs user guide,
// "Supported logs and discovered fields"):
//
//   Lambda's lines     START, END, REPORT: @type @requestId @duration @billedDuration @initDuration @memorySize
//                      @maxMemoryUsed @xrayTraceId @xraySegmentId. Durations are milliseconds, memory is bytes. Lines
//                      of the runtimes' loggers, "[INFO]\t{time}\t{request id}\t...": @requestId
//   PostgreSQL's lines  "%t:%r:%u@%d:[%p]:LOG:  duration: 12.3 ms  statement: ...": user database pid level @duration
//                      statement
//   gateway's lines     "({request id}) Method completed with status: 200": @requestId status
//   JSON               the first object of a line, flattened: request.path, items.0.id. A member whose own name begins
//                      with @ gets another @.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace securebase::logs {

class FieldReceiver {
 public:
  virtual ~FieldReceiver() = default;
  // Names and texts live as long as the call.
  virtual void number(std::string_view name, double value) = 0;
  virtual void text(std::string_view name, std::string_view value) = 0;
};

class Discoverer {
 public:
  struct Limits {
    std::size_t fields = 256;          // of one event; CloudWatch stops at 200 of a group
    std::size_t name_bytes = 256;      // a flattened name that is longer is left out
    std::size_t levels = 20;           // of JSON
    std::size_t json_bytes = 1 << 20;  // a longer object is text only
  };
  Discoverer();
  explicit Discoverer(Limits limits);
  ~Discoverer();
  Discoverer(Discoverer&&) noexcept;
  Discoverer& operator=(Discoverer&&) noexcept;

  // Any bytes. One thread at a time.
  void discover(std::string_view message, FieldReceiver& into);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace securebase::logs
