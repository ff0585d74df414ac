#include "k6/rewriter.h"

#include <gmock/gmock.h>

#include <ctime>

#include <algorithm>

#include "k6/tokens.h"

namespace securebase::k6 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> texts_of(std::string_view source) {
  auto tokens = tokenize(source);
  EXPECT_TRUE(tokens.has_value()) << (tokens ? "" : tokens.error().message);
  std::vector<std::string> texts;
  if (tokens) {
    for (const auto& token : *tokens) texts.emplace_back(token.text);
  }
  return texts;
}

ModuleText rewritten(std::string_view source) {
  auto text = rewrite(source);
  EXPECT_TRUE(text.has_value()) << (text ? "" : text.error().message);
  return text ? std::move(*text) : ModuleText{};
}

TEST(Tokens, SlashesAreDivisionsOrRegularExpressionsAsTheGrammarHasIt) {
  EXPECT_THAT(texts_of("a / b / c"), ElementsAre("a", "/", "b", "/", "c"));
  EXPECT_THAT(texts_of("x = /a[/]b/g.test(s)"), ElementsAre("x", "=", "/a[/]b/g", ".", "test", "(", "s", ")"));
  EXPECT_THAT(texts_of("if (a) /b/.exec(c)"), ElementsAre("if", "(", "a", ")", "/b/", ".", "exec", "(", "c", ")"));
  EXPECT_THAT(texts_of("(a) / b / c"), ElementsAre("(", "a", ")", "/", "b", "/", "c"));
  EXPECT_THAT(texts_of("return /'/"), ElementsAre("return", "/'/"));
  EXPECT_THAT(texts_of("x = {} / 2 / 1"), ElementsAre("x", "=", "{", "}", "/", "2", "/", "1"));
  EXPECT_THAT(texts_of("o.in / 2"), ElementsAre("o", ".", "in", "/", "2"));
}

TEST(Tokens, TemplatesHoldExpressionsThatHoldTemplates) {
  EXPECT_THAT(texts_of("`a${ `b${c}` }d` / 2"), ElementsAre("`a${", "`b${", "c", "}`", "}d`", "/", "2"));
}

TEST(Tokens, LinesAndColumnsAreThoseOfTheSource) {
  auto tokens = tokenize("/* a\n b */ x\r\n  'y\\\nz' w");
  ASSERT_TRUE(tokens.has_value());
  ASSERT_EQ(tokens->size(), 3U);
  EXPECT_EQ((*tokens)[0].line, 2U);
  EXPECT_EQ((*tokens)[0].column, 7U);
  EXPECT_EQ((*tokens)[1].line, 3U);
  EXPECT_EQ((*tokens)[1].column, 3U);
  EXPECT_EQ((*tokens)[2].line, 4U);
}

TEST(Tokens, WhatIsNotClosedIsToldWithItsPlace) {
  EXPECT_THAT(tokenize("let a = 'b\n").error().message, HasSubstr("1:9: a string begins here"));
  EXPECT_THAT(tokenize("\n  `abc").error().message, HasSubstr("2:3: a template begins here"));
  EXPECT_THAT(tokenize("f(a]").error().message, HasSubstr("1:4: expected the end of '('"));
  EXPECT_THAT(tokenize(std::string(600, '(')).error().message, HasSubstr("500 levels"));
}

TEST(Rewriter, ImportsAreBlankedInPlaceAndTold) {
  const std::string source =
      "import http, { get as fetch, 'odd name' as odd } from 'k6/http';\nimport * as k6 from \"k6\"\nimport "
      "'./side.js';\nhttp.get(1)";
  const auto text = rewritten(source);
  EXPECT_EQ(text.body.size(), source.size());
  EXPECT_EQ(text.body.find("http.get(1)"), source.find("http.get(1)"));
  EXPECT_EQ(text.body.find("import"), std::string::npos);
  ASSERT_EQ(text.imports.size(), 4U);
  EXPECT_EQ(text.imports[0].imported, "default");
  EXPECT_EQ(text.imports[0].local, "http");
  EXPECT_EQ(text.imports[1].imported, "get");
  EXPECT_EQ(text.imports[1].local, "fetch");
  EXPECT_EQ(text.imports[2].imported, "odd name");
  EXPECT_EQ(text.imports[3].imported, "*");
  ASSERT_EQ(text.dependencies.size(), 3U);
  EXPECT_EQ(text.dependencies[2].specifier, "./side.js");
  EXPECT_TRUE(text.is_module);
}

TEST(Rewriter, ExportsKeepTheirDeclarations) {
  const auto text = rewritten(
      "export const a = 1, { b, c: [d = 2, ...e], ['k']: f } = g;\nexport let h = function () { return 1, 2 }\nexport "
      "async function* i() {}\n"
      "export class J {}\nconst k = 1; export { k as l, k as 'm n' };\nexport default function () { return a }");
  std::vector<std::string> names;
  for (const auto& exported : text.exports) names.push_back(exported.exported);
  EXPECT_THAT(names, ElementsAre("a", "b", "d", "e", "f", "h", "i", "J", "l", "m n", "default"));
  EXPECT_THAT(text.body, HasSubstr("function __k6_d"));
  EXPECT_THAT(text.body, HasSubstr("const a = 1"));
}

