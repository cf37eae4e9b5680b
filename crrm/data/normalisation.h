// How stored values become what a network reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crrm {

struct Dataset;

/// y = (x * scale - mean) / std.
struct Normalisation {
  double scale = 1;          ///< finite, not 0
  std::vector<double> mean;  ///< empty (0), one for all, or one per index of the channels' axis
  std::vector<double> std;   ///< > 0: empty (1), one for all, or one per index of that axis

  double apply(double x, int64_t channel) const {
    return (x * scale - pick(mean, channel, 0)) / pick(std, channel, 1);
  }

 private:
  static double pick(const std::vector<double>& values, int64_t channel, double otherwise) {
    if (values.empty()) return otherwise;
    return values.size() == 1 ? values[0] : values[static_cast<size_t>(channel)];
  }
};

/// What MODEL.json, beside a model, says of the model's inputs. All keys are optional:
///   {"scale": 0.00392156862745098, "mean": [0.5], "std": [0.25], "shape": [1, 8, 8],
///    "label_column": "digit", "resize": 256, "crop": [224, 224], "channels": "rgb",
///    "layout": "chw"}
struct InputDescription {
  std::optional<Normalisation> normalisation;  ///< where scale, mean or std is given
  std::vector<int64_t> shape;                  ///< empty where not given
  std::string label_column;                    ///< empty where not given
  std::vector<int64_t> resize;                 ///< {S} or {H, W}; empty where not given
  std::vector<int64_t> crop;                   ///< {S} or {H, W}; empty where not given
  std::string channels;                        ///< rgb, bgr or grey; empty where not given
  std::string layout;                          ///< chw or hwc; empty where not given
};

/// MODEL.json of MODEL.onnx, whether it exists or not.
std::filesystem::path description_path(const std::filesystem::path& model);

/// @throws InputError naming the file and the key: no JSON object, unknown key (with the nearest
/// one), wrong type or value.
InputDescription read_description(const std::filesystem::path& file);
InputDescription parse_description(std::string_view json, const std::string& file);

/// Reads "scale=1/255 mean=0.485,0.456,0.406 std=0.229,0.224,0.225"; each part is optional.
/// @param option names the text in errors.
/// @throws InputError as parse_description.
Normalisation parse_normalisation(std::string_view text, const std::string& option);

/// The same as text, which `parse_normalisation` reads back exactly.
std::string to_text(const Normalisation& normalisation);

/// What holds where the user says nothing: scale 1/255 for uint8, float32 as it is.
Normalisation default_normalisation(const Dataset& data);

/// @throws InputError where the counts of mean and std do not fit the channels, or where
/// bytes meet a mean and std that are meant for [0, 1].
void check_normalisation(const Normalisation& normalisation, const Dataset& data);

}  // namespace crrm
