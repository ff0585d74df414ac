// Buckets: ListBuckets, CreateBucket, DeleteBucket, HeadBucket, GetBucketLocation.
#include <fmt/format.h>

#include "objects/s3.h"

namespace securebase::objects::s3 {

using aws::Answer;
using aws::Call;
using aws::Fault;
using aws::Outcome;
using aws::Value;

namespace {

constexpr std::string_view kFirstRegion = "us-east-1";

std::string region_of(const Bucket& bucket, const Call& call) {
  return bucket.region.empty() ? std::string(call.region) : bucket.region;
}

Outcome list_buckets(Objects& objects, const Call& call) {
  Value::List found;
  for (const auto& bucket : objects.list_buckets()) {
    found.push_back(Value::structure({{"Name", bucket.name}, {"CreationDate", bucket.created}}));
  }
  return Answer(Value::structure({{"Buckets", std::move(found)}, {"Owner", owner(call)}}));
}

Outcome create_bucket(Objects& objects, const Call& call) {
  const std::string name(call.input["Bucket"].string_or(""));
  if (auto valid = check_bucket_name(name); !valid) {
    return Fault{"InvalidBucketName", "The specified bucket is not valid: " + valid.error().message, 400,
                 Value::structure({{"BucketName", name}})};
  }
  if (auto refused = refuse_settings(call.input)) return *refused;
  if (call.input["ObjectLockEnabledForBucket"].bool_or(false)) return not_implemented("Object lock");
  const auto constraint = call.input["CreateBucketConfiguration"]["LocationConstraint"].string_or("");
  if (constraint == kFirstRegion) {
    return Fault{"InvalidLocationConstraint", "The specified location-constraint is not valid", 400,
                 Value::structure({{"LocationConstraint", constraint}})};
  }
  auto made = objects.create_bucket(name, constraint.empty() ? kFirstRegion : constraint);
  if (!made && made.error().code == Errc::kConflict) {
    return Fault{"BucketAlreadyOwnedByYou",
                 "Your previous request to create the named bucket succeeded and you already own it.", 409,
                 Value::structure({{"BucketName", name}})};
  }
  if (!made) return fault_of(objects, name, {}, made.error());
  return Answer(Value::structure({{"Location", "/" + name}}));
}

Outcome delete_bucket(Objects& objects, const Call& call) {
  const std::string name(call.input["Bucket"].string_or(""));
  auto gone = objects.delete_bucket(name);
  if (!gone && gone.error().code == Errc::kConflict) {
    return Fault{"BucketNotEmpty", "The bucket you tried to delete is not empty", 409,
                 Value::structure({{"BucketName", name}})};
  }
  if (!gone) return fault_of(objects, name, {}, gone.error());
  return Answer();
}

Outcome head_bucket(Objects& objects, const Call& call) {
  const auto name = call.input["Bucket"].string_or("");
  const auto bucket = objects.bucket(name);
  if (!bucket) return no_such_bucket(name);
  Answer answer;
  answer.headers.add("x-amz-bucket-region", region_of(*bucket, call));
  return answer;
}

Outcome get_location(Objects& objects, const Call& call) {
  const auto name = call.input["Bucket"].string_or("");
  const auto bucket = objects.bucket(name);
  if (!bucket) return no_such_bucket(name);
  // The first region has no name here, for it is older than regions.
  const auto region = region_of(*bucket, call);
  if (region == kFirstRegion) return Answer(Value::structure());
  return Answer(Value::structure({{"LocationConstraint", region}}));
}

}  // namespace

void add_buckets(aws::Operations& operations, const Room& room) {
  auto& objects = room.objects;
  operations.add("s3", "ListBuckets", [&objects](const Call& call) { return list_buckets(objects, call); });
  operations.add("s3", "CreateBucket", [&objects](const Call& call) { return create_bucket(objects, call); });
  operations.add("s3", "DeleteBucket", [&objects](const Call& call) { return delete_bucket(objects, call); });
  operations.add("s3", "HeadBucket", [&objects](const Call& call) { return head_bucket(objects, call); });
  operations.add("s3", "GetBucketLocation", [&objects](const Call& call) { return get_location(objects, call); });
}

}  // namespace securebase::objects::s3
