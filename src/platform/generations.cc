#include "platform/generations.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "platform/configuration.h"

namespace securebase::platform {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kManifestBytes = std::size_t{64} << 20;
constexpr std::string_view kVariablePrefix = "TF_VAR_";

// --- the manifest
// -----------------------------------------------------------------------------------------------------

base::Json paths_as_json(const std::vector<fs::path>& all) {
  auto array = base::Json::array();
  for (const auto& path : all) array.push_back(path.native());
  return array;
}

template <class Pairs>
base::Json pairs_as_json(const Pairs& pairs) {
  auto array = base::Json::array();
  for (const auto& [name, value] : pairs) array.push_back(base::Json::array({name, value}));
  return array;
}

base::Json to_json(const Generation& generation) {
  const auto& source = generation.source;
  auto files = base::Json::object();
  // Members of an object are looked for one by one when they are set; there may be a hundred thousand.
  for (const auto& [path, digest] : generation.files) files.as_object()->emplace_back(path.native(), digest);
  return base::Json::object(
      {{"number", generation.number},
       {"digest", generation.digest},
       {"since", std::chrono::floor<std::chrono::seconds>(generation.since).time_since_epoch().count()},
       {"back_to", generation.back_to},
       {"directory", source.directory.native()},
       {"file_roots", paths_as_json(source.file_roots)},
       {"programs", source.programs},
       {"variables", pairs_as_json(source.variables)},
       {"variable_files", paths_as_json(source.variable_files)},
       {"environment", pairs_as_json(source.environment.value_or(std::map<std::string, std::string>{}))},
       {"files", std::move(files)}});
}

std::vector<fs::path> paths_from(const base::Json& json) {
  std::vector<fs::path> paths;
  if (const auto* array = json.as_array()) {
    for (const auto& path : *array) paths.emplace_back(path.string_or(""));
  }
  return paths;
}

std::vector<std::pair<std::string, std::string>> pairs_from(const base::Json& json) {
  std::vector<std::pair<std::string, std::string>> pairs;
  if (const auto* array = json.as_array()) {
    for (const auto& pair : *array) {
      const auto* both = pair.as_array();
      if (both && both->size() == 2) pairs.emplace_back((*both)[0].string_or(""), (*both)[1].string_or(""));
    }
  }
  return pairs;
}

Result<Generation> generation_from(std::string_view text) {
  auto json = base::Json::parse(text);
  if (!json) return json.error();
  Generation generation;
  generation.number = static_cast<std::uint64_t>((*json)["number"].integer_or(0));
  generation.digest = (*json)["digest"].string_or("");
  generation.since = base::TimePoint{std::chrono::seconds{(*json)["since"].integer_or(0)}};
  generation.back_to = static_cast<std::uint64_t>((*json)["back_to"].integer_or(0));
  generation.source.directory = (*json)["directory"].string_or("");
  generation.source.file_roots = paths_from((*json)["file_roots"]);
  generation.source.programs = (*json)["programs"].bool_or(false);
  generation.source.variables = pairs_from((*json)["variables"]);
  generation.source.variable_files = paths_from((*json)["variable_files"]);
  const auto environment = pairs_from((*json)["environment"]);
  generation.source.environment.emplace(environment.begin(), environment.end());
  const auto* files = (*json)["files"].as_object();
  if (generation.number == 0 || generation.digest.empty() || !files) {
    return Error{Errc::kMalformed, "it has no number, digest or files"};
  }
  for (const auto& [path, digest] : *files) generation.files[path] = std::string(digest.string_or(""));
  return generation;
}

std::string digest_of(const Generation& generation) {
  std::string text;
  for (const auto& [path, digest] : generation.files) {
    text += fmt::format("{} {}\n", path.lexically_relative(generation.source.directory).native(), digest);
  }
  for (const auto& [name, value] : generation.source.variables) text += fmt::format("{}={}\n", name, value);
  for (const auto& [name, value] : *generation.source.environment) text += fmt::format("{}={}\n", name, value);
  return base::hex(base::sha256(text)).substr(0, 12);
}

// Whatever links lead there now; and the variables of the environment as they are now.
StackSource as_it_is(StackSource source) {
  std::error_code failure;
  source.directory = fs::weakly_canonical(source.directory, failure);
  for (auto* paths : {&source.file_roots, &source.variable_files}) {
    for (auto& path : *paths) path = fs::weakly_canonical(path, failure);
  }
  auto all = source.environment ? *source.environment : process_environment();
  std::erase_if(all, [](const auto& one) { return !one.first.starts_with(kVariablePrefix); });
  source.environment = std::move(all);
  return source;
}

bool is_or_holds(const fs::path& path, const fs::path& below) {
  return std::mismatch(path.begin(), path.end(), below.begin(), below.end()).first == path.end();
}

// The path in `text` that a kept file has, itself or somewhere below it; "": none.
bool names_kept(const KeptFiles& files, const std::string& text) {
  if (text.size() < 2 || text.front() != '/') return false;
  const fs::path path = fs::path(text).lexically_normal();
  const auto at = files.lower_bound(path);
  return at != files.end() && is_or_holds(path, at->first);
}

const std::string* absolute_name(const KeptFiles& files, const stack::Value& value) {
  if (value.is_string()) return names_kept(files, value.string()) ? &value.string() : nullptr;
  if (value.is_sequence()) {
    for (const auto& element : value.elements()) {
      if (const auto* found = absolute_name(files, element)) return found;
    }
  } else if (value.is_map()) {
    for (const auto& [name, member] : value.members()) {
      if (const auto* found = absolute_name(files, member)) return found;
    }
  }
  return nullptr;
}

}  // namespace

