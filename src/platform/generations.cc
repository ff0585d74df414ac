#include "platform/generations.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"

namespace securebase::platform {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kManifestBytes = std::size_t{64} << 20;
constexpr std::size_t kMostFiles = 100'000;
constexpr std::size_t kMostPathBytes = 4096;

// --- which files ----------------------------------------------------------------------------------------------------

bool is_below(const fs::path& path, const fs::path& directory) {
  return std::mismatch(directory.begin(), directory.end(), path.begin(), path.end()).first == directory.end();
}

// Collects the files that values of resources name.
class Collector {
 public:
  Collector(const stack::Stack& stack, const StackSource& source) {
    std::error_code failure;
    directory_ = fs::weakly_canonical(stack.directory, failure);
    roots_.push_back(directory_);
    for (const auto& root : source.file_roots) roots_.push_back(fs::weakly_canonical(root, failure));
  }

  void read(const fs::path& file) { take(file.is_absolute() ? file : fs::absolute(file)); }

  void look_into(const stack::Value& value, const fs::path& module_directory) {
    if (value.is_string()) {
      look_at(value.string(), module_directory);
    } else if (value.is_sequence()) {
      for (const auto& element : value.elements()) look_into(element, module_directory);
    } else if (value.is_map()) {
      for (const auto& [name, member] : value.members()) look_into(member, module_directory);
    }
  }

  std::vector<fs::path> found() const { return {found_.begin(), found_.end()}; }

 private:
  void look_at(const std::string& text, const fs::path& module_directory) {
    if (text.empty() || text.size() > kMostPathBytes || text.find('\n') != std::string::npos ||
        text.find('/') == std::string::npos) {
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
    const bool is_root = std::find(roots_.begin(), roots_.end(), path) != roots_.end();
    if (is_root || (!inside && !anywhere)) return;
    if (fs::is_regular_file(path, failure)) return take(path);
    if (!fs::is_directory(path, failure)) return;
    for (auto entry = fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, failure);
         !failure && entry != fs::recursive_directory_iterator() && found_.size() <= kMostFiles;
         entry.increment(failure)) {
      if (entry->is_directory(failure) && entry->path().filename() == ".git") entry.disable_recursion_pending();
      if (entry->is_regular_file(failure)) take(entry->path());
    }
  }

  void take(const fs::path& file) {
    std::error_code failure;
    found_.insert(fs::weakly_canonical(file, failure));
  }

