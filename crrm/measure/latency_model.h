// What an inference takes on this machine at widths that were never run, as a sum over the
// network's contractions, each of which was timed at several widths.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "crrm/coupling/coupling.h"
#include "crrm/graph/operator.h"
#include "crrm/measure/graph_timer.h"
#include "crrm/measure/width_table.h"

namespace crrm {

/// Latency of one batch:
///   sum over contractions n of  scale t_n(widths) + share
/// t_n comes from a WidthTable. Scale and share are fitted on whole networks: what runs beside the
/// contractions (activations, sums, dispatch) is charged to them.
class LatencyModel {
 public:
  /// Where a node shows one of its widths: the extent of an input's axis times `blocks` (AxisRef).
  struct Place {
    size_t input;
    size_t axis;
    int64_t blocks;
  };
  struct Timed {
    size_t table;  ///< into tables
    std::vector<Place> places;
  };
  struct Setting {
    std::string runtime;  ///< "onnxruntime" or "crrm"
    int threads = 1;
    int64_t batch = 1;
  };

  /// @param nodes  contractions by name, places in the order of their table's axes
  LatencyModel(Setting setting, std::vector<WidthTable> tables, std::map<std::string, Timed> nodes);

  const Setting& setting() const { return setting_; }

  /// The part of one node in the latency of one batch, in nanoseconds. Only the extents along which
  /// units run are read from `shapes`: the batch in there does not matter. 0 for what is no
  /// contraction, and for a node of a name that was not fitted.
  double nanoseconds(const Node& node, const NodeShapes& shapes) const;
  /// The same, rounded.
  int64_t operator()(const Node& node, const NodeShapes& shapes) const;
  /// Of a network whose contractions bear the names of those fitted, at whatever widths.
  /// @param sample  shapes of one sample of each input; empty: as in the file
  double nanoseconds(const Graph& network, const std::vector<Shape>& sample = {}) const;

  /// Sets scale and share to the least squares of the relative errors over whole networks; both are
  /// >= 0, and share is 0 where the networks do not tell them apart.
  /// @param measured  nanoseconds a batch of each network
  void calibrate(const std::vector<Graph>& networks, const std::vector<double>& measured,
                 const std::vector<Shape>& sample = {});
  /// Multiplies all that it predicts.
  void rescale(double factor);
  /// The largest |predicted / measured - 1| over the networks of the last calibration.
  double residual() const { return residual_; }

  nlohmann::ordered_json to_json() const;
  /// @throws InputError where it is not what to_json() gives.
  static LatencyModel from_json(const nlohmann::ordered_json& json);

 private:
  /// Of a network: the sum of t_n, and how many there are.
  struct Raw {
    double nanoseconds = 0, contractions = 0;
  };
  Raw raw(const Graph& network, const std::vector<Shape>& sample) const;
  double raw(const Timed& timed, const Node& node, const NodeShapes& shapes) const;
  static int64_t width(const Place& place, const Node& node, const NodeShapes& shapes);

  Setting setting_;
  std::vector<WidthTable> tables_;
  std::map<std::string, Timed> nodes_;
  double scale_ = 1, share_ = 0, residual_ = 0;
};

struct LatencyFit {
  LatencyModel::Setting setting;
  GraphTimer time;
  std::chrono::nanoseconds budget = std::chrono::seconds(15);  ///< to be kept where it can be
  std::function<void(const std::string&)> say = {};            ///< progress, a line each; or empty
};

/// Timed in ONNX Runtime where it is available, else in crrm's executor.
LatencyFit latency_fit(int threads, int64_t batch);

/// Times the contractions of a network at widths between one and all of their units, equal ones
/// once, and calibrates on whole networks. An operator's time is the difference between runs of
/// four of them side by side, on the network's own values, and of one: what a run costs by itself
/// drops out.
/// @param inputs    one batch of setting.batch samples, for the network that `coupling` describes
/// @param networks  at least one, for calibration: that network and narrower ones, as they would be
///                  written
/// @throws InputError where a network cannot be run; Interrupted.
LatencyModel fit_latency(const Coupling& coupling, const Tensors& inputs,
                         const std::vector<Graph>& networks, const LatencyFit& fit);

}  // namespace crrm
