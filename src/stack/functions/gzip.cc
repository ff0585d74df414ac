#include "stack/functions/gzip.h"

#include <archive.h>
#include <archive_entry.h>

#include <memory>

#include "base/check.h"

namespace securebase::stack {

namespace {

struct Closer {
  void operator()(archive* a) const { archive_write_free(a); }
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};

la_ssize_t append(archive*, void* out, const void* bytes, std::size_t count) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), count);
  return static_cast<la_ssize_t>(count);
}

std::unique_ptr<archive, Closer> writer() {
  std::unique_ptr<archive, Closer> made(archive_write_new());
  check(made != nullptr, "libarchive makes a writer");
  archive_write_set_bytes_per_block(made.get(), 0);
  return made;
}

bool add(archive* out, const ZipEntry& entry) {
  const std::unique_ptr<archive_entry, Closer> header(archive_entry_new());
  archive_entry_set_pathname(header.get(), entry.name.c_str());
  archive_entry_set_size(header.get(), static_cast<la_int64_t>(entry.content.size()));
  archive_entry_set_filetype(header.get(), AE_IFREG);
  archive_entry_set_perm(header.get(), entry.mode);
  archive_entry_set_mtime(header.get(), 315'532'800, 0);  // 1980-01-01, the first moment that zip can hold
  return archive_write_header(out, header.get()) == ARCHIVE_OK &&
         archive_write_data(out, entry.content.data(), entry.content.size()) ==
             static_cast<la_ssize_t>(entry.content.size());
}

}  // namespace

std::string gzip(std::string_view bytes) {
  std::string out;
  const auto made = writer();
  archive_write_set_format_raw(made.get());
  archive_write_add_filter_gzip(made.get());
  archive_write_set_filter_option(made.get(), "gzip", "timestamp", nullptr);
  bool right = archive_write_open(made.get(), &out, nullptr, append, nullptr) == ARCHIVE_OK;
  right = right && add(made.get(), {"text", std::string(bytes), 0644});
  right = right && archive_write_close(made.get()) == ARCHIVE_OK;
  check(right, "a text in memory can be compressed");
  return out;
}

Result<std::string> zip(const std::vector<ZipEntry>& entries) {
  std::string out;
  const auto made = writer();
  archive_write_set_format_zip(made.get());
  bool right = archive_write_open(made.get(), &out, nullptr, append, nullptr) == ARCHIVE_OK;
  for (const auto& entry : entries) right = right && add(made.get(), entry);
  right = right && archive_write_close(made.get()) == ARCHIVE_OK;
  if (!right) {
    const char* reason = archive_error_string(made.get());
    return Error{Errc::kIo, std::string("the archive cannot be made: ") + (reason ? reason : "unknown reason")};
  }
  return out;
}

}  // namespace securebase::stack