  fs::path directory_;
  std::vector<fs::path> roots_;
  std::set<fs::path> found_;
};

// --- the manifest ---------------------------------------------------------------------------------------------------

base::Json to_json(const Generation& generation) {
  const auto paths = [](const std::vector<fs::path>& all) {
    auto array = base::Json::array();
    for (const auto& path : all) array.push_back(path.native());
    return array;
  };
  auto variables = base::Json::array();
  for (const auto& [name, value] : generation.source.variables) variables.push_back(base::Json::array({name, value}));
  auto files = base::Json::object();
  for (const auto& [path, digest] : generation.files) files.set(path.native(), digest);
  return base::Json::object(
      {{"number", generation.number},
       {"digest", generation.digest},
       {"since", std::chrono::floor<std::chrono::seconds>(generation.since).time_since_epoch().count()},
       {"back_to", generation.back_to},
       {"directory", generation.source.directory.native()},
       {"file_roots", paths(generation.source.file_roots)},
       {"variables", std::move(variables)},
       {"variable_files", paths(generation.source.variable_files)},
       {"files", std::move(files)}});
}

Generation generation_from(const base::Json& json) {
  Generation generation;
  generation.number = static_cast<std::uint64_t>(json["number"].integer_or(0));
  generation.digest = json["digest"].string_or("");
  generation.since = base::TimePoint{std::chrono::seconds{json["since"].integer_or(0)}};
  generation.back_to = static_cast<std::uint64_t>(json["back_to"].integer_or(0));
  generation.source.directory = json["directory"].string_or("");
  const auto paths = [&json](std::string_view name, std::vector<fs::path>& into) {
    if (const auto* array = json[name].as_array()) {
      for (const auto& path : *array) into.emplace_back(path.string_or(""));
    }
  };
  paths("file_roots", generation.source.file_roots);
  paths("variable_files", generation.source.variable_files);
  if (const auto* variables = json["variables"].as_array()) {
    for (const auto& pair : *variables) {
      const auto* both = pair.as_array();
      if (!both || both->size() != 2) continue;
      generation.source.variables.emplace_back((*both)[0].string_or(""), (*both)[1].string_or(""));
    }
  }
  if (const auto* files = json["files"].as_object()) {
    for (const auto& [path, digest] : *files) generation.files[path] = std::string(digest.string_or(""));
  }
  return generation;
}

std::string digest_of(const Generation& generation) {
  std::error_code failure;
  const auto directory = fs::weakly_canonical(generation.source.directory, failure);
  std::string text;
  for (const auto& [path, digest] : generation.files) {
    text += fmt::format("{} {}\n", path.lexically_relative(directory).native(), digest);
  }
  for (const auto& [name, value] : generation.source.variables) text += fmt::format("{}={}\n", name, value);
  return base::hex(base::sha256(text)).substr(0, 12);
}

StackSource absolute(StackSource source) {
  source.directory = fs::absolute(source.directory).lexically_normal();
  for (auto* paths : {&source.file_roots, &source.variable_files}) {
    for (auto& path : *paths) path = fs::absolute(path).lexically_normal();
  }
  return source;
}

fs::path within(const fs::path& tree, const fs::path& absolute) { return tree / absolute.relative_path(); }

// Where a kept tree lies, taken off.
std::string without_tree(std::string text, const fs::path& directory) {
  const auto at = text.find(directory.native() + "/");
  if (at == std::string::npos) return text;
  const auto tree = text.find("/tree/", at + directory.native().size());
  if (tree == std::string::npos) return text;
  return text.erase(at, tree + 5 - at);
}

}  // namespace

std::string Generation::name() const { return fmt::format("generation {} ({})", number, digest); }

std::vector<fs::path> files_of(const stack::Stack& stack, const StackSource& source) {
  Collector collector(stack, source);
  for (const auto& file : stack.files) collector.read(file);
  for (const auto& file : source.variable_files) collector.read(file);
  for (const auto& resource : stack.resources) {
    collector.look_into(resource.attributes.unmarked(), resource.module_directory);
  }
  return collector.found();
}

Result<Generations> Generations::open(fs::path directory) {
  Generations generations(std::move(directory));
  std::error_code failure;
  if (!fs::exists(generations.directory_, failure)) return generations;
  for (const auto& entry : fs::directory_iterator(generations.directory_, failure)) {
    const auto manifest = entry.path() / "generation.json";
    auto text = base::read_file(manifest, kManifestBytes);
    auto json = text ? base::Json::parse(*text) : Result<base::Json>(text.error());
    if (!json) {
      // Torn: files first, the manifest last.
      fs::remove_all(entry.path(), failure);
      continue;
    }
    generations.all_.push_back(generation_from(*json));
  }
  if (failure) return Error{Errc::kIo, fmt::format("{}: {}", generations.directory_.native(), failure.message())};
  std::sort(generations.all_.begin(), generations.all_.end(),
            [](const Generation& a, const Generation& b) { return a.number < b.number; });
  return generations;
}

const Generation* Generations::find(std::uint64_t number) const {
  for (const auto& one : all_) {
    if (one.number == number) return &one;
  }
  return nullptr;
}

const Generation* Generations::earlier() const {
  for (auto one = all_.rbegin(); one != all_.rend(); ++one) {
    if (one->digest != all_.back().digest) return &*one;
  }
  return nullptr;
}

