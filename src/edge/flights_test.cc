// Fetches that many share, bodies that are streamed through, viewers that leave.
#include "edge/engine_test.h"

namespace securebase::edge {
namespace {

TEST_F(EdgeTest, FetchesOnceForAThousand) {
  net::Event go;
  origin_.hold = &go;
  std::vector<Answer> answers(1000);
  worker_.run_until_done(ask_all(answers));
  go.notify_all();
  worker_.run_until_done(settled());
  EXPECT_EQ(origin_.seen.size(), 1U);
  for (const auto& answer : answers) EXPECT_EQ(answer.body, "hello");
}

TEST_F(EdgeTest, LetsEachFetchTheirOwnWhatIsNotShareable) {
  origin_.answers = [](const OriginRequest&, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "no-store");
    response.body = "own";
    return response;
  };
  net::Event go;
  origin_.hold = &go;
  std::vector<Answer> answers(10);
  worker_.run_until_done(ask_all(answers));
  origin_.hold = nullptr;
  go.notify_all();
  worker_.run_until_done(settled());
  EXPECT_EQ(origin_.seen.size(), 10U);
  for (const auto& answer : answers) EXPECT_EQ(answer.body, "own");
}

// ---- What is invalidated in the air

class InTheAir : public EdgeTest {
 protected:
  InTheAir() {
    origin_.hold = &go_;
    origin_.answers = [this](const OriginRequest&, const Caller&) {
      http::Response response;
      response.headers.add("Cache-Control", "max-age=300, public");
      response.headers.add("Cache-Tag", "tickets:42");
      response.body = "version " + std::to_string(++versions_);
      return response;
    };
  }
  void begin(Answer& answer) { worker_.run_until_done(spawn(answer)); }
  net::Task<void> spawn(Answer& answer) {
    worker_.tasks().spawn(ask(answer, "GET", "/a", {}));
    auto slept = co_await net::sleep_for(1ms);
    static_cast<void>(slept);
  }
  void land() {
    origin_.hold = nullptr;
    go_.notify_all();
    worker_.run_until_done(settled());
  }

  net::Event go_;
  int versions_ = 0;
};

TEST_F(InTheAir, WhoComesAfterAnInvalidationIsNotAnsweredByWhatBeganBefore) {
  Answer before, after[3];
  begin(before);
  EXPECT_TRUE(engine().invalidate({}, {}, {"tickets:42"}, Strength::kHard));
  for (auto& answer : after) begin(answer);
  land();
  EXPECT_EQ(before.body, "version 1");
  for (const auto& answer : after) EXPECT_EQ(answer.body, "version 2");
  EXPECT_EQ(origin_.seen.size(), 2U) << "one flight for those who came after";
  EXPECT_EQ(get("/a").body, "version 2");
  EXPECT_EQ(origin_.seen.size(), 2U) << "and it is kept";
}

TEST_F(InTheAir, ASoftInvalidationLetsThemShare) {
  Answer before, after;
  begin(before);
  EXPECT_TRUE(engine().invalidate({}, {"/a"}, {}, Strength::kSoft));
  begin(after);
  land();
  EXPECT_EQ(after.body, "version 1");
}

TEST_F(EdgeTest, BoundsTheRefreshesBehindStaleOnes) {
  settings_.background_fetches = 2;
  for (const char* path : {"/a", "/b", "/c"}) get(path);
  EXPECT_TRUE(engine().invalidate({}, {"/*"}, {}, Strength::kSoft));
  net::Event go;
  origin_.hold = &go;
  std::vector<Answer> answers(3);
  struct Asking {
    static net::Task<void> run(net::Task<void> a, net::Task<void> b, net::Task<void> c) {
      co_await std::move(a);
      co_await std::move(b);
      co_await std::move(c);
    }
  };
  worker_.run_until_done(Asking::run(ask(answers[0], "GET", "/a", {}), ask(answers[1], "GET", "/b", {}),
                                     ask(answers[2], "GET", "/c", {})));
  for (const auto& answer : answers) EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(origin_.seen.size(), 5U) << "no refresh began behind the third";
  origin_.hold = nullptr;
  go.notify_all();
  worker_.run_until_done(settled());
  get("/c");
  EXPECT_EQ(origin_.seen.size(), 6U);
}

// ---- Bodies beyond what is kept

class LargeBodies : public EdgeTest {
 protected:
  static constexpr std::size_t kPiece = 64 << 10;
  static constexpr std::size_t kPieces = 320;  // 20 MiB
  static constexpr std::size_t kWhole = kPiece * kPieces;

