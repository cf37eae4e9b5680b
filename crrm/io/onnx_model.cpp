#include "crrm/io/onnx_model.h"

#include <algorithm>
#include <array>
#include <optional>

#include "crrm/base/error.h"
#include "crrm/graph/graph.h"
#include "crrm/io/onnx_fields.h"

namespace crrm::onnx {

namespace {

constexpr int64_t kOldestIr = 3;  // the first with opset_import

/// What the bytes are instead of a model, when their beginning tells.
std::string other_format(std::string_view bytes) {
  using namespace std::string_view_literals;
  static constexpr std::array<std::pair<std::string_view, const char*>, 8> kBeginnings = {{
      {"\x89PNG"sv, "a PNG image"},
      {"\xFF\xD8\xFF"sv, "a JPEG image"},
      {"PK\x03\x04"sv, "a zip archive (a PyTorch file or .npz?)"},
      {"\x1F\x8B"sv, "a gzip file"},
      {"\x89HDF"sv, "an HDF5 file"},
      {"GGUF"sv, "a GGUF model"},
      {"\x93NUMPY"sv, "a NumPy array"},
      {"\x80\x02"sv, "a Python pickle"},
  }};
  if (bytes.empty()) return "an empty file";
  for (const auto& [beginning, name] : kBeginnings)
    if (bytes.starts_with(beginning)) return name;
  constexpr size_t kSample = 512;
  const std::string_view sample = bytes.substr(0, kSample);
  const bool printable = std::all_of(sample.begin(), sample.end(), [](char c) {
    return (c >= 0x20 && c < 0x7F) || c == '\n' || c == '\r' || c == '\t';
  });
  return printable ? "a text" : "";
}

[[noreturn]] void reject(const std::string& file, const std::string& found) {
  throw InputError({.file = file,
                    .expected = "an ONNX model",
                    .found = "not an ONNX model: " + found,
                    .hint = "a model that was cut off on its way looks so, too"});
}

/// Of a ModelProto, as they are.
struct RawFields {
  int64_t ir_version = 0;
  std::vector<std::pair<std::string, int64_t>> opsets;
  std::optional<Message> graph;
};

void read_opset(Message message, RawFields& model) {
  std::string domain;
  int64_t version = 0;
  while (message.next()) {
    if (message.field() == kOpsetDomain) domain = normal_domain(message.text());
    if (message.field() == kOpsetVersion) version = message.integer();
  }
  model.opsets.emplace_back(domain, version);
}

void read_model_field(Message& message, RawFields& model) {
  switch (message.field()) {
    case kModelIrVersion:
      model.ir_version = message.integer();
      return;
    case kModelOpsetImport:
      return read_opset(message.message("opset import"), model);
    case kModelGraph:
      if (model.graph) message.fail("one graph", "a second one");
      model.graph = message.message("graph");
      return;
    case kModelFunctions:
      message.fail("a model without functions of its own", "a function: inline it when exporting");
    case kModelTrainingInfo:
      message.fail("a model for inference", "training information");
    default:
      return;
  }
}

RawFields read_fields(const MessageSource& source, std::string_view bytes) {
  if (const std::string other = other_format(bytes); !other.empty()) reject(source.file, other);
  RawFields model;
  Message message(source, bytes, "model");
  // A file of another kind breaks at its first fields, before a graph.
  const auto known = [&] { return model.graph.has_value() || model.ir_version >= kOldestIr; };
  try {
    while (message.next()) read_model_field(message, model);
  } catch (const InputError& error) {
    if (known()) throw;
    reject(source.file, fmt::format("{}: {}", error.fault().place, error.fault().found));
  }
  if (!model.graph) reject(source.file, "it holds no graph");
  if (model.ir_version < kOldestIr)
    message.fail(fmt::format("an IR version of {} or more", kOldestIr),
                 fmt::format("{}", model.ir_version));
  return model;
}

/// The opset of ONNX's own domain.
int64_t own_opset(const RawFields& model, const std::string& file) {
  std::optional<int64_t> opset;
  for (const auto& [domain, version] : model.opsets) {
    if (!domain.empty()) continue;
    if (opset && *opset != version)
      throw InputError({.file = file,
                        .place = "opset import",
                        .expected = "one opset",
                        .found = fmt::format("{} and {}", *opset, version)});
    opset = version;
  }
  if (!opset || *opset < kOldestOpset || *opset > kOpset)
    throw InputError({.file = file,
                      .place = "opset import",
                      .expected = fmt::format("an opset of {} to {}", kOldestOpset, kOpset),
                      .found = opset ? fmt::format("opset {}", *opset) : "none",
                      .hint = fmt::format("export the model with opset {}", kOpset)});
  return *opset;
}

}  // namespace

std::string normal_domain(const std::string& domain) {
  return domain == "ai.onnx" ? "" : domain;
}

ModelFields read_model(const MessageSource& source, std::string_view bytes) {
  const RawFields fields = read_fields(source, bytes);
  return {own_opset(fields, source.file), *fields.graph};
}

}  // namespace crrm::onnx
