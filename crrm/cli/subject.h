// What a run works on: its network and its data, read, checked and made to fit one another.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "crrm/cli/options.h"
#include "crrm/coupling/coupling.h"
#include "crrm/train/verify.h"

namespace crrm::cli {

/// A line for people.
using Say = std::function<void(const std::string& line)>;

/// Where a run's network comes from.
struct Origin {
  bool compresses;   ///< else: trains
  std::string name;  ///< path of the file, or name of the architecture
  std::string file;  ///< that it is read from; empty where it is built
  bool trained;      ///< with weights that a training gave it
};
/// @param command  "compress" or "train"
Origin origin(const Settings& settings, const std::string& command);

/// `most` samples, or as many as have `values` numbers where they are large.
int64_t samples_at_once(const Dataset& data, int64_t most, int64_t values);

class Subject {
 public:
  /// @param settings  what was read beside the model becomes part of them, the run's configuration
  /// @throws InputError where network, data and task do not fit.
  Subject(Settings& settings, const Origin& origin, const Say& say);
  Subject(const Subject&) = delete;  // `coupling` refers to `network`
  Subject& operator=(const Subject&) = delete;

  Shape sample() const { return data.train.inputs.sizes().slice(1).vec(); }

  Graph dense;    ///< as it came
  Graph network;  ///< as it will be trained
  RunData data;
  std::string task;                  ///< "classify", "reconstruct" or "distill"
  Reversal reversal;                 ///< what was done to `network`
  std::string model_sha256;          ///< empty where it was built
  bool known_normalisation = false;  ///< or it is what holds where nobody says anything
  std::unique_ptr<Coupling> coupling;

 private:
  void read(Settings& settings, const Origin& origin);
  void prepare(const Settings& settings, const Origin& origin, const Say& say);
  void unfold(const Settings& settings, const std::string& file, const Say& say);
};

}  // namespace crrm::cli
