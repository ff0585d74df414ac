#include "monitoring/metrics/segment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "monitoring/metrics/checksum.h"
#include "monitoring/metrics/level.h"

namespace securebase::monitoring {

namespace {

constexpr std::uint64_t kMagic = 0x31474553'4d425355;  // "USBMSEG1" in memory

struct Footer {
  std::uint64_t magic = kMagic;
  std::uint64_t blocks = 0;
  std::int64_t partition = 0;
  std::uint32_t level_seconds = 0;
  std::uint32_t checksum = 0;  // of the index, and of this footer with a checksum of 0
};
static_assert(sizeof(Footer) == 32 && sizeof(Segment::Block) == 32, "as they lie in files");

template <class T>
std::string_view bytes_of(const T& object) {
  return {reinterpret_cast<const char*>(&object), sizeof object};
}

std::uint32_t checksum_of(std::string_view index, Footer footer) {
  footer.checksum = 0;
  return checksum(bytes_of(footer), checksum(index));
}

}  // namespace

std::string SegmentName::file() const {
  return fmt::format("{}s-{}-{:06}.segment", kLevels[level].slot.count(), partition, sequence);
}

Segment::Segment(SegmentName name, std::string_view bytes) : name_(name), bytes_(bytes) {}

Segment::~Segment() { munmap(const_cast<char*>(bytes_.data()), bytes_.size()); }

Result<std::shared_ptr<const Segment>> Segment::open(const std::filesystem::path& directory, const SegmentName& name) {
  const auto path = directory / name.file();
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return system_error(errno, "open", path.native());
  struct stat status {};
  const bool known = fstat(file, &status) == 0;
  const auto size = known ? static_cast<std::size_t>(status.st_size) : 0;
  void* mapped = size > 0 ? mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0) : MAP_FAILED;
  const int failure = errno;
  close(file);
  if (!known || (size > 0 && mapped == MAP_FAILED)) return system_error(failure, "mmap", path.native());
  if (size == 0) return Error{Errc::kMalformed, fmt::format("{} is empty; expected a metrics segment", path.native())};
  std::shared_ptr<Segment> segment(new Segment(name, {static_cast<const char*>(mapped), size}));
  if (auto checked = segment->check_footer(); !checked) return checked.error().within(path.native());
  return std::shared_ptr<const Segment>(std::move(segment));
}

Result<Done> Segment::check_footer() {
  const Error torn{Errc::kMalformed,
                   "it is torn or no metrics segment: its footer does not fit; remove the file to "
                   "start without what it holds"};
  Footer footer;
  if (bytes_.size() < sizeof footer) return torn;
  std::memcpy(&footer, bytes_.data() + bytes_.size() - sizeof footer, sizeof footer);
  const std::uint64_t room = bytes_.size() - sizeof footer;
  if (footer.magic != kMagic || footer.blocks > room / sizeof(Block)) return torn;
  if (footer.partition != name_.partition || footer.level_seconds != kLevels[name_.level].slot.count()) return torn;
  const std::uint64_t index_bytes = footer.blocks * sizeof(Block);
  const std::string_view index = bytes_.substr(room - index_bytes, index_bytes);
  if (footer.checksum != checksum_of(index, footer)) return torn;
  if (reinterpret_cast<std::uintptr_t>(index.data()) % alignof(Block) != 0) return torn;
  blocks_ = {reinterpret_cast<const Block*>(index.data()), footer.blocks};
  for (const auto& block : blocks_) {
    if (block.offset > room - index_bytes || block.length > room - index_bytes - block.offset) return torn;
  }
  proved_ = std::make_unique<std::atomic<bool>[]>(blocks_.size());
  return Done{};
}

std::span<const Segment::Block> Segment::blocks_of(SeriesId series) const {
  const auto [first, last] = std::ranges::equal_range(blocks_, series, {}, &Block::series);
  return {first, last};
}

