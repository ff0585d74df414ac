#include "functions/resources.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/random.h"
#include "functions/functions.h"
#include "stack/stack.h"

namespace securebase::functions {
namespace {

// What the room says of a stack of one file.
stack::Diagnostics problems_of(const std::string& text) {
  const auto directory = std::filesystem::temp_directory_path() / ("functions-stack-" + base::random_hex(12));
  std::filesystem::create_directories(directory);
  EXPECT_TRUE(base::replace_file(directory / "main.tf", text));
  stack::Catalogue catalogue;
  declare(catalogue);
  stack::Inputs inputs;
  inputs.directory = directory;
  const auto loaded = stack::load(inputs, catalogue);
  std::filesystem::remove_all(directory);
  EXPECT_TRUE(loaded) << (loaded ? "" : stack::render(loaded.error()));
  if (!loaded) return {};
  auto config = configure(*loaded);
  return config ? stack::Diagnostics() : std::move(config.error());
}

TEST(Configure, SaysOnceWhatIsWrongWithAFunctionThatOthersAreAbout) {
  const auto problems = problems_of(R"(
    resource "aws_lambda_function" "f" {
      function_name = "f"
      role          = "arn:aws:iam::123456789012:role/r"
      runtime       = "cobol"
      handler       = "app.handler"
      filename      = "f.zip"
    }
    resource "aws_lambda_alias" "live" {
      name             = "live"
      function_name    = aws_lambda_function.f.function_name
      function_version = "$LATEST"
    }
  )");
  ASSERT_EQ(problems.size(), 1u) << stack::render(problems);
  EXPECT_EQ(problems[0].summary, "Unsupported runtime");
}

TEST(Configure, SaysWhatIsAboutAFunctionThatIsNotThere) {
  const auto problems = problems_of(R"(
    resource "aws_lambda_alias" "live" {
      name             = "live"
      function_name    = "f"
      function_version = "$LATEST"
    }
  )");
  ASSERT_EQ(problems.size(), 1u) << stack::render(problems);
  EXPECT_EQ(problems[0].summary, "Missing function");
}

}  // namespace
}  // namespace securebase::functions
