// The parser by recursive descent: parse_expression.cc has what stands in a command, parse.cc the commands,
// parse_tables.cc those that bring other tables, or sums of one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "logs/insights/lexer.h"
#include "logs/insights/syntax.h"

namespace securebase::logs::insights {

class Parser {
 public:
  Parser(std::string_view text, const ParseLimits& limits) : lexer_(text), limits_(limits) {}

  Parsed<Query> whole();

 private:
  enum class Where { kOutside, kInsideParentheses };

  // parse.cc
  Parsed<Query> query(Where where);
  Parsed<Done> command(Query& query);
  Parsed<std::vector<Named>> columns(std::string_view of);
  Parsed<Named> column();
  Parsed<Command> filter();
  Parsed<Command> parse();
  Parsed<Done> parsed_names(std::vector<std::string>& names);
  Parsed<Command> stats();
  Parsed<Command> sort();
  Parsed<Command> limit(std::string_view word);
  Parsed<Command> dedup();
  Parsed<Command> unnest();
  Parsed<Command> diff();
  Parsed<Done> check_order(const Query& query, const Command& command) const;

  // parse_tables.cc
  Parsed<SourceOf> source();
  Parsed<Done> prefixes(SourceOf& source);
  Parsed<Command> join();
  Parsed<Command> lookup();
  Parsed<Command> add_totals();
  Parsed<bool> truth(std::string_view of);
  bool is_option(std::string_view name) const;
  Parsed<Expression> plain_field();
  Parsed<std::string> option(std::string_view name);
  Parsed<std::shared_ptr<const Query>> subquery();

  // parse_expression.cc. Each takes what binds at least as close as its name says.
  Parsed<Expression> expression() { return disjunction(); }
  Parsed<Expression> disjunction();
  Parsed<Expression> conjunction();
  Parsed<Expression> negation();
  Parsed<Expression> comparison();
  Parsed<Expression> like(Expression left, bool negated);
  Parsed<Expression> regex(Expression left, bool negated);
  Parsed<Expression> in(Expression left, bool negated);
  Parsed<Expression> sum();
  Parsed<Expression> product();
  Parsed<Expression> sign();
  Parsed<Expression> power();
  Parsed<Expression> primary();
  Parsed<Expression> constant();
  Parsed<Expression> call(const Token& name);
  Parsed<Done> arguments(Expression& call, std::size_t period_at);
  Parsed<Expression> field();
  Parsed<Expression> right_field();
  Parsed<Done> more_segments(Expression& field);
  Parsed<Expression> period();

  Parsed<Done> advance();
  bool is_sign(std::string_view sign) const { return token_.kind == Token::Kind::kSign && token_.text == sign; }
  bool is_word(std::string_view word) const {
    return token_.kind == Token::Kind::kWord && lower_case(token_.text) == word;
  }
  bool ends(Where where) const;
  Parsed<Done> expect_sign(std::string_view sign, std::string_view why);
  Parsed<std::string> name(std::string_view what);
  Malformed unexpected(std::string_view expected) const;
  Malformed wrong(Place place, std::string message) const {
    return malformed(lexer_.text(), place, std::move(message));
  }

  // Counts how deep the parser stands; one on each way that leads back to itself.
  struct Deeper {
    explicit Deeper(std::size_t& depth) : depth_(depth) { ++depth_; }
    ~Deeper() { --depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    std::size_t& depth_;
  };
  Parsed<Done> shallow() const;

  Lexer lexer_;
  const ParseLimits limits_;
  Token token_;          // not yet taken
  std::size_t end_ = 0;  // of the token before
  std::size_t depth_ = 0;
  bool in_subquery_ = false;
};

}  // namespace securebase::logs::insights
