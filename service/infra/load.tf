# What this service is load tested by: `securebase load list` shows it, `securebase load api-baseline` runs one of them,
# and `securebase check pre-deploy` rests on what came of them. To AWS it is an output like any other.

locals {
  api_health = "/api/v1/health" # a path of the running platform
}

output "securebase_load" {
  description = "Load tests by name; docs/load.md says what they may have."
  value = {
    api-baseline = {
      kind        = "baseline"
      url         = local.api_health
      think       = "100ms"
      criteria    = "guide"
      description = "10 users for 5 minutes: p50, p95 and p99 to compare with"
    }
    api-capacity = {
      kind        = "capacity"
      url         = local.api_health
      think       = "100ms"
      description = "from 10 to 1000 users until it breaks, and what broke first"
    }
    api-spike = {
      kind        = "spike"
      url         = local.api_health
      description = "10 to 500 users in 10 s: throttles, errors, and how long until p95 is back"
    }
    api-endurance = {
      kind        = "endurance"
      url         = local.api_health
      description = "100 users for 24 hours: do memory, connections or latency grow?"
    }

    # Invoices of customers whom nobody has: with an operator's token (API_TOKEN) each is a 404, without one a 401.
    guide-artillery = {
      kind        = "script"
      file        = "../load/load-test.yml"
      url         = "/api"
      description = "warm-up, sustained load and a spike to 200 users a second, in 7 minutes"
    }
    guide-k6 = {
      kind        = "script"
      file        = "../load/load-test.js"
      url         = "/api"
      description = "up to 200 users in 8 minutes, p95 below 100 ms and errors below 1 %"
    }
    warm-up = {
      kind        = "script"
      file        = "../load/warm-up.yml"
      description = "what visitors ask for first, so that the caches have it"
    }
  }
}
