// Links to code: who may fetch it, and how long.
#include "functions/code_links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/worker.h"

namespace securebase::functions {
namespace {

using namespace std::chrono_literals;
using testing::StartsWith;

class NoFunctions final : public stack::Changes {
 public:
  std::shared_ptr<const stack::Stack> current() const override { return std::make_shared<const stack::Stack>(); }
  Result<std::shared_ptr<const stack::Stack>> change(const Decide&) override { return current(); }
};

class CodeLinksTest : public testing::Test {
 protected:
  int status_of(std::string_view link, http::Method method = http::Method::kGet) {
    link.remove_prefix(settings_.public_url.size());
    http::Request request;
    request.method = method;
    request.path = link.substr(0, link.find('?'));
    request.query = link.substr(link.find('?') + 1);
    EXPECT_TRUE(links_.recognises(request));
    int status = 0;
    worker_.run_until_done(ask(request, status));
    return status;
  }
  net::Task<void> ask(http::Request& request, int& status) {
    const auto response = co_await links_.answer(request);
    status = response.status;
  }

  CodeLinks::Settings settings_{"http://127.0.0.1:4566", "a key"};
  NoFunctions changes_;
  net::Pool pool_{1, 4};
  net::Worker worker_{0};
  base::ManualClock clock_;
  CodeLinks links_{settings_, changes_, pool_, clock_};
};

TEST_F(CodeLinksTest, AreOfOneVersionForTenMinutes) {
  const auto link = links_.link(CodeLinks::Kind::kFunction, "a b", "$LATEST");
  EXPECT_THAT(link, StartsWith("http://127.0.0.1:4566/_securebase/code/function/a%20b/%24LATEST?Expires="));
  EXPECT_EQ(status_of(link), 404) << "ours, and there is no such function";
  EXPECT_EQ(status_of(link, http::Method::kPut), 403);
  for (const auto& [from, to] :
       {std::pair{"a%20b", "other"}, {"%24LATEST", "1"}, {"function", "layer"}, {"Expires=", "Expires=9"}}) {
    auto forged = link;
    forged.replace(forged.find(from), std::string_view(from).size(), to);
    EXPECT_EQ(status_of(forged), 403) << forged;
  }
  clock_.advance(9min);
  EXPECT_EQ(status_of(link), 404);
  clock_.advance(2min);
  EXPECT_EQ(status_of(link), 403);
}

TEST_F(CodeLinksTest, RecogniseNoBucket) {
  http::Request request;
  request.path = "/securebase/code/function/a/1";
  EXPECT_FALSE(links_.recognises(request));
}

}  // namespace
}  // namespace securebase::functions
