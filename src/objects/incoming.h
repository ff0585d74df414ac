// Bytes on their way into a bucket: a file that nothing names yet, and their digests. What is not kept is unlinked when
// this goes; what a crash leaves behind is dropped by the next open(). Blocking; one thread at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "objects/digests.h"
#include "objects/objects.h"

namespace securebase::objects {

class Incoming {
 public:
  // Makes the file `path`. `checksum_algorithm`: besides MD5; empty: none.
  static Result<std::unique_ptr<Incoming>> create(std::filesystem::path path, std::string_view checksum_algorithm);
  ~Incoming();
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  Result<Done> append(std::string_view bytes);
  // From the file `source`: by the kernel where nothing has to be looked at (see without_digests), else through here.
  Result<Done> append_file(const std::filesystem::path& source, Span span = {});
  // From here on nothing is digested: for bytes whose digests are known.
  void without_digests() { digested_ = false; }
  // All of it is on disk, and the digests are made. Idempotent.
  Result<Done> finish();

  std::uint64_t size() const { return size_; }
  const std::string& md5() const { return md5_; }  // raw; after finish(), as all below
  const Checksum& checksum() const { return checksum_; }
  const std::filesystem::path& path() const { return path_; }

  // The file has a name that counts: it stays.
  void stays() { path_.clear(); }

 private:
  Incoming(std::filesystem::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  Error failure(const char* call) const;

  std::filesystem::path path_;
  int descriptor_;
  bool digested_ = true;
  std::uint64_t size_ = 0;
  std::unique_ptr<Digest> md5_digest_ = Digest::make("MD5");
  std::unique_ptr<Digest> checksum_digest_;
  std::string md5_;
  Checksum checksum_;
};

}  // namespace securebase::objects
