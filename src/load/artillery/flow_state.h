// What a flow keeps for a user and for a step; for the two files of the flow.
#pragma once

#include "load/artillery/flow.h"

namespace securebase::load::artillery {

struct ScriptFlow::User {
  User(Session& session, std::uint64_t id, const Scenario& scenario, std::shared_ptr<const SharedVariables> shared)
      : session(session), id(id), scenario(scenario), variables(std::move(shared)) {}

  Session& session;
  const std::uint64_t id;
  const Scenario& scenario;
  Variables variables;
  bool jar_in_use = false;  // from the first cookie on
  bool first_request = true;
  bool known_to_processor = false;
};

struct ScriptFlow::StepState {
  Tally::Endpoint endpoint;
  bool same_for_all = false;
  // When it is the same for all: what is sent.
  std::optional<Outgoing> outgoing;
  std::optional<Request> request;
};

}  // namespace securebase::load::artillery
