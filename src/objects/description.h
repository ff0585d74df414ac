// The file that describes an object: JSON, replaced as a whole. Format version 1.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "objects/objects.h"

namespace securebase::objects {

struct Description {
  ObjectInfo info;
  std::string blob;    // the name of the file with the bytes, in the bucket's blobs/
  std::string upload;  // the upload in parts that it came from: over, whatever a crash left of it
};

std::string to_text(const Description& description);
Result<Description> description_from(std::string_view text);

// Of an unfinished upload: upload.json, without its parts.
std::string to_text(const UploadInfo& upload);
Result<UploadInfo> upload_from(std::string_view text, std::string id);

// bucket.json.
std::string to_text(const Bucket& bucket);
Result<Bucket> bucket_from(std::string_view text, std::string name);

}  // namespace securebase::objects
