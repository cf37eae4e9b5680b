// ONNX's own test models (Debian's libonnx-testdata), each with inputs and outputs: what crrm runs
// must match, and what it does not run is listed in docs/operators.md, which this test generates.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/graph/executor.h"
#include "crrm/graph/operator.h"
#include "crrm/io/onnx.h"
#include "crrm/io/onnx_tensor.h"

namespace crrm {
namespace {

namespace fs = std::filesystem;

// Of onnx.backend.test.runner: |found - expected| <= atol + rtol |expected|.
constexpr double kRelative = 1e-3, kAbsolute = 1e-7;

/// A TensorProto in a file of its own.
at::Tensor read_tensor(const fs::path& file) {
  const std::string bytes = read_file(file);
  const MessageSource source{file.string(), bytes.data()};
  return onnx::TensorReader(file).read(Message(source, bytes, "tensor")).tensor.clone();
}

/// PREFIX_0.pb, PREFIX_1.pb, ...
Tensors read_all(const fs::path& folder, const std::string& prefix) {
  Tensors tensors;
  for (int i = 0;; ++i) {
    const fs::path file = folder / fmt::format("{}_{}.pb", prefix, i);
    if (!fs::exists(file)) return tensors;
    tensors.push_back(read_tensor(file));
  }
}

std::string mismatch(const at::Tensor& expected, const at::Tensor& found) {
  if (found.sizes() != expected.sizes())
    return fmt::format("shape [{}], expected [{}]", fmt::join(found.sizes(), ", "),
                       fmt::join(expected.sizes(), ", "));
  if (found.scalar_type() != expected.scalar_type())
    return fmt::format("type {}, expected {}", c10::toString(found.scalar_type()),
                       c10::toString(expected.scalar_type()));
  if (!at::allclose(found.to(at::kDouble), expected.to(at::kDouble), kRelative, kAbsolute,
                    /*equal_nan=*/true))
    return "other values";
  return "";
}

struct Result {
  std::string name;
  std::string refusal;   ///< why crrm does not run it, or ""
  std::string mismatch;  ///< or ""
};

/// Models whose outputs ONNX Runtime does not give either.
const std::set<std::string> kContradicted = {"test_resize_downsample_scales_cubic_align_corners",
                                             "test_resize_downsample_scales_linear_align_corners"};
constexpr const char* kContradiction =
    "the outputs that come with it align the corners of a fractional extent (scale times input); "
    "ONNX Runtime and crrm align those of the map itself";

/// The operators of `graph` that crrm does not know, once each.
std::set<std::string> unknown_operators(const Graph& graph) {
  std::set<std::string> unknown;
  for (const Node& node : graph.nodes)
    if (find_operator(node) == nullptr)
      unknown.insert(node.domain.empty() ? node.op : node.domain + "." + node.op);
  return unknown;
}

std::string reason(const std::set<std::string>& unknown) {
  static const std::set<std::string> kRandom = {"Bernoulli",     "Multinomial",
                                                "RandomNormal",  "RandomNormalLike",
                                                "RandomUniform", "RandomUniformLike"};
  for (const std::string& op : unknown)
    if (kRandom.contains(op)) return fmt::format("random ({})", op);
  return fmt::format("unknown operator{} {}", unknown.size() > 1 ? "s" : "",
                     fmt::join(unknown, ", "));
}

/// What was wrong, without the places that differ from model to model.
std::string reason(const InputError& error) {
  static const std::map<std::string, std::string> kWords = {
      {"ONNX element type 4", "unsigned integers of 16 bits"},
      {"ONNX element type 8", "texts"},
      {"ONNX element type 12", "unsigned integers of 32 bits"},
      {"ONNX element type 13", "unsigned integers of 64 bits"},
      {"no tensor type", "an input or output that is no tensor (a sequence, an optional value)"},
      {"none", "no opset of ONNX's own"}};
  const Fault& fault = error.fault();
  const std::string found = fault.found.substr(0, fault.found.find('\n'));
  if (const auto words = kWords.find(found); words != kWords.end()) return words->second;
  const size_t op = fault.place.rfind('(');  // node "name" (operator)
  if (!fault.place.starts_with("node") || op == std::string::npos) return found;
  return fmt::format("{}: {}", fault.place.substr(op + 1, fault.place.size() - op - 2), found);
}

/// Runs the sets of data of one model; gives the first mismatch, or "".
std::string compare(const fs::path& folder, const Executor& executor) {
  for (const fs::directory_entry& set : fs::directory_iterator(folder)) {
    if (!set.is_directory()) continue;
    const Tensors expected = read_all(set.path(), "output");
    const Tensors found = executor.run(read_all(set.path(), "input"));
    for (size_t i = 0; i < expected.size(); ++i)
      if (const std::string text = mismatch(expected[i], found.at(i)); !text.empty()) return text;
  }
  return "";
}

Result run(const fs::path& folder) {
  Result result{folder.filename().string(), "", ""};
  try {
    const Graph graph = read_onnx(folder / "model.onnx");
    const std::set<std::string> unknown = unknown_operators(graph);
    if (unknown.empty())
      result.mismatch = compare(folder, Executor(graph));
    else
      result.refusal = reason(unknown);
  } catch (const InputError& error) {
    result.refusal = reason(error);
  } catch (const c10::Error& error) {
    result.mismatch = error.what_without_backtrace();
  } catch (const std::exception& error) {
    result.mismatch = error.what();
  }
  if (kContradicted.contains(result.name)) {
    result.refusal = kContradiction;
    result.mismatch = result.mismatch.empty() ? "none, and yet it is listed as contradicted" : "";
  }
  return result;
}

std::vector<Result> run_all(const fs::path& root) {
  const at::NoGradGuard no_grad;
  std::vector<Result> results;
  for (const fs::directory_entry& kind : fs::directory_iterator(root))
    for (const fs::directory_entry& test : fs::directory_iterator(kind.path()))
      if (fs::exists(test.path() / "model.onnx")) results.push_back(run(test.path()));
  std::sort(results.begin(), results.end(),
            [](const Result& a, const Result& b) { return a.name < b.name; });
  return results;
}

std::string page(const std::vector<Result>& results) {
  std::map<std::string, std::vector<std::string>> refused;  // models by reason
  for (const Result& result : results)
    if (!result.refusal.empty()) refused[result.refusal].push_back(result.name);
  const int64_t ran = std::count_if(results.begin(), results.end(),
                                    [](const Result& r) { return r.refusal.empty(); });
  std::string text = fmt::format(
      "# Operators\n\n"
      "Generated by the test `testdata` (`CRRM_WRITE_DOCS=1 build/test_testdata`).\n\n"
      "Operators of ONNX that crrm runs and couples; whatever else a network holds is left as it "
      "is and freezes what it touches.\n\n{}\n\n"
      "## ONNX's own test models\n\n"
      "Of the {} models of Debian's libonnx-testdata, crrm runs {} with the outputs that come with "
      "them (relative tolerance {}). Why not the others:\n\n",
      fmt::join(known_operators(), ", "), results.size(), ran, kRelative);
  for (const auto& [reason, models] : refused)
    text += fmt::format("- {}: {}\n", reason, fmt::join(models, ", "));
  return text;
}

TEST(OnnxTestData, MatchesWhereSupportedAndIsListedElse) {
  const fs::path root = "/usr/share/libonnx-testdata/data";
  if (!fs::exists(root)) GTEST_SKIP() << "libonnx-testdata is not installed";
  const std::vector<Result> results = run_all(root);
  ASSERT_GT(results.size(), 1000U);
  for (const Result& result : results) EXPECT_EQ(result.mismatch, "") << result.name;
  const int64_t ran = std::count_if(results.begin(), results.end(),
                                    [](const Result& r) { return r.refusal.empty(); });
  EXPECT_GE(static_cast<double>(ran), 0.75 * static_cast<double>(results.size()));
  const fs::path docs = fs::path(CRRM_SOURCE) / "docs" / "operators.md";
  if (std::getenv("CRRM_WRITE_DOCS") != nullptr) write_file(docs, page(results));
  const std::string written = fs::exists(docs) ? read_file(docs) : "";
  // Another version of the package holds other models.
  if (written.find(fmt::format("Of the {} models", results.size())) != std::string::npos) {
    EXPECT_EQ(page(results), written) << "CRRM_WRITE_DOCS=1 writes the page anew";
  }
}

}  // namespace
}  // namespace crrm
