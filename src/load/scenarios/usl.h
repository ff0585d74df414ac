// The Universal Scalability Law (Gunther): throughput at N users is lambda N / (1 + sigma (N - 1) + kappa N (N - 1)).
// sigma is what has to be done one after the other (contention), kappa what each has to agree on with each (coherency).
#pragma once

#include <optional>
#include <vector>

namespace securebase::load {

struct Load {
  double users = 0;
  double throughput = 0;  // a second
};

struct ScalabilityLaw {
  double lambda = 0;  // a second, of one user alone
  double sigma = 0;
  double kappa = 0;
  double r_squared = 0;  // of the throughputs; 1 is a perfect fit

  double at(double users) const;
  // Where throughput is highest; nullopt: it only levels off (kappa is 0).
  std::optional<double> peak_users() const;
  // Throughput at the peak, or what it levels off at.
  double most() const;
  // Where waiting begins to replace work: lambda N meets most() (Kleinrock's saturation point).
  double knee_users() const;
};

// nullopt: fewer than four loads, or none that answers anything.
std::optional<ScalabilityLaw> fit_scalability(const std::vector<Load>& loads);

}  // namespace securebase::load
