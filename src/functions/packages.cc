#include "functions/packages.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <memory>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/random.h"

namespace securebase::functions {
namespace {

namespace fs = std::filesystem;

struct Used {
  std::uint64_t bytes = 0;
  std::size_t entries = 0;
};

// A file's place below the package: relative, without "..", each part a name.
Result<fs::path> safe_path(std::string_view name, const PackageLimits& limits) {
  const fs::path given(name);
  if (name.empty() || name.size() > limits.path_bytes || name.find('\0') != name.npos || given.is_absolute() ||
      name.find('\\') != name.npos) {
    return Error{Errc::kDenied, fmt::format("it has an entry with the unusable name \"{}\"", name.substr(0, 100))};
  }
  fs::path clean;
  for (const auto& part : given) {
    if (part == "..") return Error{Errc::kDenied, fmt::format("its entry \"{}\" leaves the package", name)};
    if (part != "." && !part.empty()) clean /= part;
  }
  return clean;
}

// ".." behind a name: where that leads is not to be seen, since the name may be another link's.
bool climbs_late(const fs::path& target) {
  bool named = false;
  for (const auto& part : target) {
    if (part == ".." && named) return true;
    named = named || (part != ".." && part != ".");
  }
  return false;
}

// A link may point at what lies in the package, by a relative path. Its own parents are real directories.
Result<Done> check_link(const fs::path& place, const fs::path& target) {
  const auto reached = (place.parent_path() / target).lexically_normal();
  if (target.is_absolute() || target.empty() || climbs_late(target) || *reached.begin() == "..") {
    return Error{Errc::kDenied, fmt::format("its symbolic link \"{}\" leaves the package, to \"{}\"", place.native(),
                                            target.native())};
  }
  return Done{};
}

// Every directory on the way is a real one: an entry must not be written through a link that came before it.
Result<Done> make_parents(const fs::path& root, const fs::path& place) {
  fs::path here = root;
  for (const auto& part : place.parent_path()) {
    here /= part;
    struct stat found {};
    if (lstat(here.c_str(), &found) == 0) {
      if (S_ISDIR(found.st_mode)) continue;
      return Error{Errc::kDenied, fmt::format("its entry \"{}\" goes through \"{}\", which is no directory",
                                              place.native(), part.native())};
    }
    if (mkdir(here.c_str(), 0755) != 0) return system_error(errno, "mkdir", here.native());
  }
  return Done{};
}

Result<Done> count_in(Used& used, std::uint64_t bytes, const PackageLimits& limits) {
  used.bytes += bytes;
  used.entries += bytes == 0 ? 1 : 0;
  if (used.bytes > limits.unpacked_bytes) {
    return Error{Errc::kLimit, fmt::format("it unpacks to more than {} MB", limits.unpacked_bytes >> 20)};
  }
  if (used.entries > limits.entries)
    return Error{Errc::kLimit, fmt::format("it has more than {} files", limits.entries)};
  return Done{};
}

class Output {
 public:
  explicit Output(const fs::path& file, bool executable)
      : descriptor_(
            open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, executable ? 0755 : 0644)) {
    if (descriptor_ >= 0) fchmod(descriptor_, executable ? 0755 : 0644);
  }
  ~Output() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  bool is_open() const { return descriptor_ >= 0; }
  bool put(const char* bytes, std::size_t size) {
    while (size > 0) {
      const ssize_t count = write(descriptor_, bytes, size);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return false;
      bytes += count;
      size -= static_cast<std::size_t>(count);
    }
    return true;
  }

