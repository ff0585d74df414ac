#include "platform/kept_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <set>

#include "base/descriptor.h"
#include "base/durable.h"
#include "base/encoding.h"
#include "base/file.h"

namespace securebase::platform {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostPathBytes = 4096;
constexpr std::string_view kLink = "-> ";

bool is_below(const fs::path& path, const fs::path& directory) {
  return std::mismatch(directory.begin(), directory.end(), path.begin(), path.end()).first == directory.end();
}

// --- copying and fingerprints
// -----------------------------------------------------------------------------------------

// The SHA-256 of the file; with a path, copied there on the way.
Result<std::string> digest_of_file(const fs::path& file, const fs::path& copy = {}, std::uint64_t* bytes = nullptr) {
  const base::Descriptor from(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from) return system_error(errno, "open", file.native());
  const base::Descriptor to(copy.empty() ? -1 : ::open(copy.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!copy.empty() && !to) return system_error(errno, "open", copy.native());
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
  std::array<char, 1 << 16> buffer;
  for (;;) {
    const auto got = ::read(from.number(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "read", file.native());
    if (got == 0) break;
    EVP_DigestUpdate(digest.get(), buffer.data(), static_cast<std::size_t>(got));
    if (bytes) *bytes += static_cast<std::uint64_t>(got);
    if (copy.empty()) continue;
    const std::string_view piece(buffer.data(), static_cast<std::size_t>(got));
    if (auto written = base::write_all(to.number(), piece, copy); !written) return written.error();
  }
  if (!copy.empty() && ::fsync(to.number()) != 0) return system_error(errno, "fsync", copy.native());
  std::array<unsigned char, EVP_MAX_MD_SIZE> value;
  unsigned size = 0;
  EVP_DigestFinal_ex(digest.get(), value.data(), &size);
  return base::hex(std::string_view(reinterpret_cast<const char*>(value.data()), size));
}

// Executable for whoever runs it, as the original is.
Result<Done> copy_mode(const fs::path& from, const fs::path& to) {
  std::error_code failure;
  const auto mode = fs::status(from, failure).permissions();
  if (!failure && (mode & fs::perms::owner_exec) != fs::perms::none) fs::permissions(to, fs::perms{0700}, failure);
  if (failure) return system_error(failure.value(), "chmod", to.native());
  return Done{};
}

Result<Done> sync_directories(const std::set<fs::path>& directories) {
  for (const auto& directory : directories) {
    if (auto synced = base::sync_directory(directory); !synced) return synced;
  }
  return Done{};
}

// --- which files
// ------------------------------------------------------------------------------------------------------

class Collector {
 public:
  Collector(const stack::Stack& stack, const StackSource& source) {
    std::error_code failure;
    directory_ = fs::weakly_canonical(stack.directory, failure);
    roots_.push_back(directory_);
    for (const auto& root : source.file_roots) roots_.push_back(fs::weakly_canonical(root, failure));
  }

  void read(const fs::path& file) { take_named(fs::absolute(file), true); }

  void look_into(const stack::Value& value, const fs::path& module_directory) {
    if (value.is_string()) {
      look_at(value.string(), module_directory);
    } else if (value.is_sequence()) {
      for (const auto& element : value.elements()) look_into(element, module_directory);
    } else if (value.is_map()) {
      for (const auto& [name, member] : value.members()) look_into(member, module_directory);
    }
  }

  // Files, and links with what they hold.
  const std::map<fs::path, std::string>& found() const { return found_; }

 private:
  void look_at(const std::string& text, const fs::path& module_directory) {
    if (text.empty() || text.size() > kMostPathBytes || text.find('/') == std::string::npos ||
        text.find_first_of(std::string_view("\n\0", 2)) != std::string::npos) {
      return;
    }
    if (text.front() == '/') return take_named(text, false);
    take_named(directory_ / text, text.starts_with("../"));
    take_named(fs::absolute(module_directory) / text, false);
  }

  void take_named(const fs::path& named, bool anywhere) {
    std::error_code failure;
    if (!fs::exists(named, failure) || failure) return;
    const auto path = fs::weakly_canonical(named, failure);
    const bool inside =
        std::any_of(roots_.begin(), roots_.end(), [&](const fs::path& root) { return is_below(path, root); });
    // Everything around the stack is named by many paths and meant by none.
    if (is_below(directory_, path) || (!inside && !anywhere)) return;
    take_links(named.lexically_normal());
    if (fs::is_directory(path, failure)) return take_directory(path);
    if (fs::is_regular_file(path, failure)) found_.emplace(path, "");
  }

  // The links on the way to a file: its name in the stack leads over them.
  void take_links(const fs::path& named) {
    std::error_code failure;
    fs::path so_far;
    for (const auto& part : named) {
      so_far /= part;
      if (!fs::is_symlink(so_far, failure)) continue;
      const auto real = fs::weakly_canonical(so_far.parent_path(), failure) / so_far.filename();
      if (std::any_of(roots_.begin(), roots_.end(), [&](const fs::path& root) { return is_below(real, root); })) {
        take_link(real);
      }
    }
  }

  void take_link(const fs::path& link) {
    std::error_code failure;
    const auto target = fs::read_symlink(link, failure);
    if (!failure) found_.emplace(link, std::string(kLink) + target.native());
  }

  void take_directory(const fs::path& directory) {
    std::error_code failure;
    for (auto entry =
             fs::recursive_directory_iterator(directory, fs::directory_options::skip_permission_denied, failure);
         !failure && entry != fs::recursive_directory_iterator() && found_.size() <= kMostKeptFiles;
         entry.increment(failure)) {
      if (entry->is_symlink(failure)) {
        take_link(entry->path());
        const auto target = fs::weakly_canonical(entry->path(), failure);
        if (!is_below(target, directory)) take_named(target, false);
      } else if (entry->is_directory(failure)) {
        if (entry->path().filename() == ".git") entry.disable_recursion_pending();
      } else if (entry->is_regular_file(failure)) {
        found_.emplace(entry->path(), "");
      }
    }
  }

  fs::path directory_;
  std::vector<fs::path> roots_;
  std::map<fs::path, std::string> found_;
};

}  // namespace

Result<KeptFiles> files_of(const stack::Stack& stack, const StackSource& source) {
  Collector collector(stack, source);
  for (const auto& file : stack.files) collector.read(file);
  for (const auto& file : source.variable_files) collector.read(file);
  for (const auto& resource : stack.resources) {
    collector.look_into(resource.attributes.unmarked(), resource.module_directory);
  }
  KeptFiles files;
  std::uint64_t bytes = 0;
  for (const auto& [path, link] : collector.found()) {
    if (!link.empty()) {
      files[path] = link;
      continue;
    }
    auto digest = digest_of_file(path, {}, &bytes);
    if (!digest) return digest.error();
    files[path] = std::move(*digest);
    if (bytes > kMostKeptBytes || files.size() > kMostKeptFiles) {
      return Error{Errc::kLimit, fmt::format("what the stack is made of has more than {} files or {} MiB",
                                             kMostKeptFiles, kMostKeptBytes >> 20)};
    }
  }
  return files;
}

fs::path within(const fs::path& tree, const fs::path& absolute) { return tree / absolute.relative_path(); }

Result<Done> copy_files(KeptFiles& files, const fs::path& from, const fs::path& to, const KeptFiles& linked,
                        const fs::path& linked_tree) {
  std::set<fs::path> directories;
  for (auto& [path, digest] : files) {
    const auto copy = within(to, path);
    if (auto made = base::make_directory(copy.parent_path(), 0700); !made) return made;
    for (auto directory = copy.parent_path(); directories.insert(directory).second && directory != to;) {
      directory = directory.parent_path();
    }
    std::error_code failure;
    if (digest.starts_with(kLink)) {
      // One that leads to an absolute path would lead out of the tree.
      const fs::path target = digest.substr(kLink.size());
      fs::create_symlink(target.is_absolute() ? within(to, target) : target, copy, failure);
      if (failure) return system_error(failure.value(), "symlink", copy.native());
      continue;
    }
    if (const auto same = linked.find(path); same != linked.end() && same->second == digest) {
      fs::create_hard_link(within(linked_tree, path), copy, failure);
      if (!failure) continue;
    }
    const auto original = from.empty() ? path : within(from, path);
    auto copied = digest_of_file(original, copy);
    if (!copied) return copied.error();
    digest = std::move(*copied);
    if (auto mode = copy_mode(original, copy); !mode) return mode;
  }
  return sync_directories(directories);
}

Result<Done> verify_files(const KeptFiles& files, const fs::path& tree) {
  for (const auto& [path, digest] : files) {
    if (digest.starts_with(kLink)) continue;
    auto found = digest_of_file(within(tree, path));
    if (!found) return found.error().within("a kept file");
    if (*found != digest) {
      return Error{Errc::kMalformed,
                   fmt::format("{} is kept damaged: its SHA-256 is {}, it was {}", path.native(), *found, digest)};
    }
  }
  return Done{};
}

}  // namespace securebase::platform