Result<Done> Generations::keep(const stack::Stack& stack, const StackSource& source, base::TimePoint now) {
  Generation generation;
  generation.since = now;
  generation.source = absolute(source);
  std::uint64_t bytes = 0;
  for (auto& file : files_of(stack, generation.source)) {
    auto content = base::read_file(file);
    if (!content) return content.error();
    bytes += content->size();
    if (bytes > kMostBytes || generation.files.size() >= kMostFiles) {
      return Error{Errc::kLimit, fmt::format("what the stack is made of has more than {} files or {} MiB", kMostFiles,
                                             kMostBytes >> 20)};
    }
    generation.files[std::move(file)] = base::hex(base::sha256(*content));
  }
  generation.digest = digest_of(generation);
  if (!all_.empty() && all_.back().digest == generation.digest) return Done{};
  return add(std::move(generation), nullptr);
}

Result<Done> Generations::keep_again(const Generation& older, base::TimePoint now) {
  Generation generation = older;
  generation.since = now;
  generation.back_to = older.number;
  return add(std::move(generation), find(older.number));
}

// From the files where they are, or as another generation has them.
Result<Done> Generations::copy_files(const Generation& generation, const Generation* from) const {
  const auto* newest = all_.empty() ? nullptr : &all_.back();
  for (const auto& [path, digest] : generation.files) {
    const auto to = within(tree(generation), path);
    if (auto made = base::make_directory(to.parent_path(), 0700); !made) return made;
    const auto* linked = from ? from : newest;
    std::error_code failure;
    if (linked) {
      const auto same = linked->files.find(path);
      if (same != linked->files.end() && same->second == digest) {
        fs::create_hard_link(within(tree(*linked), path), to, failure);
        if (!failure) continue;
      }
    }
    failure.clear();
    fs::copy_file(from ? within(tree(*from), path) : path, to, failure);
    if (failure) return Error{Errc::kIo, fmt::format("{}: {}", path.native(), failure.message())};
  }
  return Done{};
}

Result<Done> Generations::add(Generation generation, const Generation* copied_from) {
  generation.number = all_.empty() ? 1 : all_.back().number + 1;
  std::error_code failure;
  const auto place = folder(generation.number);
  fs::remove_all(place, failure);
  auto copied = copy_files(generation, copied_from);
  if (copied) copied = base::replace_file(place / "generation.json", to_json(generation).dump(1) + "\n", 0600);
  if (!copied) {
    fs::remove_all(place, failure);
    return copied;
  }
  all_.push_back(std::move(generation));
  while (all_.size() > kMost) {
    // What is in force may be read from its tree, and it is the newest.
    fs::remove_all(folder(all_.front().number), failure);
    all_.erase(all_.begin());
  }
  return Done{};
}

StackSource Generations::kept_source(const Generation& generation) const {
  const auto kept = tree(generation);
  StackSource source = generation.source;
  source.directory = within(kept, source.directory);
  std::error_code failure;
  for (auto& path : source.variable_files) path = within(kept, path);
  for (auto& root : source.file_roots) root = within(kept, root);
  for (auto& [name, value] : source.variables) {
    if (value.starts_with('/') && fs::exists(within(kept, value), failure)) value = within(kept, value).native();
  }
  return source;
}

void Generations::forget_places(stack::Plan& plan) const {
  const auto same = [this](const stack::Change::Attribute& attribute) {
    if (!attribute.before.is_string() || !attribute.after.is_string()) return false;
    return without_tree(attribute.before.string(), directory_) == without_tree(attribute.after.string(), directory_);
  };
  for (auto& change : plan.changes) {
    if (change.action == stack::Change::Action::kUpdate) std::erase_if(change.attributes, same);
  }
  std::erase_if(plan.changes, [](const stack::Change& change) {
    return change.action == stack::Change::Action::kUpdate && change.attributes.empty();
  });
  std::erase_if(plan.outputs, same);
}

}  // namespace securebase::platform
