#include "edge/edge.h"

#include "edge/engine.h"
#include "gateway/gateway.h"
#include "objects/objects.h"

namespace securebase::edge {

Edge::Edge(Settings settings, Doors doors) {
  auto tls = settings.origin_tls;
  OriginMaker maker = [doors, tls](const OriginConfig& origin) -> std::unique_ptr<Origin> {
    switch (origin.kind) {
      case OriginConfig::Kind::kBucket:
        return make_bucket_origin(origin, doors.objects);
      case OriginConfig::Kind::kGateway:
        return make_gateway_origin(origin, doors.gateway);
      case OriginConfig::Kind::kHttp:
        break;
    }
    return make_http_origin(origin, tls);
  };
  auto invalidated = [&gateway = doors.gateway](const std::vector<std::string>& tags) {
    gateway.invalidate_tags(tags);
  };
  engine_ = std::make_unique<Engine>(
      std::move(settings),
      EngineDoors{doors.tags, doors.pool, doors.registry, &doors.spans, doors.clock, std::move(maker), invalidated});
}

Edge::~Edge() = default;

void Edge::apply(std::shared_ptr<const Config> config) { engine_->apply(std::move(config)); }
bool Edge::answer_now(const http::Request& request, http::Response& response) {
  return engine_->answer_now(request, response);
}
net::Task<http::Response> Edge::answer(http::Request& request) { return engine_->answer(request); }
Result<Receipt> Edge::invalidate(const std::vector<std::string>& paths, const std::vector<std::string>& tags,
                                 Strength strength) {
  return engine_->invalidate({}, paths, tags, strength);
}
Result<Receipt> Edge::invalidate_at(std::string_view distribution, const std::vector<std::string>& paths,
                                    const std::vector<std::string>& tags, Strength strength) {
  return engine_->invalidate(distribution, paths, tags, strength);
}
Statistics Edge::statistics() const { return engine_->statistics(); }
void Edge::close_on_worker() { engine_->close_on_worker(); }

}  // namespace securebase::edge
