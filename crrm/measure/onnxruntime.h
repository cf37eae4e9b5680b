// ONNX Runtime as a second opinion: loaded at run time where it is installed, never linked.
//
// It is looked for in this order: the file or folder that the environment variable
// CRRM_ONNXRUNTIME names (then nowhere else), the virtual environment that the build knows, and the
// system's library path. The library stays loaded until the program ends.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crrm/graph/graph.h"

namespace crrm {

/// One session on the CPU: a model that is ready to run. Movable; `run` may be called repeatedly.
class OnnxRuntime {
 public:
  /// Whether a library was found that serves the C API version that crrm speaks.
  static bool available();
  /// The library's version, "1.32.0"; "" where none is available.
  static std::string version();
  /// Why none is available: what was tried and what the loader said; "" where one is.
  static std::string reason_unavailable();

  /// @param threads  >= 1: threads inside an operator; operators run one after another.
  /// @throws InputError where the model cannot be loaded, with ONNX Runtime's own text, or where no
  ///   library is available.
  static OnnxRuntime from_file(const std::filesystem::path& path, int threads);
  /// @param name  how errors call the model
  static OnnxRuntime from_bytes(const std::string& name, std::string_view model, int threads);

  OnnxRuntime(OnnxRuntime&&) noexcept;
  OnnxRuntime& operator=(OnnxRuntime&&) noexcept;
  ~OnnxRuntime();

  const std::vector<std::string>& input_names() const;
  const std::vector<std::string>& output_names() const;

  /// @param inputs  in the order of input_names(): float32, float64, int32, int64 or bool
  /// @return CPU tensors of their own, in the order of output_names()
  /// @throws InputError where number, type or shape of an input or the type of an output does not
  ///   fit, with ONNX Runtime's own text.
  Tensors run(const Tensors& inputs) const;

 private:
  class Session;
  explicit OnnxRuntime(std::unique_ptr<Session> session);

  std::unique_ptr<Session> session_;
};

}  // namespace crrm
