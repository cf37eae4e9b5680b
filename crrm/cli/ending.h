// What a run leaves: the proved model, where its goals are met, and the report.
#pragma once

#include <string>
#include <vector>

#include "crrm/cli/subject.h"
#include "crrm/train/outcome.h"
#include "crrm/train/run_folder.h"

namespace crrm::cli {

class Ending {
 public:
  /// What the run was. References outlive the ending.
  struct Given {
    const Settings& settings;
    const Subject& subject;
    const Assignment& assignment;
    const RunFolder& folder;
    at::Device device;
    bool prints;  ///< Invocation::prints
    Say say;
  };
  explicit Ending(Given given) : given_(std::move(given)) {}

  /// Latencies, then the model where all goals are met, then the report.
  /// @param usage  is asked when all but the report is done
  /// @return whether the goals are met
  bool conclude(const Run& run, const RunResult& result, std::vector<std::string> warnings,
                const std::function<Usage()>& usage) const;

  /// The report of a run that ended early.
  void conclude_early(const Run& run, std::vector<std::string> warnings, const Usage& usage) const;

 private:
  void measure_latencies(const Graph& written, const at::Tensor& inputs,
                         Conclusion& conclusion) const;
  void write_model(const Run& run, const RunResult& result, const Graph& written,
                   const at::Tensor& inputs, Conclusion& conclusion) const;
  std::string description() const;
  void report(const RunResult& result, const Conclusion& conclusion) const;

  Given given_;
};

}  // namespace crrm::cli
