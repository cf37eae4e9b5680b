// Sums of products over named axes.
#include <algorithm>
#include <map>

#include "crrm/base/error.h"
#include "crrm/ops/axes.h"

namespace crrm {

namespace {

/// Letters of the axes of every operand and of the result; an ellipsis stays "...".
struct Equation {
  std::vector<std::string> operands;
  std::string result;
};

/// The result that an equation without "->" means: the ellipsis, then the letters that occur once,
/// in alphabetical order.
std::string implicit_result(const std::vector<std::string>& operands) {
  std::map<char, int> count;
  for (const std::string& operand : operands)
    for (const char letter : operand) ++count[letter];
  std::string result = count.contains('.') ? "..." : "";
  for (const auto& [letter, times] : count)
    if (times == 1) result += letter;
  return result;
}

Equation parse(const Node& node) {
  std::string text = node.text("equation");
  std::erase(text, ' ');
  const size_t arrow = text.find("->");
  Equation equation{{""}, ""};
  for (const char c : text.substr(0, arrow)) {
    if (c == ',')
      equation.operands.emplace_back();
    else
      equation.operands.back() += c;
  }
  equation.result =
      arrow == std::string::npos ? implicit_result(equation.operands) : text.substr(arrow + 2);
  if (equation.operands.size() != node.inputs.size())
    throw InputError({.place = describe(node),
                      .expected = fmt::format("an equation of {} operands", node.inputs.size()),
                      .found = node.text("equation")});
  return equation;
}

/// Where a letter stands.
struct Letter {
  struct Place {
    size_t operand;
    int64_t axis;
  };
  std::vector<Place> places;
  int64_t kept = -1;  ///< axis of the result
};

std::map<char, Letter> letters_of(const Equation& equation) {
  std::map<char, Letter> letters;
  for (size_t i = 0; i < equation.operands.size(); ++i)
    for (size_t a = 0; a < equation.operands[i].size(); ++a)
      letters[equation.operands[i][a]].places.push_back({i, static_cast<int64_t>(a)});
  for (size_t a = 0; a < equation.result.size(); ++a)
    letters[equation.result[a]].kept = static_cast<int64_t>(a);
  return letters;
}

std::vector<AxisLabels> axes_of(const Node& node, const Labels& labels, const Letter& letter) {
  std::vector<AxisLabels> axes;
  for (const Letter::Place& place : letter.places)
    axes.push_back(labels.axis(node.inputs[place.operand], place.axis));
  if (letter.kept >= 0) axes.push_back(labels.axis(node.outputs[0], letter.kept));
  return axes;
}

// Einsum (ONNX 12): y = sum over the letters that the result lacks of the product of the operands.
// Couples  x0[b i c], x1[b j c] -> y[b i j]   (bic,bjc->bij): equal letters are one axis
// A letter that is summed over and stands in several operands is a contraction: the first that is
// no constant is gated. Axes under an ellipsis, on a diagonal, or summed over in one operand alone
// stay whole.
class Einsum final : public Operator {
 public:
  Tensors forward(const Node& node, const Tensors& x, bool) const override {
    parse(node);
    return {at::einsum(node.text("equation"), x)};
  }

  void couple(const Node& node, Labels& labels) const override {
    const Equation equation = parse(node);
    if (has_ellipsis(equation))
      return freeze_all(node, labels, fmt::format("axes under an ellipsis ({})", describe(node)));
    for (const auto& [name, letter] : letters_of(equation)) {
      const std::vector<AxisLabels> axes = axes_of(node, labels, letter);
      const std::string reason = obstacle(node, labels, letter, axes);
      if (!reason.empty()) {
        for (const AxisLabels& axis : axes)
          for (int64_t i = 0; i < axis.extent; ++i)
            labels.freeze(axis[i], fmt::format("{} ({})", reason, describe(node)));
        continue;
      }
      for (const AxisLabels& axis : axes) labels.merge(axes[0], axis);
      if (letter.kept < 0) contract(node, labels, letter);
    }
  }

  /// The extents of all letters; one operand alone is moved or summed.
  int64_t macs(const Node& node, const NodeShapes& shapes) const override {
    const Equation equation = parse(node);
    if (equation.operands.size() < 2) return 0;
    std::map<char, int64_t> extents;
    const auto read = [&](const std::string& axes, const Shape& shape) {
      const size_t dots = std::min(axes.find('.'), axes.size());
      for (size_t a = 0; a < dots; ++a) extents[axes[a]] = std::max(extents[axes[a]], shape[a]);
      for (size_t a = axes.size(), end = shape.size(); a > dots && axes[a - 1] != '.'; --a)
        extents[axes[a - 1]] = std::max(extents[axes[a - 1]], shape[--end]);
    };
    for (size_t i = 0; i < equation.operands.size(); ++i)
      read(equation.operands[i], shapes.inputs[i]);
    int64_t product = elements(shapes.outputs[0]);  // with what an ellipsis stands for
    for (const auto& [letter, extent] : extents)
      if (equation.result.find(letter) == std::string::npos) product *= extent;
    return product;
  }

  bool learns(size_t) const override { return true; }

 private:
  static bool has_ellipsis(const Equation& equation) {
    return std::any_of(
        equation.operands.begin(), equation.operands.end(),
        [](const std::string& operand) { return operand.find('.') != std::string::npos; });
  }

  /// Why the axes of a letter stay whole, or "".
  static std::string obstacle(const Node& node, const Labels& labels, const Letter& letter,
                              const std::vector<AxisLabels>& axes) {
    const std::vector<Letter::Place>& places = letter.places;
    for (size_t i = 1; i < places.size(); ++i)
      if (places[i].operand == places[i - 1].operand) return "a diagonal";
    for (const AxisLabels& axis : axes)
      if (axis.extent != axes[0].extent) return "one index that is stretched over an axis";
    if (letter.kept >= 0) return "";
    if (places.size() == 1) return "summed over";
    const bool constant = std::all_of(
        places.begin(), places.end(),
        [&](const Letter::Place& place) { return labels.is_constant(node.inputs[place.operand]); });
    return constant ? "summed over in constants alone" : "";
  }

  static void contract(const Node& node, Labels& labels, const Letter& letter) {
    const std::vector<Letter::Place>& places = letter.places;
    const auto gated = std::find_if(places.begin(), places.end(), [&](const Letter::Place& place) {
      return !labels.is_constant(node.inputs[place.operand]);
    });
    const Letter::Place& other = gated == places.begin() ? places[1] : places[0];
    labels.contract(node, gated->operand, gated->axis, other.operand, other.axis);
  }
};

CRRM_REGISTER_OPERATOR(Einsum);

}  // namespace

}  // namespace crrm