  LargeBodies() {
    origin_.answers = [this](const OriginRequest&, const Caller&) {
      http::Response response;
      response.headers.add("Cache-Control", "max-age=300, public");
      response.headers.add("ETag", "\"large\"");
      response.body = http::Body(std::make_unique<MadeBody>(kPieces, kPiece, making_), length_);
      return response;
    };
  }

  // A viewer who reads as the test says.
  struct Viewer {
    int status = 0;
    std::size_t read = 0;
    std::size_t allowed = SIZE_MAX;  // bytes, then it waits for `more`
    net::Event more;
    bool leaves = false;  // instead of waiting
    std::optional<Error> error;
    bool done = false;
  };
  net::Task<void> view(Viewer& viewer) {
    http::Request request;
    request.authority = authority_;
    request.path = request.target = "/large";
    auto response = co_await engine().answer(request);
    viewer.status = response.status;
    const auto stream = response.body.take_stream();
    while (stream) {
      while (viewer.read >= viewer.allowed && !viewer.leaves) {
        const auto ticket = viewer.more.ticket();
        auto told = co_await viewer.more.after(ticket);
        if (!told) co_return;
      }
      if (viewer.leaves && viewer.read >= viewer.allowed) break;
      auto piece = co_await stream->next();
      if (!piece) {
        viewer.error = piece.error();
        break;
      }
      if (piece->empty()) break;
      viewer.read += piece->size();
    }
    viewer.done = true;
  }
  // Both ask before the origin answers.
  void view_both(Viewer& a, Viewer& b) { worker_.run_until_done(begin(a, b)); }
  net::Task<void> begin(Viewer& a, Viewer& b) {
    net::Event answer;
    origin_.hold = &answer;
    worker_.tasks().spawn(view(a));
    worker_.tasks().spawn(view(b));
    auto asked = co_await net::sleep_for(1ms);
    static_cast<void>(asked);
    origin_.hold = nullptr;
    answer.notify_all();
    auto slept = co_await net::sleep_for(2ms);
    static_cast<void>(slept);
  }
  net::Task<void> wait_for(const bool& done) {
    for (int i = 0; i < 20'000 && !done; ++i) {
      auto slept = co_await net::sleep_for(50us);
      if (!slept) co_return;
    }
  }