Result<std::string_view> Segment::read(const Block& block) const {
  const std::string_view bytes = bytes_.substr(block.offset, block.length);
  auto& proved = proved_[static_cast<std::size_t>(&block - blocks_.data())];
  if (!proved.load(std::memory_order_relaxed)) {
    std::uint32_t expected = 0;
    if (bytes.size() < sizeof expected)
      return Error{Errc::kMalformed, name_.file() + " holds a block without a checksum"};
    std::memcpy(&expected, bytes.data(), sizeof expected);
    if (checksum(bytes.substr(sizeof expected)) != expected) {
      return Error{Errc::kMalformed,
                   fmt::format("{} holds a block whose checksum does not fit, at byte {}", name_.file(), block.offset)};
    }
    proved.store(true, std::memory_order_relaxed);
  }
  return bytes;
}

BlockReader::BlockReader(std::string_view block, Detail detail) : detail_(detail), heads_({}), histograms_({}) {
  Cursor in(block.substr(std::min(block.size(), sizeof(std::uint32_t))));
  const std::string_view heads = in.bytes(in.varint());
  heads_ = Cursor(heads);
  histograms_ = Cursor(in.bytes(in.left()));
  if (in.bad()) heads_.fail();
}

bool BlockReader::next(Slot& slot) {
  if (heads_.at_end() || !get_slot(heads_, histograms_, before_, detail_, slot)) return false;
  before_ = slot.number;
  return true;
}

SegmentWriter::SegmentWriter(std::filesystem::path directory, SegmentName name)
    : directory_(std::move(directory)), name_(name) {
  file_ = ::open((directory_ / name_.file()).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file_ < 0) failure_ = errno;
}

SegmentWriter::~SegmentWriter() {
  if (file_ >= 0) close(file_);
  if (!finished_) unlink((directory_ / name_.file()).c_str());
}

void SegmentWriter::add(SeriesId series, std::span<const Slot> slots) {
  while (!slots.empty()) {
    const auto part = slots.first(std::min(slots.size(), kSlotsPerBlock));
    slots = slots.subspan(part.size());
    heads_.clear();
    histograms_.clear();
    std::int64_t before = 0;
    for (const auto& slot : part) {
      put_slot(slot, before, heads_, histograms_);
      before = slot.number;
    }
    std::string block(sizeof(std::uint32_t), '\0');
    put_varint(block, heads_.size());
    block += heads_;
    block += histograms_;
    const std::uint32_t sum = checksum(std::string_view(block).substr(sizeof(std::uint32_t)));
    std::memcpy(block.data(), &sum, sizeof sum);
    add(Segment::Block{series, 0, 0, part.front().number, part.back().number}, block);
  }
}

void SegmentWriter::add(const Segment::Block& block, std::string_view bytes) {
  blocks_.push_back(block);
  blocks_.back().length = static_cast<std::uint32_t>(bytes.size());
  blocks_.back().offset = written_ + buffer_.size();
  buffer_ += bytes;
  if (buffer_.size() >= (std::size_t{256} << 10)) drain();
}

void SegmentWriter::drain() {
  std::string_view left = buffer_;
  while (!left.empty() && failure_ == 0) {
    const ssize_t put = write(file_, left.data(), left.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      failure_ = errno;
      break;
    }
    left.remove_prefix(static_cast<std::size_t>(put));
  }
  written_ += buffer_.size();
  buffer_.clear();
}

Result<std::shared_ptr<const Segment>> SegmentWriter::finish() {
  buffer_.append((8 - (written_ + buffer_.size()) % 8) % 8, '\0');  // the index is read where it lies
  const std::string_view index(reinterpret_cast<const char*>(blocks_.data()), blocks_.size() * sizeof(Segment::Block));
  Footer footer;
  footer.blocks = blocks_.size();
  footer.partition = name_.partition;
  footer.level_seconds = static_cast<std::uint32_t>(kLevels[name_.level].slot.count());
  footer.checksum = checksum_of(index, footer);
  buffer_ += index;
  buffer_ += bytes_of(footer);
  drain();
  if (failure_ == 0 && fdatasync(file_) != 0) failure_ = errno;
  if (failure_ != 0) return system_error(failure_, "write", (directory_ / name_.file()).native());
  auto opened = Segment::open(directory_, name_);
  finished_ = opened.has_value();
  return opened;
}

}  // namespace securebase::monitoring
