#include "functions/code_store.h"

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"

namespace securebase::functions {

namespace fs = std::filesystem;

CodeStore::CodeStore(fs::path directory) : directory_(std::move(directory)) {}

CodeStore::Pin::~Pin() {
  if (!store_) return;
  const std::lock_guard lock(store_->mutex_);
  const auto found = store_->pinned_.find(file_);
  if (--found->second == 0) store_->pinned_.erase(found);
}

Result<CodeStore::Pin> CodeStore::put(std::string_view zip) {
  const auto file = directory_ / (base::hex(base::sha256(zip)) + ".zip");
  {
    const std::lock_guard lock(mutex_);
    ++pinned_[file];
  }
  Pin pin(*this, file);
  std::error_code failure;
  if (fs::exists(file, failure)) return pin;  // it appeared by rename: it is whole
  if (auto made = base::make_directory(directory_, 0700); !made) return made.error();
  if (auto written = base::replace_file(file, zip, 0600); !written) return written.error();
  return pin;
}

void CodeStore::collect(const std::set<fs::path>& used) {
  std::error_code failure;
  const std::lock_guard lock(mutex_);
  for (const auto& entry : fs::directory_iterator(directory_, failure)) {
    if (!used.contains(entry.path()) && !pinned_.contains(entry.path())) fs::remove(entry.path(), failure);
  }
}

}  // namespace securebase::functions
