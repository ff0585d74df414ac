// Files are read from inside the stack's directory alone: a stack that came from elsewhere must not be able to read the
// machine's secrets. What a symbolic link points to counts, not where it lies.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "stack/evaluate/evaluator.h"
#include "stack/functions/function.h"
#include "stack/functions/glob.h"
#include "stack/functions/text.h"
#include "stack/syntax/parser.h"

namespace securebase::stack {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostReadBytes = std::size_t{256} << 20;
constexpr int kMostTemplates = 20;  // templatefile() inside templatefile()

// nullopt: reported.
std::optional<fs::path> inside(Arguments& a, std::size_t i, const std::string& given) {
  if (a.context().root.empty()) {
    a.fail(i, "files cannot be read here");
    return std::nullopt;
  }
  auto path = readable_path(a.context(), given);
  if (!path) a.fail(i, path.error().message);
  return path ? std::optional(*path) : std::nullopt;
}

std::string contents(Arguments& a, std::size_t i) {
  const std::string given = a.text(i);
  if (a.failed()) return {};
  const auto path = inside(a, i, given);
  if (!path) return {};
  std::error_code failure;
  if (!fs::is_regular_file(*path, failure)) {
    a.fail(i, fmt::format("no file exists at {}; this function works only with files that are there when the stack is "
                          "read",
                          in_quotes(given)));
    return {};
  }
  auto bytes = base::read_file(*path, kMostReadBytes);
  if (!bytes) {
    a.fail(i, bytes.error().message);
    return {};
  }
  if (a.context().files) a.context().files->push_back(path->string());
  return std::move(*bytes);
}

Value file(Arguments& a) {
  std::string bytes = contents(a, 0);
  if (!is_utf8(bytes)) return a.fail(0, "contents of the file are not valid UTF-8; use filebase64 to get its bytes");
  return bytes;
}
Value filebase64(Arguments& a) { return base::base64(contents(a, 0)); }
Value filemd5(Arguments& a) { return base::hex(base::md5(contents(a, 0))); }
Value filesha1(Arguments& a) { return base::hex(base::sha1(contents(a, 0))); }
Value filesha256(Arguments& a) { return base::hex(base::sha256(contents(a, 0))); }
Value filesha512(Arguments& a) { return base::hex(base::sha512(contents(a, 0))); }
Value filebase64sha256(Arguments& a) { return base::base64(base::sha256(contents(a, 0))); }
Value filebase64sha512(Arguments& a) { return base::base64(base::sha512(contents(a, 0))); }

Value fileexists(Arguments& a) {
  const std::string given = a.text(0);
  const auto path = a.failed() ? std::nullopt : inside(a, 0, given);
  std::error_code failure;
  return path && fs::is_regular_file(*path, failure);
}

Value fileset(Arguments& a) {
  const std::string given = a.text(0);
  const std::string pattern = a.text(1);
  const auto top = a.failed() ? std::nullopt : inside(a, 0, given);
  if (!top) return {};
  Value::List found;
  std::error_code failure;
  if (!fs::is_directory(*top, failure)) return Value::set({});
  const auto below = base::files_below(*top);
  if (!below) return a.fail(0, below.error().message);
  for (const auto& path : *below) {
    if (glob_matches(pattern, path.generic_string())) found.emplace_back(path.generic_string());
  }
  return Value::set(std::move(found));
}

Value rendered(Arguments& a, std::string name, std::string text) {
  if (a.failed()) return {};
  if (a.context().template_depth >= kMostTemplates) {
    return a.fail(0, "templates that read templates may be nested 20 levels deep");
  }
  const auto source = std::make_shared<const SourceFile>(SourceFile{std::move(name), std::move(text)});
  Diagnostics diagnostics;
  std::optional<Value> made;
  if (const auto parsed = parse_template(source, diagnostics)) {
    FunctionContext inner = a.context();
    ++inner.template_depth;
    made = evaluate_template(*parsed, a.map(1), inner, diagnostics);
  }
  if (made) return *made;
  std::string reasons;
  for (const auto& one : diagnostics) {
    reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", one.range.text(), one.detail);
    if (!one.suggestion.empty()) reasons += fmt::format(" Did you mean \"{}\"?", one.suggestion);
  }
  while (reasons.ends_with('.')) reasons.pop_back();
  return a.fail(0, reasons);
}

Value templatefile(Arguments& a) {
  std::string text = contents(a, 0);
  if (!is_utf8(text)) return a.fail(0, "contents of the template are not valid UTF-8");
  return a.failed() ? Value() : rendered(a, a.text(0), std::move(text));
}
Value templatestring(Arguments& a) { return rendered(a, "<template>", a.text(0)); }

Value abspath(Arguments& a) { return fs::absolute(a.context().root / a.text(0)).lexically_normal().string(); }

Value basename(Arguments& a) {
  std::string text = a.text(0);
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  if (text.empty()) return ".";
  return text == "/" ? text : text.substr(text.rfind('/') + 1);
}

Value dirname(Arguments& a) {
  const std::string text = a.text(0);
  const auto slash = text.rfind('/');
  if (slash == std::string::npos) return ".";
  std::string cleaned = fs::path(text.substr(0, slash + 1)).lexically_normal().string();
  while (cleaned.size() > 1 && cleaned.ends_with('/')) cleaned.pop_back();
  return cleaned;
}

// The home directory is no part of a stack; but the words alone tell nothing.
Value pathexpand(Arguments& a) {
  const std::string text = a.text(0);
  const char* home = std::getenv("HOME");
  if (!home || (text != "~" && !text.starts_with("~/"))) return text;
  return home + text.substr(1);
}

constexpr Function kFileFunctions[] = {
    {"abspath", 1, 1, abspath},
    {"basename", 1, 1, basename},
    {"dirname", 1, 1, dirname},
    {"file", 1, 1, file},
    {"filebase64", 1, 1, filebase64},
    {"filebase64sha256", 1, 1, filebase64sha256},
    {"filebase64sha512", 1, 1, filebase64sha512},
    {"fileexists", 1, 1, fileexists},
    {"filemd5", 1, 1, filemd5},
    {"fileset", 2, 2, fileset},
    {"filesha1", 1, 1, filesha1},
    {"filesha256", 1, 1, filesha256},
    {"filesha512", 1, 1, filesha512},
    {"pathexpand", 1, 1, pathexpand},
    {"templatefile", 2, 2, templatefile},
    {"templatestring", 2, 2, templatestring},
};

}  // namespace

Result<fs::path> readable_path(const FunctionContext& context, const std::string& given) {
  std::error_code failure;
  const fs::path whole = fs::weakly_canonical(context.root / given, failure);
  const auto holds = [&](const fs::path& directory) {
    const fs::path top = fs::weakly_canonical(directory, failure);
    return std::mismatch(top.begin(), top.end(), whole.begin(), whole.end()).first == top.end();
  };
  if (holds(context.root) || std::any_of(context.readable.begin(), context.readable.end(), holds)) return whole;
  return Error{Errc::kDenied, fmt::format("{} lies outside of the stack's directory {} and of the others that it may "
                                          "read; --allow-files DIRECTORY adds one",
                                          in_quotes(given), in_quotes(fs::weakly_canonical(context.root).string()))};
}

std::span<const Function> file_functions() { return kFileFunctions; }

}  // namespace securebase::stack
