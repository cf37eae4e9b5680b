#include "crrm/measure/latency_model.h"

#include <cmath>

#include "crrm/base/error.h"
#include "crrm/graph/shapes.h"

namespace crrm {

namespace {

struct Line {
  double scale, share;
};

/// min sum of (scale a + share b - 1)^2 with both >= 0.
Line least_squares(const std::vector<double>& a, const std::vector<double>& b) {
  double aa = 0, ab = 0, bb = 0, a1 = 0, b1 = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    aa += a[i] * a[i];
    ab += a[i] * b[i];
    bb += b[i] * b[i];
    a1 += a[i];
    b1 += b[i];
  }
  constexpr double kAlike = 1e-6;  // sine squared of the angle between a and b
  const double determinant = aa * bb - ab * ab;
  if (determinant > kAlike * aa * bb) {
    const Line line{(a1 * bb - b1 * ab) / determinant, (b1 * aa - a1 * ab) / determinant};
    if (line.scale >= 0 && line.share >= 0) return line;
    if (line.scale < 0) return {0, b1 / bb};
  }
  return {aa > 0 ? a1 / aa : 0, 0};
}

}  // namespace

LatencyModel::LatencyModel(Setting setting, std::vector<WidthTable> tables,
                           std::map<std::string, Timed> nodes)
    : setting_(std::move(setting)), tables_(std::move(tables)), nodes_(std::move(nodes)) {
  for (const auto& [name, timed] : nodes_) {
    if (timed.table >= tables_.size())
      throw InputError({.place = fmt::format("nodes.{}.table", name),
                        .expected = fmt::format("one of {} tables, from 0", tables_.size()),
                        .found = fmt::format("{}", timed.table)});
    if (const size_t axes = tables_[timed.table].widths().size(); timed.places.size() != axes)
      throw InputError({.place = fmt::format("nodes.{}.places", name),
                        .expected = fmt::format("{}, as table {} has axes", axes, timed.table),
                        .found = fmt::format("{}", timed.places.size())});
  }
}

int64_t LatencyModel::width(const Place& place, const Node& node, const NodeShapes& shapes) {
  if (place.input < shapes.inputs.size() && place.axis < shapes.inputs[place.input].size())
    return shapes.inputs[place.input][place.axis] * place.blocks;
  throw InputError({.place = fmt::format("nodes.{}.places", node.name),
                    .expected = "an axis of an input of the network's node",
                    .found = fmt::format("axis {} of input {}", place.axis, place.input)});
}

double LatencyModel::raw(const Timed& timed, const Node& node, const NodeShapes& shapes) const {
  std::vector<int64_t> widths;
  for (const Place& place : timed.places) widths.push_back(width(place, node, shapes));
  return tables_[timed.table](widths);
}

LatencyModel::Raw LatencyModel::raw(const Graph& network, const std::vector<Shape>& sample) const {
  const ShapeTable table = infer_shapes(network, input_shapes(network, setting_.batch, sample));
  Raw sum;
  for (const Node& node : network.nodes) {
    const auto found = nodes_.find(node.name);
    if (found == nodes_.end()) continue;
    NodeShapes shapes;
    for (const std::string& input : node.inputs)
      shapes.inputs.push_back(input.empty() ? Shape{} : table.at(input));
    sum.nanoseconds += raw(found->second, node, shapes);
    ++sum.contractions;
  }
  return sum;
}

double LatencyModel::nanoseconds(const Node& node, const NodeShapes& shapes) const {
  const auto found = nodes_.find(node.name);
  return found == nodes_.end() ? 0 : scale_ * raw(found->second, node, shapes) + share_;
}

int64_t LatencyModel::operator()(const Node& node, const NodeShapes& shapes) const {
  return std::llround(nanoseconds(node, shapes));
}

double LatencyModel::nanoseconds(const Graph& network, const std::vector<Shape>& sample) const {
  const Raw sum = raw(network, sample);
  return scale_ * sum.nanoseconds + share_ * sum.contractions;
}

void LatencyModel::calibrate(const std::vector<Graph>& networks,
                             const std::vector<double>& measured,
                             const std::vector<Shape>& sample) {
  std::vector<double> times, counts;  // relative to what was measured
  for (size_t i = 0; i < networks.size(); ++i) {
    const Raw sum = raw(networks[i], sample);
    times.push_back(sum.nanoseconds / measured.at(i));
    counts.push_back(sum.contractions / measured.at(i));
  }
  const Line line = least_squares(times, counts);
  scale_ = line.scale;
  share_ = line.share;
  residual_ = 0;
  for (size_t i = 0; i < times.size(); ++i)
    residual_ = std::max(residual_, std::abs(scale_ * times[i] + share_ * counts[i] - 1));
}

void LatencyModel::rescale(double factor) {
  scale_ *= factor;
  share_ *= factor;
}

}  // namespace crrm
