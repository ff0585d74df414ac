// PutMetricData as current SDKs send it (Smithy RPC v2, CBOR), read in one pass into what the store takes. It takes
// what is plain and valid; all else (statistic sets, indefinite lengths, members that it does not know, anything that
// is wrong) goes the way of every operation, through the service's model, which finds the words for what is wrong.
#pragma once

#include <optional>
#include <string_view>

#include "monitoring/metrics/put_batch.h"

namespace securebase::monitoring {

// `now` is the time of data that have none. nullopt: not plain, or not valid. Times outside of the store's window are
// not valid; the rest of what it asks of a batch holds.
std::optional<PutBatch> read_put_metric_data(std::string_view cbor, base::TimePoint now);

}  // namespace securebase::monitoring
