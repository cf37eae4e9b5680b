// From images as they come to samples of one size: colours, resizing, cropping, order of the axes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "crrm/data/dataset.h"

namespace crrm {

/// What DataOptions::channels and DataOptions::layout may be.
const std::vector<std::string>& channel_orders();
const std::vector<std::string>& sample_layouts();

/// @throws InputError where the options for images are out of range.
void check_image_options(const DataOptions& options);

/// One image as the options ask for it. In this order:
///   channels  three channels become red, green, blue; blue, green, red; or one grey level,
///             0.299 R + 0.587 G + 0.114 B in ITU-R 601-2's rounding to 16 bits, as Pillow has it
///   resize    bilinear with antialiasing: a triangle filter as wide as the reduction, as Pillow's
///             BILINEAR (at::_upsample_bilinear2d_aa); values are rounded once, at the end. {S}
///             keeps the aspect; the longer side is rounded down, as torchvision's Resize does
///   crop      of the centre; the first row is (H - h) / 2, ties to even, as torchvision's
///             CenterCrop
/// @param image [C, H, W] uint8; C = 1 stays one channel.
/// @param file  names the image in errors.
/// @return a view [C, h, w], or [h, w, C] in the layout hwc.
/// @throws InputError where a crop does not fit in, or an image would pass kMostPixels.
at::Tensor fit_image(const at::Tensor& image, const DataOptions& options, const std::string& file);

/// Images of one size, one after another.
struct ImageSequence {
  int64_t count = 0;
  /// Image i, as all of them shaped; called from several threads at once.
  std::function<at::Tensor(int64_t)> image;
  std::function<std::string(int64_t)> name;  ///< what an error calls image i
};

/// @return [count, ...] uint8, in memory taken once.
/// @throws InputError naming the first image that failed or that differs in size from the first,
/// or where the machine has not the memory.
at::Tensor stack_images(const ImageSequence& images);

/// A format's stored images as the options ask for them.
/// @param images [N, C, H, W] uint8
at::Tensor fit_images(const at::Tensor& images, const DataOptions& options,
                      const std::string& file);

/// Arrays and tables are read as they are. @throws InputError where the options say resize or crop
/// and the samples have other extents than these would give.
void check_fitted(const Dataset& data, const DataOptions& options);

}  // namespace crrm