TEST(Rewriter, DefaultExportsOfEveryForm) {
  EXPECT_EQ(rewritten("export default () => 1").exports[0].local, "__k6_d");
  EXPECT_THAT(rewritten("export default { a: 1 }").body, HasSubstr("const __k6_d="));
  EXPECT_EQ(rewritten("export default class A {}").exports[0].local, "A");
  EXPECT_THAT(rewritten("export default class extends B {}").body, HasSubstr("class __k6_d"));
  EXPECT_THAT(rewritten("export default async function () {}").body, HasSubstr("async function __k6_d"));
  EXPECT_EQ(rewritten("export default async function main() {}").exports[0].local, "main");
}

TEST(Rewriter, WhatOnlyLooksLikeADeclarationStays) {
  for (const std::string source : {"x.import(a); y = {export: 1, import: 2}; s = 'import a from b'",
                                   "// import x from 'y'\nz = `export ${1}`", "class A { import() {} export() {} }"}) {
    const auto text = rewritten(source);
    EXPECT_EQ(text.body, source);
    EXPECT_FALSE(text.is_module);
  }
}

TEST(Rewriter, DynamicImportAndMetaBecomeNames) {
  const auto text = rewritten("const m = await import('./a.js'); const u = import.meta.url; export {}");
  EXPECT_THAT(text.body, HasSubstr("__k6_i('./a.js')"));
  EXPECT_THAT(text.body, HasSubstr("__k6_meta"));
  EXPECT_TRUE(text.top_level_await);
}

TEST(Rewriter, ReassignedExportsAreSeen) {
  const auto text =
      rewritten("export let a = 1, b = 2; export const c = 3; function f() { a++; if (b == 1 && x.c) {} }");
  EXPECT_TRUE(text.exports[0].reassigned);
  EXPECT_FALSE(text.exports[2].reassigned);
}

TEST(Rewriter, ExportsThatPatternsAssignToAreSeen) {
  const auto text = rewritten(
      "export let a = 1; export let b = 2; export let c = 3; export let d = 4; export let e = 5; const x = {};\n"
      "function f() { [a, b] = [b, a]; ({ c } = { c: 9 }); for (d of [4, 5]); x[e] = 1; const { g } = x; }");
  std::string reassigned;
  for (const auto& exported : text.exports) {
    if (exported.reassigned) reassigned += exported.exported;
  }
  EXPECT_EQ(reassigned, "abcd");
}

TEST(Rewriter, ManyAwaitsAreReadInOnePass) {
  std::string source = "async function f() {\n";
  for (int i = 0; i < 50'000; ++i) source += "  await g();\n";
  const auto began = std::clock();  // of this process: what else the machine does is not in it
  EXPECT_FALSE(rewritten(source + "}\n").top_level_await);
  EXPECT_LT((std::clock() - began) / CLOCKS_PER_SEC, 10);
}

TEST(Rewriter, AnAwaitOfTheModuleIsToldFromThoseOfItsFunctions) {
  for (const char* own :
       {"const a = JSON.parse(await b())", "if (x) { await y }", "for await (const a of b) {}", "{ await a }",
        "const f = async () => g()\nawait f()", "const f = async () => 1, b = await f()", "x = `${await a}`",
        "async function f() { await 1 }\nawait f()", "try { await a } catch { b }", "while (a) { [await b] }"}) {
    EXPECT_TRUE(rewritten(own).top_level_await) << own;
  }
  for (const char* of_function :
       {"async function f() { await a }", "const f = async () => await g()",
        "const f = async () => ({ a: [await g()] })", "class A { async b() { await c } }",
        "export default async function () { if (a) { await b } }",
        "const o = { async m(a = 1) { for await (const b of c) {} } }", "f(async (a) => { await a })",
        "const f = async (a) =>\n  (await a).b", "x = { await: 1 }", "async function f() { return `${await a}` }"}) {
    EXPECT_FALSE(rewritten(of_function).top_level_await) << of_function;
  }
}

TEST(Rewriter, ReExportsAreTold) {
  const auto text =
      rewritten("export * from './a.js'; export * as ns from './b.js'; export { default as c, d } from './a.js';");
  EXPECT_THAT(text.stars, ElementsAre(0U));
  ASSERT_EQ(text.re_exports.size(), 3U);
  EXPECT_EQ(text.re_exports[0].imported, "*");
  EXPECT_EQ(text.re_exports[1].exported, "c");
  EXPECT_EQ(text.re_exports[1].imported, "default");
}

TEST(Rewriter, ASemicolonThatTheGrammarPutsInEndsADeclaration) {
  const auto text = rewritten("export const a = b\nlet c, d = 1");
  ASSERT_EQ(text.exports.size(), 1U);
}

TEST(Rewriter, ErrorsNameLineAndColumn) {
  EXPECT_THAT(rewrite("\nimport { a b } from 'c'").error().message, HasSubstr("2:12: expected ',' or '}', found b"));
  EXPECT_THAT(rewrite("import a 'b'").error().message, HasSubstr("1:10: expected 'from'"));
  EXPECT_THAT(rewrite("export 1").error().message, HasSubstr("1:8: expected 'default'"));
  EXPECT_THAT(rewrite("export const a = 1; export { a }").error().message, HasSubstr("1:30: 'a' is exported twice"));
}

}  // namespace
}  // namespace securebase::k6
