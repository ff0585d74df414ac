// One way for every change of what is in force, whether files or an AWS API ask for it.
#include <fmt/format.h>

#include "base/log.h"
#include "platform/rooms.h"
#include "stack/plan.h"

namespace securebase::platform {

Result<std::shared_ptr<const stack::Stack>> Rooms::read(const StackSource& source) const {
  auto files =
      read_stack(source, endpoints_, [this](std::string_view address, std::size_t length, std::string_view alphabet) {
        return secrets_->derive(address, length, alphabet);
      });
  if (!files) return files.error();
  return std::make_shared<const stack::Stack>(std::move(*files));
}

Result<Rooms::Wanted> Rooms::over(std::shared_ptr<const stack::Stack> files, stack::Registry recorded) const {
  auto all = recorded.over(*files, catalogue_of(endpoints_),
                           [this](std::string_view address, std::size_t length, std::string_view alphabet) {
                             return secrets_->derive(address, length, alphabet);
                           });
  if (!all) return Error{Errc::kMalformed, stack::render(all.error())};
  auto configuration = configure(std::move(all->stack), endpoints_);
  if (!configuration) return configuration.error();
  return Wanted{std::move(files), recorded.without(all->superseded), std::move(*configuration)};
}

Result<Rooms::Wanted> Rooms::wanted(std::shared_ptr<const stack::Stack> files, const stack::Registry& recorded) const {
  return over(std::move(files), recorded.without_drift());
}

Result<Done> Rooms::go_over_to(Wanted next, const RoomNames* touched) {
  // On disk first: after a crash in between, the change is in force though nobody was told so; never the reverse.
  const bool recorded_changes = next.recorded != recorded_;
  if (recorded_changes) {
    if (auto saved = next.recorded.save(registry_file()); !saved) return saved.error().within("nothing was changed");
  }
  Reached reached;
  if (auto applied = apply_all(next.configuration, touched, reached); !applied) {
    // Rooms that were changed already go back to what all of them had.
    reached.way = Reached::Way::kBack;
    Result<Done> restored = apply_all(applied_, nullptr, reached);
    if (restored && recorded_changes) restored = recorded_.save(registry_file());
    if (restored) return applied.error().within("nothing was applied (everything is as it was before)");
    return Error{applied.error().code,
                 fmt::format("{}\nNothing was applied, but rooms that had changed already could not go back: {}\nMend "
                             "that, and restart the platform on the files that you want",
                             applied.error().message, restored.error().message)};
  }
  applied_ = std::move(next.configuration);
  files_ = std::move(next.files);
  recorded_ = std::move(next.recorded);
  in_force_.set(applied_.stack);
  // The change stands, whatever becomes of the prober.
  if (auto done = probe(*applied_.stack); !done) {
    base::log(base::Level::kError, "platform", "{}", done.error().message);
  }
  return Done{};
}

Result<std::shared_ptr<const stack::Stack>> Rooms::change(const Decide& decide) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return Error{Errc::kUnavailable, "the platform is shutting down"};
  auto edits = decide(*applied_.stack);
  if (!edits) return edits.error();
  if (edits->empty()) return applied_.stack;
  auto recorded = recorded_.with(*edits, *applied_.stack);
  if (!recorded) return recorded.error();
  auto next = over(files_, std::move(*recorded));
  if (!next) return next.error();
  // Rooms whose resources stay as they are are left alone: a change of a function restarts no database.
  RoomNames touched;
  const auto changes = stack::diff(stack::applied(*applied_.stack), *next->configuration.stack);
  for (const auto& change : changes.changes) {
    const auto* resource = applied_.stack->find(change.address);
    touched.insert(change.room.empty() && resource && resource->declaration ? resource->declaration->room
                                                                            : change.room);
  }
  if (auto done = go_over_to(std::move(*next), &touched); !done) return done.error();
  note_configuration();
  return applied_.stack;
}

}  // namespace securebase::platform
