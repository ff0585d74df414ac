// PutMetricData, read in one pass into what the store takes: as current SDKs send it (Smithy RPC v2, CBOR), as current
// botocore and AWS CLI do (json 1.0), and as older ones (the query protocol's form). It takes what is plain and valid;
// all else (statistic sets, indefinite lengths, members that it does not know, anything that is wrong) goes the way of
// every operation, through the service's model, which finds the words for what is wrong.
#pragma once

#include <optional>
#include <string_view>

#include "aws/aws.h"
#include "monitoring/metrics/store.h"

namespace securebase::monitoring {

// `now` is the time of data that have none. Data whose spelling is known have their series, others a key. nullopt: not
// plain, or not valid. Times outside of the store's window are not valid; the rest of what it asks of a batch holds.
// Spellings in the batch are views into the request.
std::optional<PutBatch> read_cbor_put(std::string_view cbor, base::TimePoint now, const KnownSeries& known);
std::optional<PutBatch> read_json_put(std::string_view json, base::TimePoint now, const KnownSeries& known);
// The whole form, Action and Version too.
std::optional<PutBatch> read_form_put(std::string_view form, base::TimePoint now, const KnownSeries& known);

// Reads with `read`, puts it, and learns how its series are spelled. On the pool. nullopt: nothing was put, as above.
using ReadPut = std::optional<PutBatch> (*)(std::string_view body, base::TimePoint now, const KnownSeries& known);
std::optional<aws::Outcome> quick_put(Store& store, ReadPut read, std::string_view body, base::TimePoint now);

}  // namespace securebase::monitoring
