// archive_file: a zip of files or of a text. Its bytes follow from names and contents alone, so the same files give the
// same digest on every machine, and an archive that is there already is not written again.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "stack/builtin/builtin.h"
#include "stack/functions/glob.h"
#include "stack/functions/gzip.h"

namespace securebase::stack {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostArchivedBytes = std::size_t{256} << 20;
constexpr std::size_t kMostArchiveBytes = std::size_t{512} << 20;  // before compression

Result<ZipEntry> entry_of(const fs::path& path, std::string name, const std::string& fixed_mode) {
  auto bytes = base::read_file(path, kMostArchivedBytes);
  if (!bytes) return bytes.error();
  std::error_code failure;
  const bool runs = (fs::status(path, failure).permissions() & fs::perms::owner_exec) != fs::perms::none;
  const unsigned mode =
      fixed_mode.empty() ? (runs ? 0755 : 0644) : static_cast<unsigned>(std::stoul(fixed_mode, nullptr, 8));
  return ZipEntry{std::move(name), std::move(*bytes), mode};
}

bool excluded(const Value& patterns, const std::string& path) {
  if (!patterns.is_sequence()) return false;
  for (const auto& pattern : patterns.elements()) {
    const std::string text = pattern.to_text().value_or("");
    if (glob_matches(text, path) || path.starts_with(text.ends_with('/') ? text : text + "/")) return true;
  }
  return false;
}

Result<std::vector<ZipEntry>> entries(const BuiltinCall& call) {
  const Body& body = call.resource.body;
  std::vector<ZipEntry> made;
  std::string mode = body["output_file_mode"].to_text().value_or("");
  if (mode.size() > 4 || mode.find_first_not_of("01234567") != std::string::npos) {
    return Error{Errc::kMalformed, "\"output_file_mode\" is an octal number as \"0644\""};
  }
  if (const auto content = body["source_content"].to_text()) {
    made.push_back({body["source_content_filename"].to_text().value_or("content"), *content, 0644});
  }
  for (const auto* source : body.blocks_named("source")) {
    made.push_back({(*source)["filename"].to_text().value_or(""), (*source)["content"].to_text().value_or(""), 0644});
  }
  if (const auto file = body["source_file"].to_text()) {
    const auto path = readable_path(call.functions, *file);
    if (!path) return path.error();
    auto one = entry_of(*path, path->filename().string(), mode);
    if (!one) return one.error();
    made.push_back(std::move(*one));
  }
  if (const auto directory = body["source_dir"].to_text()) {
    const auto path = readable_path(call.functions, *directory);
    if (!path) return path.error();
    std::error_code failure;
    if (!fs::is_directory(*path, failure)) {
      return Error{Errc::kNotFound, fmt::format("there is no directory {}; is what it holds built?", path->string())};
    }
    const auto below = base::files_below(*path);
    if (!below) return below.error();
    std::size_t total = 0;
    for (const auto& relative : *below) {
      if (excluded(body["excludes"], relative.generic_string())) continue;
      auto one = entry_of(*path / relative, relative.generic_string(), mode);
      if (!one) return one.error();
      total += one->content.size();
      if (total > kMostArchiveBytes) return Error{Errc::kLimit, "an archive may hold 512 MiB"};
      made.push_back(std::move(*one));
    }
  }
  if (made.empty()) return Error{Errc::kNotFound, "there is nothing to put into the archive"};
  std::sort(made.begin(), made.end(), [](const ZipEntry& a, const ZipEntry& b) { return a.name < b.name; });
  return made;
}

}  // namespace

std::optional<Value::Map> archive_file(const BuiltinCall& call) {
  constexpr std::string_view kSummary = "Archive creation error";
  const auto output = call.resource.body["output_path"].to_text();
  const std::string type = call.resource.body["type"].to_text().value_or("");
  if (!output || type != "zip") {
    return call.fail(std::string(kSummary), "\"output_path\" is needed, and \"type\" is \"zip\".");
  }
  const auto path = readable_path(call.functions, *output);
  if (!path) return call.fail(std::string(kSummary), path.error().message + ".");
  const auto contents = entries(call);
  if (!contents) return call.fail(std::string(kSummary), contents.error().message + ".");
  const auto bytes = zip(*contents);
  if (!bytes) return call.fail(std::string(kSummary), bytes.error().message + ".");
  const auto old = base::read_file(*path, kMostArchiveBytes);
  if (!old || *old != *bytes) {
    const auto parent = base::make_directory(path->parent_path());
    const auto written = parent ? base::replace_file(*path, *bytes) : Result<Done>(parent.error());
    if (!written) return call.fail(std::string(kSummary), written.error().message + ".");
  }
  const auto sha1 = base::hex(base::sha1(*bytes));
  return Value::Map{{"id", sha1},
                    {"output_size", bytes->size()},
                    {"output_sha", sha1},
                    {"output_md5", base::hex(base::md5(*bytes))},
                    {"output_sha256", base::hex(base::sha256(*bytes))},
                    {"output_sha512", base::hex(base::sha512(*bytes))},
                    {"output_base64sha256", base::base64(base::sha256(*bytes))},
                    {"output_base64sha512", base::base64(base::sha512(*bytes))}};
}

std::optional<Value::Map> local_file(const BuiltinCall& call) {
  const auto path = readable_path(call.functions, call.resource.body["filename"].to_text().value_or(""));
  const auto bytes = path ? base::read_file(*path, kMostArchivedBytes) : Result<std::string>(path.error());
  if (!bytes) return call.fail("Read local file data source error", bytes.error().message + ".");
  const bool secret = call.resource.type == "local_sensitive_file";
  return Value::Map{{"id", base::hex(base::sha1(*bytes))},
                    {"content", Value(*bytes).marked(secret)},
                    {"content_base64", Value(base::base64(*bytes)).marked(secret)},
                    {"content_md5", base::hex(base::md5(*bytes))},
                    {"content_sha1", base::hex(base::sha1(*bytes))},
                    {"content_sha256", base::hex(base::sha256(*bytes))},
                    {"content_sha512", base::hex(base::sha512(*bytes))},
                    {"content_base64sha256", base::base64(base::sha256(*bytes))},
                    {"content_base64sha512", base::base64(base::sha512(*bytes))}};
}

}  // namespace securebase::stack
