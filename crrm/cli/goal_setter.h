// From the user's limits to what a run keeps: some need this machine, or the file, to be measured.
#pragma once

#include "crrm/cli/subject.h"
#include "crrm/measure/latency_model.h"
#include "crrm/train/outcome.h"
#include "crrm/train/rounding.h"

namespace crrm::cli {

class GoalSetter {
 public:
  /// @param settings    --multiple auto becomes what was measured
  /// @param assignment  gets targets and what else is limited
  /// @param options     gets limits, pricing and rounding
  GoalSetter(const Subject& subject, Say say, Settings& settings, Assignment& assignment,
             RunOptions& options);

  /// @param earlier  the latency model that a resumed run began with
  /// @throws InputError where a limit cannot be one.
  void set(const std::optional<LatencyModel>& earlier);

  /// Null where latency is not limited.
  const nlohmann::ordered_json& latency_model() const { return latency_model_; }

 private:
  void price(const std::optional<LatencyModel>& earlier);
  void limit(bool resumes);
  void round();
  void refine_latency(Statistic statistic);
  LatencyModel fitted_latency() const;
  void use(const LatencyModel& model);
  Candidate candidate() const;
  at::Tensor sample() const;

  const Subject& subject_;
  Say say_;
  Settings& settings_;
  Assignment& assignment_;
  RunOptions& options_;
  nlohmann::ordered_json latency_model_;
};

}  // namespace crrm::cli