std::string Generation::name() const { return fmt::format("generation {} ({})", number, digest); }

Result<Generations> Generations::open(fs::path directory) {
  Generations generations(std::move(directory));
  std::error_code failure;
  if (!fs::exists(generations.directory_, failure)) return generations;
  for (const auto& entry : fs::directory_iterator(generations.directory_, failure)) {
    const auto manifest = entry.path() / "generation.json";
    std::error_code missing;
    if (!fs::exists(manifest, missing) && !missing) {
      fs::remove_all(entry.path(), missing);  // torn by a crash: files first, the manifest last
      continue;
    }
    auto text = base::read_file(manifest, kManifestBytes);
    auto generation = text ? generation_from(*text) : Result<Generation>(text.error());
    if (!generation) {
      base::log(base::Level::kError, "platform", "no way back to what {} has: {}", entry.path().native(),
                generation.error().message);
      continue;
    }
    generations.all_.push_back(std::move(*generation));
  }
  if (failure) return system_error(failure.value(), "list", generations.directory_.native());
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
  const auto* now = current();
  for (auto one = all_.rbegin(); one != all_.rend(); ++one) {
    if (!now || (one->digest != now->digest && one->number < now->number)) return &*one;
  }
  return nullptr;
}

Result<std::uint64_t> Generations::keep(const stack::Stack& stack, const StackSource& source, base::TimePoint now) {
  Generation generation;
  generation.since = now;
  generation.source = as_it_is(source);
  auto files = files_of(stack, generation.source);
  if (!files) return files.error();
  generation.files = std::move(*files);
  generation.digest = digest_of(generation);
  const auto* newest = current_ ? current() : all_.empty() ? nullptr : &all_.back();
  if (newest && newest->digest == generation.digest) return newest->number;
  return add(std::move(generation), {});
}

Result<std::uint64_t> Generations::keep_again(const Generation& older, base::TimePoint now) {
  Generation generation = older;
  generation.since = now;
  generation.back_to = older.number;
  return add(std::move(generation), tree(older));
}

Result<std::uint64_t> Generations::add(Generation generation, const fs::path& from) {
  // Variables and files may be secrets.
  if (auto made = base::make_directory(directory_, 0700); !made) return made.error();
  generation.number = all_.empty() ? 1 : all_.back().number + 1;
  std::error_code failure;
  const auto place = folder(generation.number);
  fs::remove_all(place, failure);
  const KeptFiles none;
  const Generation* linked = generation.back_to > 0 ? find(generation.back_to) : all_.empty() ? nullptr : &all_.back();
  auto kept = copy_files(generation.files, from, place / "tree", linked ? linked->files : none,
                         linked ? tree(*linked) : fs::path());
  if (kept) {
    generation.digest = digest_of(generation);
    kept = base::replace_file(place / "generation.json", to_json(generation).dump(1) + "\n", 0600);
  }
  if (!kept) {
    fs::remove_all(place, failure);
    return kept.error();
  }
  const auto number = generation.number;
  all_.push_back(std::move(generation));
  return number;
}

void Generations::in_force(std::optional<std::uint64_t> number) {
  current_ = number;
  std::error_code failure;
  for (auto oldest = all_.begin(); all_.size() > kMost && oldest != all_.end();) {
    if (current_ && oldest->number == *current_) {
      ++oldest;
      continue;
    }
    fs::remove_all(folder(oldest->number), failure);
    oldest = all_.erase(oldest);
  }
}

void Generations::drop(std::uint64_t number) {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& one) { return one.number == number; });
  if (found == all_.end() || (current_ && *current_ == number)) return;
  std::error_code failure;
  fs::remove_all(folder(number), failure);
  all_.erase(found);
}

Result<StackSource> Generations::kept_source(const Generation& generation) const {
  const auto kept = tree(generation);
  if (auto whole = verify_files(generation.files, kept); !whole) return whole.error().within(generation.name());
  StackSource source = generation.source;
  for (auto& [name, value] : source.variables) {
    // A variable that says where code lies says where it is kept; one that names what is around everything does not.
    if (names_kept(generation.files, value) &&
        !is_or_holds(fs::path(value).lexically_normal(), generation.source.directory)) {
      value = within(kept, value).native();
    }
  }
  source.directory = within(kept, source.directory);
  for (auto& path : source.variable_files) path = within(kept, path);
  for (auto& root : source.file_roots) root = within(kept, root);
  return source;
}

Result<Done> Generations::check_read_back(const Generation& generation, const stack::Stack& stack) const {
  for (const auto& resource : stack.resources) {
    const auto* name = absolute_name(generation.files, resource.attributes.unmarked());
    if (!name) continue;
    return Error{Errc::kUnsupported,
                 fmt::format("{} of {} names {} by its absolute path, which is the file of today and not that of then; "
                             "a path from ${{path.module}}, or one in a -var, can go back",
                             resource.address, generation.name(), *name)};
  }
  return Done{};
}

std::string Generations::without_places(std::string text) const {
  const std::string begin = directory_.native() + "/";
  constexpr std::string_view kTree = "/tree";
  for (std::size_t at = 0; (at = text.find(begin, at)) != std::string::npos;) {
    auto end = at + begin.size();
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
    if (text.compare(end, kTree.size(), kTree) == 0) {
      text.erase(at, end + kTree.size() - at);
    } else {
      at = end;
    }
  }
  return text;
}

void Generations::forget_places(stack::Plan& plan) const {
  const auto same = [this](const stack::Change::Attribute& attribute) {
    if (!attribute.before.is_string() || !attribute.after.is_string()) return false;
    return without_places(attribute.before.string()) == without_places(attribute.after.string());
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
