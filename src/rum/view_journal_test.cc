#include "rum/view_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace securebase::rum {
namespace {

namespace fs = std::filesystem;

class JournalOfViews : public testing::Test {
 protected:
  JournalOfViews() {
    std::string pattern = testing::TempDir() + "views-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~JournalOfViews() override { fs::remove_all(directory_); }

  // Opens the journal, adds so many, and closes it; gives what was there.
  std::vector<View> run(int count, std::size_t keep = 10) {
    std::vector<View> views;
    auto journal = ViewJournal::open(directory_, keep, views);
    EXPECT_TRUE(journal);
    for (int i = 0; i < count; ++i) (*journal)->add(numbered(next_++));
    return views;
  }
  static View numbered(int number) {
    View view;
    view.time = base::TimePoint{std::chrono::seconds{1'795'733'347 + number}};
    view.application = "portal";
    view.path = "/invoices/" + std::to_string(number);
    view.page = "/invoices/{id}";
    view.timings.load = 1234.5;
    view.timings.layout_shift = 0.01;
    view.script_errors = 2;
    view.traces = {"1-5759e988-bd862e3fe1be46a994272793"};
    return view;
  }
  std::vector<std::string> paths(const std::vector<View>& views) {
    std::vector<std::string> all;
    for (const auto& view : views) all.push_back(view.path);
    return all;
  }

  fs::path directory_;
  int next_ = 0;
};

TEST_F(JournalOfViews, GivesAViewBackAsItWas) {
  const auto view = numbered(7);
  const auto read = view_from(to_line(view));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->time, view.time);
  EXPECT_EQ(read->application, view.application);
  EXPECT_EQ(read->path, view.path);
  EXPECT_EQ(read->page, view.page);
  EXPECT_EQ(read->timings, view.timings);
  EXPECT_EQ(read->script_errors, view.script_errors);
  EXPECT_EQ(read->traces, view.traces);
  for (const char* none : {"", "{}", "[]", "{\"time_us\":1}", "{\"time_us\":\"1\",\"page\":\"x\"}"}) {
    EXPECT_FALSE(view_from(none)) << none;
  }
}

TEST_F(JournalOfViews, HasTheNewestOnesInTheirOrderAndStaysSmall) {
  EXPECT_TRUE(run(3).empty());
  EXPECT_THAT(paths(run(0)), testing::ElementsAre("/invoices/0", "/invoices/1", "/invoices/2"));
  for (int i = 0; i < 20; ++i) run(7);
  for (int i = 0; i < 20; ++i) run(1);
  const auto views = run(0);
  ASSERT_EQ(views.size(), 10u);
  EXPECT_EQ(views.back().path, "/invoices/162");
  EXPECT_EQ(views.front().path, "/invoices/153");
  EXPECT_LE(std::distance(fs::directory_iterator(directory_), {}), 2);
}

TEST_F(JournalOfViews, GoesOnBehindWhatACrashLeft) {
  run(2);
  for (const auto& entry : fs::directory_iterator(directory_)) {
    if (fs::file_size(entry) > 0) std::ofstream(entry.path(), std::ios::app) << "{\"time_us\":17957";
  }
  run(1);
  EXPECT_THAT(paths(run(0)), testing::ElementsAre("/invoices/0", "/invoices/1", "/invoices/2"));
}

}  // namespace
}  // namespace securebase::rum
