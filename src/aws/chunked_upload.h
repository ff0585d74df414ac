// aws-chunked bodies: pieces with their length in front, each with a signature or none, and checksums in a trailer.
//
//   10000;chunk-signature=<64 hex digits>\r\n <65536 bytes> \r\n
//   0;chunk-signature=<64 hex digits>\r\n
//   x-amz-checksum-crc32c:<base64>\r\n
//   x-amz-trailer-signature:<64 hex digits>\r\n
//   \r\n
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and sigv4-streaming-trailers.html
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aws/form.h"
#include "base/result.h"

namespace securebase::aws {

// Cuts the bytes as they come; gives the same events however they are cut.
class ChunkedUploadParser {
 public:
  enum class Event {
    kNeedMore,   // all taken
    kData,       // data(): a part of a chunk, views into the input
    kChunkEnds,  // chunk_signature() is of the chunk that ended, also of the last, empty one
    kEnds,       // trailers() are there; bytes after this are an error
  };
  // Takes from the front of `input`. After an error: no more calls.
  Result<Event> next(std::string_view& input);

  std::string_view data() const { return data_; }
  const std::string& chunk_signature() const { return signature_; }  // "" when it has none
  // Names in lower case. Without x-amz-trailer-signature, which stands in trailer_signature().
  const std::vector<Parameter>& trailers() const { return trailers_; }
  const std::string& trailer_signature() const { return trailer_signature_; }

 private:
  enum class State { kSizeLine, kData, kDataEnd, kTrailer, kDone };
  // True when a line is whole in line_.
  Result<bool> take_line(std::string_view& input);
  Result<Done> take_size_line();
  Result<Done> take_trailer_line();

  State state_ = State::kSizeLine;
  std::string line_;
  bool line_is_whole_ = false;
  std::uint64_t left_ = 0;  // of the chunk
  bool last_ = false;
  std::string_view data_;
  std::string signature_;
  std::vector<Parameter> trailers_;
  std::string trailer_signature_;
};

}  // namespace securebase::aws
