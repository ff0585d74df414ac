// What the reader has to say about a stack: errors, warnings and notes, each with the place in the file it is about.
// Values, without threads of their own; a SourceFile is shared by every range that points into it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace securebase::stack {

struct SourceFile {
  std::string name;  // as the user would type it: relative to the stack's directory
  std::string text;
};

struct Position {
  std::uint32_t line = 1;    // from 1
  std::uint32_t column = 1;  // from 1, in characters, not bytes
  std::uint32_t byte = 0;    // from the start of the file
};

// [start, end) of a file. A range without a file stands for "nowhere in a file": a command line option, say.
struct SourceRange {
  std::shared_ptr<const SourceFile> file;
  Position start;
  Position end;

  // From the start of this one to the end of `last`.
  SourceRange to(const SourceRange& last) const { return {file, start, last.end}; }
  // "main.tf:12:3", or "" when there is no file.
  std::string text() const;
};

enum class Severity { kError, kWarning, kNote };

struct Diagnostic {
  Severity severity = Severity::kError;
  std::string summary;     // "Unsupported argument"
  std::string detail;      // whole sentences: what was expected, what came, what to do next
  SourceRange range;       // what is marked
  std::string context;     // where that stands: `resource "aws_s3_bucket" "portal"`; may be empty
  std::string suggestion;  // the word probably meant; may be empty
};

class Diagnostics {
 public:
  Diagnostic& error(std::string summary, std::string detail, SourceRange range = {});
  Diagnostic& warning(std::string summary, std::string detail, SourceRange range = {});
  Diagnostic& note(std::string summary, std::string detail, SourceRange range = {});
  void add(Diagnostic diagnostic) { all_.push_back(std::move(diagnostic)); }
  void append(Diagnostics others);

  bool has_errors() const;
  bool empty() const { return all_.empty(); }
  std::size_t size() const { return all_.size(); }
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }
  const Diagnostic& operator[](std::size_t i) const { return all_[i]; }
  // Drops all behind the first `count`.
  void truncate(std::size_t count);
  // Makes warnings of the errors behind the first `count`.
  void soften(std::size_t count);

 private:
  std::vector<Diagnostic> all_;
};

enum class Colour { kNever, kAlways };

// Terraform's manner, with the column and a marker:
//
//   Error: Unsupported argument
//
//     on main.tf:3:3, in resource "aws_s3_bucket" "portal":
//      3:   buket = "securebase-prod-portal"
//           ^^^^^
//
//   An argument named "buket" is not expected here. Did you mean "bucket"?
std::string render(const Diagnostic& diagnostic, Colour colour = Colour::kNever);
std::string render(const Diagnostics& diagnostics, Colour colour = Colour::kNever);

// The candidate that `word` is probably a misspelling of, or "" if none is near.
std::string closest(std::string_view word, std::span<const std::string> candidates);

}  // namespace securebase::stack