  Making making_;
  std::optional<std::uint64_t> length_ = kWhole;
};

TEST_F(LargeBodies, AreStreamedAndNotStored) {
  const auto answer = get("/large");
  EXPECT_EQ(answer.body.size(), kWhole);
  EXPECT_EQ(answer.length, kWhole);
  EXPECT_EQ(engine().statistics().stored, 0U);
  EXPECT_EQ(engine().statistics().flights, 0U);
  EXPECT_EQ(get("/large").x_cache(), "Miss from cloudfront");
}

TEST_F(LargeBodies, LieInMemoryAWindowAtATime) {
  length_.reset();  // the origin does not say how much comes
  Viewer quick, slow;
  slow.allowed = 3 * kPiece;
  view_both(quick, slow);
  EXPECT_EQ(origin_.seen.size(), 1U) << "one flight for both";
  EXPECT_EQ(slow.read, 3 * kPiece);
  // The first 8 MiB are kept, for they might have been all; from there on the slowest reader holds back the origin.
  EXPECT_LE(making_.made, slow.read + settings_.object_bytes + 2 * kPiece);
  slow.allowed = 10 << 20;
  slow.more.notify_all();
  worker_.run_until_done(wait_for(quick.done));
  EXPECT_FALSE(quick.done);
  EXPECT_LE(making_.made, slow.read + settings_.window_bytes + 2 * kPiece);
  slow.allowed = SIZE_MAX;
  slow.more.notify_all();
  worker_.run_until_done(wait_for(slow.done));
  worker_.run_until_done(settled());
  EXPECT_EQ(quick.read, kWhole);
  EXPECT_EQ(slow.read, kWhole);
  EXPECT_FALSE(quick.error || slow.error);
  EXPECT_EQ(engine().statistics().stored, 0U);
}

TEST_F(LargeBodies, GoOnForThoseWhoStay) {
  length_.reset();
  Viewer leaving, staying;
  leaving.allowed = 2 * kPiece;
  leaving.leaves = true;
  view_both(leaving, staying);
  worker_.run_until_done(settled());
  EXPECT_EQ(staying.read, kWhole);
  EXPECT_FALSE(staying.error);
}

TEST_F(LargeBodies, EndWithTheirLastViewer) {
  Viewer one, other;
  one.allowed = other.allowed = kPiece;
  one.leaves = other.leaves = true;
  view_both(one, other);
  worker_.run_until_done(settled());
  EXPECT_TRUE(making_.gone) << "the origin's body is let go";
  EXPECT_LT(making_.made, kWhole);
  EXPECT_EQ(engine().statistics().flights, 0U);
}

TEST_F(LargeBodies, AreCutToTheRangeThatIsAskedFor) {
  const auto whole = get("/large").body;
  const auto part = get("/large", {{"Range", "bytes=65530-131080"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.headers.get("Content-Range"), "bytes 65530-131080/" + std::to_string(kWhole));
  EXPECT_EQ(part.length, 65551U);
  EXPECT_TRUE(part.body == whole.substr(65530, 65551));
  EXPECT_TRUE(making_.gone);
  EXPECT_EQ(get("/large", {{"Range", "bytes=-5"}}).body, "xxxxx") << "the end of a piece";
  const auto beyond = get("/large", {{"Range", "bytes=99999999-"}});
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.headers.get("Content-Range"), "bytes */" + std::to_string(kWhole));
  EXPECT_EQ(get("/large", {{"Range", "bytes=0-1"}, {"If-Range", "\"other\""}}).status, 200);
  const auto unchanged = get("/large", {{"If-None-Match", "\"large\""}});
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(unchanged.body, "");
  EXPECT_EQ(engine().statistics().flights, 0U) << "who reads nothing leaves nothing behind";
}

TEST_F(LargeBodies, FailTheViewerWhenTheyBreakOff) {
  origin_.answers = [this](const OriginRequest&, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "max-age=300, public");
    response.body = http::Body(std::make_unique<MadeBody>(2, kPiece, making_), 3 * kPiece);
    return response;
  };
  Viewer one, other;
  view_both(one, other);
  worker_.run_until_done(settled());
  EXPECT_EQ(engine().statistics().stored, 0U) << "half a body is none";
}

TEST_F(EdgeTest, FinishesASmallFetchWhoseViewerLeft) {
  net::Event go;
  origin_.hold = &go;
  Answer answer;
  struct Leaving {
    static net::Task<void> run(net::Worker& worker, net::Task<void> asking) {
      net::TaskGroup viewer;
      viewer.spawn(std::move(asking));
      auto slept = co_await net::sleep_for(1ms);
      static_cast<void>(slept);
      co_await viewer.close();
      static_cast<void>(worker);
    }
  };
  worker_.run_until_done(Leaving::run(worker_, ask(answer, "GET", "/a", {})));
  go.notify_all();
  worker_.run_until_done(settled());
  origin_.hold = nullptr;
  EXPECT_EQ(get("/a").x_cache(), "Hit from cloudfront");
  EXPECT_EQ(origin_.seen.size(), 1U);
}

}  // namespace
}  // namespace securebase::edge
