#include "monitoring/exports/spool.h"

#include <deque>

#include "base/file.h"
#include "base/log.h"
#include "monitoring/metrics/varint.h"

namespace securebase::monitoring::exports {

namespace {

constexpr char kTarget = 'T';
constexpr char kBody = 'B';   // samples (varint), body
constexpr char kFirst = 'F';  // how many bodies of the file do not wait any more (varint)
// With so much behind its first waiting body a file is written anew.
constexpr std::uint64_t kSpoolBytes = std::uint64_t{64} << 20;

std::string body_frame(const Queue::Waiting& waiting) {
  std::string payload(1, kBody);
  put_varint(payload, waiting.samples);
  return payload += *waiting.body;
}

// What the frames of a file say, one after the other.
struct Reading {
  std::string target;
  std::deque<Payload> bodies;
  std::uint64_t taken = 0;  // of the file's bodies, those that do not wait

  void take(std::string_view frame) {
    Cursor in(frame);
    switch (static_cast<char>(in.byte())) {
      case kTarget:
        target = in.bytes(in.left());
        break;
      case kBody: {
        const auto samples = static_cast<std::size_t>(in.varint());
        if (!in.bad()) bodies.push_back({std::string(in.bytes(in.left())), samples});
        break;
      }
      case kFirst:
        for (const auto gone = in.varint(); taken < gone && !bodies.empty(); ++taken) bodies.pop_front();
        break;
      default:
        break;
    }
  }
};

}  // namespace

Result<Spool> Spool::open(std::filesystem::path path, std::string target, std::vector<Payload>& waiting) {
  if (auto made = base::make_directory(path.parent_path(), 0700); !made) return made.error();
  Spool spool(std::move(path), std::move(target));
  Reading reading;
  auto opened = FrameFile::open(spool.path_, [&](std::string_view frame) { reading.take(frame); });
  if (!opened) return opened.error();
  if (reading.target == spool.target_) {
    waiting.assign(std::make_move_iterator(reading.bodies.begin()), std::make_move_iterator(reading.bodies.end()));
  } else if (!reading.bodies.empty()) {
    base::log(base::Level::kWarning, "monitoring", "{} bodies that waited for another receiver than {} are dropped",
              reading.bodies.size(), spool.target_);
  }
  // The first save() writes what still waits under this process' numbers.
  spool.file_ = std::move(opened->file);
  return spool;
}

Result<Done> Spool::save(const std::vector<Queue::Waiting>& waiting) {
  const std::uint64_t first = waiting.empty() ? next_ : waiting.front().number;
  if (first >= next_ || file_.bytes() > kSpoolBytes) return write_anew(waiting);
  std::string payload(1, kFirst);
  put_varint(payload, first - first_);  // numbers have no gaps
  if (auto kept = file_.append(payload); !kept) return kept;
  for (const auto& one : waiting) {
    if (one.number < next_) continue;
    if (auto kept = file_.append(body_frame(one)); !kept) return kept;
    next_ = one.number + 1;
  }
  return Done{};
}

Result<Done> Spool::write_anew(const std::vector<Queue::Waiting>& waiting) {
  std::string bytes = frame(kTarget + target_);
  for (const auto& one : waiting) bytes += frame(body_frame(one));
  if (auto replaced = base::replace_file(path_, bytes, 0600); !replaced) return replaced;
  auto opened = FrameFile::open(path_, [](std::string_view) {});
  if (!opened) return opened.error();
  file_ = std::move(opened->file);
  if (!waiting.empty()) {
    first_ = waiting.front().number;
    next_ = waiting.back().number + 1;
  }
  return Done{};
}

}  // namespace securebase::monitoring::exports