 private:
  const int descriptor_;
};

// Makes room for `place`: what an earlier layer put there goes, unless both are directories.
Result<Done> clear(const fs::path& root, const fs::path& place) {
  if (auto parents = make_parents(root, place); !parents) return parents;
  struct stat found {};
  if (lstat((root / place).c_str(), &found) == 0 && !S_ISDIR(found.st_mode)) unlink((root / place).c_str());
  return Done{};
}

struct ReadFree {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

Result<Done> unpack_entry(archive* reader, archive_entry* entry, const fs::path& root, Used& used,
                          const PackageLimits& limits) {
  const char* name = archive_entry_pathname_utf8(entry);
  if (!name) name = archive_entry_pathname(entry);
  auto place = safe_path(name ? name : "", limits);
  if (!place) return place.error();
  if (place->empty()) return Done{};
  if (auto counted = count_in(used, 0, limits); !counted) return counted;
  if (auto cleared = clear(root, *place); !cleared) return cleared;
  const auto target = root / *place;
  const auto type = archive_entry_filetype(entry);
  if (type == AE_IFDIR) {
    if (mkdir(target.c_str(), 0755) != 0 && errno != EEXIST) return system_error(errno, "mkdir", target.native());
    return Done{};
  }
  if (type == AE_IFLNK) {
    const char* link = archive_entry_symlink(entry);
    if (auto safe = check_link(*place, link ? link : ""); !safe) return safe;
    if (symlink(link, target.c_str()) != 0) return system_error(errno, "symlink", target.native());
    return Done{};
  }
  if (type != AE_IFREG)
    return Error{Errc::kDenied, fmt::format("its entry \"{}\" is no file, directory or link", name)};

  Output output(target, (archive_entry_perm(entry) & 0111) != 0);
  if (!output.is_open()) return system_error(errno, "open", target.native());
  char buffer[64 << 10];
  for (;;) {
    const auto count = archive_read_data(reader, buffer, sizeof buffer);
    if (count == 0) return Done{};
    if (count < 0)
      return Error{Errc::kMalformed, fmt::format("\"{}\" in it is damaged: {}", name, archive_error_string(reader))};
    if (auto counted = count_in(used, static_cast<std::uint64_t>(count), limits); !counted) return counted;
    if (!output.put(buffer, static_cast<std::size_t>(count))) return system_error(errno, "write", target.native());
  }
}

Result<Done> unpack_zip(const std::string& bytes, const fs::path& root, Used& used, const PackageLimits& limits) {
  const std::unique_ptr<archive, ReadFree> reader(archive_read_new());
  archive_read_support_format_zip(reader.get());
  if (!bytes.starts_with("PK") || archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
    return Error{Errc::kMalformed, "it is no zip: a zip begins with \"PK\". Is it the right file, and complete?"};
  }
  for (archive_entry* entry = nullptr;;) {
    const int state = archive_read_next_header(reader.get(), &entry);
    if (state == ARCHIVE_EOF) return Done{};
    if (state < ARCHIVE_WARN) {
      return Error{Errc::kMalformed, fmt::format("it is no intact zip: {}", archive_error_string(reader.get()))};
    }
    if (auto unpacked = unpack_entry(reader.get(), entry, root, used, limits); !unpacked) return unpacked;
  }
}

Result<Done> copy_entry(const fs::directory_entry& entry, const fs::path& place, const fs::path& root, Used& used,
                        const PackageLimits& limits) {
  if (auto counted = count_in(used, 0, limits); !counted) return counted;
  if (auto cleared = clear(root, place); !cleared) return cleared;
  std::error_code failure;
  const auto status = entry.symlink_status(failure);
  const auto target = root / place;
  if (fs::is_directory(status)) {
    fs::create_directory(target, failure);
  } else if (fs::is_symlink(status)) {
    const auto link = fs::read_symlink(entry.path(), failure);
    if (auto safe = check_link(place, link); !safe) return safe;
    fs::create_symlink(link, target, failure);
  } else if (fs::is_regular_file(status)) {
    if (auto counted = count_in(used, entry.file_size(failure), limits); !counted) return counted;
    auto bytes = base::read_file(entry.path(), limits.unpacked_bytes);
    if (!bytes) return bytes.error();
    Output output(target, (status.permissions() & fs::perms::owner_exec) != fs::perms::none);
    if (!output.is_open() || !output.put(bytes->data(), bytes->size()))
      return system_error(errno, "write", target.native());
  } else {
    return Error{Errc::kDenied, fmt::format("\"{}\" is no file, directory or link", place.native())};
  }
  if (failure) return Error{Errc::kIo, fmt::format("copying {}: {}", place.native(), failure.message())};
  return Done{};
}

Result<Done> copy_directory(const fs::path& from, const fs::path& root, Used& used, const PackageLimits& limits) {
  std::error_code failure;
  for (fs::recursive_directory_iterator each(from, failure), end; !failure && each != end; each.increment(failure)) {
    if (auto copied = copy_entry(*each, each->path().lexically_relative(from), root, used, limits); !copied)
      return copied;
  }
  if (failure) return Error{Errc::kIo, fmt::format("reading it: {}", failure.message())};
  return Done{};
}

// Of a directory: names, kinds and bytes of all in it.
Result<std::string> digest_of_directory(const fs::path& directory, const PackageLimits& limits) {
  std::vector<std::string> lines;
  std::error_code failure;
  for (fs::recursive_directory_iterator each(directory, failure), end; !failure && each != end;
       each.increment(failure)) {
    const auto status = each->symlink_status(failure);
    std::string line = each->path().lexically_relative(directory).native();
    line.push_back('\0');
    if (fs::is_symlink(status)) line += "link " + fs::read_symlink(each->path(), failure).native();
    if (fs::is_regular_file(status)) {
      auto bytes = base::read_file(each->path(), limits.unpacked_bytes);
      if (!bytes) return bytes.error();
      line += (status.permissions() & fs::perms::owner_exec) != fs::perms::none ? "program " : "file ";
      line += base::sha256(*bytes);
    }
    lines.push_back(std::move(line));
    if (lines.size() > limits.entries)
      return Error{Errc::kLimit, fmt::format("it has more than {} files", limits.entries)};
  }
  if (failure) return Error{Errc::kIo, fmt::format("reading it: {}", failure.message())};
  std::sort(lines.begin(), lines.end());
  std::string all = "directory";
  for (const auto& line : lines) all += base::sha256(line);
  return base::sha256(all);
}

struct Source {
  fs::path path;
  bool directory = false;
  std::string bytes;  // of a zip
  std::string digest;
};

Result<Source> open_source(const fs::path& code, const PackageLimits& limits) {
  Source source{code, fs::is_directory(code), {}, {}};
  if (source.directory) {
    auto digest = digest_of_directory(code, limits);
    if (!digest) return digest.error();
    source.digest = std::move(*digest);
    return source;
  }
  auto bytes = base::read_file(code, limits.archive_bytes);
  if (!bytes) return bytes.error();
  source.bytes = std::move(*bytes);
  source.digest = base::sha256(source.bytes);
  return source;
}

}  // namespace

Packages::Packages(fs::path root, PackageLimits limits) : root_(std::move(root)), limits_(limits) {}

Result<fs::path> Packages::unpack(const fs::path& code, const Prepare& prepare) {
  return unpack_layers({code}, prepare);
}

Result<fs::path> Packages::unpack_layers(const std::vector<fs::path>& codes, const Prepare& prepare) {
  std::vector<Source> sources;
  std::string digests;
  for (const auto& code : codes) {
    auto source = open_source(code, limits_);
    if (!source) return source.error().within(fmt::format("reading the code in {}", code.native()));
    digests += source->digest;
    sources.push_back(std::move(*source));
  }
  const auto place = root_ / base::hex(codes.size() == 1 ? digests : base::sha256("layers" + digests));
  if (fs::exists(place)) return place;
  if (auto made = base::make_directory(root_); !made) return made.error();

  const auto building = root_ / (".unpacking-" + base::random_hex(16));
  std::error_code ignored;
  const auto give_up = [&](const Error& error) {
    fs::remove_all(building, ignored);
    return error;
  };
  if (auto made = base::make_directory(building); !made) return made.error();
  Used used;
  for (const auto& source : sources) {
    auto unpacked = source.directory ? copy_directory(source.path, building, used, limits_)
                                     : unpack_zip(source.bytes, building, used, limits_);
    if (!unpacked) return give_up(unpacked.error().within(fmt::format("unpacking {}", source.path.native())));
  }
  if (prepare) prepare(building);
  if (::rename(building.c_str(), place.c_str()) != 0 && !fs::exists(place)) {
    return give_up(system_error(errno, "rename", place.native()));
  }
  fs::remove_all(building, ignored);  // somebody else was first
  return place;
}

void Packages::collect(const std::set<fs::path>& used) {
  std::error_code failure;
  std::vector<fs::path> unused;
  for (const auto& entry : fs::directory_iterator(root_, failure)) {
    const bool unfinished = entry.path().filename().native().starts_with('.');
    if (!unfinished && !used.contains(entry.path())) unused.push_back(entry.path());
  }
  for (const auto& package : unused) fs::remove_all(package, failure);
}

void Packages::clean() {
  std::error_code failure;
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(root_, failure)) {
    if (entry.path().filename().native().starts_with('.')) left.push_back(entry.path());
  }
  for (const auto& directory : left) fs::remove_all(directory, failure);
}

Result<Done> Packages::try_out(const fs::path& code) {
  auto source = open_source(code, limits_);
  if (!source) return source.error();
  const auto trial = root_ / (".trying-" + base::random_hex(16));
  if (auto made = base::make_directory(trial); !made) return made;
  Used used;
  auto unpacked = source->directory ? copy_directory(source->path, trial, used, limits_)
                                    : unpack_zip(source->bytes, trial, used, limits_);
  std::error_code ignored;
  fs::remove_all(trial, ignored);
  return unpacked;
}

}  // namespace securebase::functions
