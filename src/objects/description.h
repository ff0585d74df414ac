// The file that describes an object: JSON, replaced as a whole. Format version 1.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "objects/objects.h"

namespace securebase::objects {

struct Description {
  ObjectInfo info;
  std::string blob;  // the name of the file with the bytes, in the bucket's blobs/
};

std::string to_text(const Description& description);
Result<Description> description_from(std::string_view text);

}  // namespace securebase::objects
