#include "objects/s3.h"

namespace securebase::objects {

void add_operations(aws::Operations& operations, Objects& objects, net::Pool& pool) {
  const s3::Room room{objects, pool};
  s3::add_buckets(operations, room);
  s3::add_lists(operations, room);
  s3::add_objects(operations, room);
  s3::add_uploads(operations, room);
  s3::add_tags(operations, room);
}

}  // namespace securebase::objects
