#include "crrm/data/image_fit.h"

#include <ATen/TensorIterator.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>

#include "crrm/base/error.h"
#include "crrm/data/image_file.h"

namespace crrm {

namespace {

struct Extent {
  int64_t height = 0;
  int64_t width = 0;

  bool operator==(const Extent&) const = default;
};

std::string to_text(const Extent& extent) {
  return fmt::format("{} x {}", extent.height, extent.width);
}

Extent square_or_pair(const std::vector<int64_t>& size) {
  return {size.front(), size.back()};
}

void check_size(const std::vector<int64_t>& size, const std::string& name) {
  const bool good = size.size() <= 2 && std::all_of(size.begin(), size.end(), [](int64_t extent) {
                      return extent > 0 && extent <= kMostPixels;
                    });
  if (!good)
    throw InputError({.file = name,
                      .expected = "one or two numbers of pixels above 0",
                      .found = fmt::format("{}", fmt::join(size, ", "))});
}

void check_choice(const std::string& value, const std::string& name,
                  const std::vector<std::string>& choices) {
  if (std::find(choices.begin(), choices.end(), value) == choices.end())
    throw InputError({.file = name,
                      .expected = fmt::format("one of {}", fmt::join(choices, ", ")),
                      .found = value.empty() ? "nothing" : value,
                      .hint = suggestion(value, choices)});
}

Extent resized_extent(const Extent& image, const std::vector<int64_t>& resize) {
  if (resize.empty()) return image;
  if (resize.size() == 2) return square_or_pair(resize);
  const int64_t shorter = std::min(image.height, image.width);
  return {image.height * resize[0] / shorter, image.width * resize[0] / shorter};
}

/// Red, green and blue [3, H, W] to one grey level [1, H, W].
at::Tensor grey_level(const at::Tensor& image) {
  const at::Tensor wide = image.to(at::kInt);
  return ((wide[0] * 19595 + wide[1] * 38470 + wide[2] * 7471 + 0x8000).bitwise_right_shift(16))
      .to(at::kByte)
      .unsqueeze(0);
}

at::Tensor order_channels(const at::Tensor& image, const std::string& channels) {
  if (image.size(0) != 3 || channels == "rgb") return image;
  return channels == "bgr" ? image.flip({0}) : grey_level(image);
}

at::Tensor resize(const at::Tensor& image, const std::vector<int64_t>& size,
                  const std::string& file) {
  const Extent from{image.size(1), image.size(2)};
  const Extent to = resized_extent(from, size);
  if (to == from) return image;
  if (to.height > kMostPixels / to.width)
    throw InputError({.file = file,
                      .place = "resize",
                      .expected = fmt::format("an image of at most {} pixels", kMostPixels),
                      .found = fmt::format("{}, from {}", to_text(to), to_text(from))});
  return at::_upsample_bilinear2d_aa(image.unsqueeze(0).to(at::kFloat), {to.height, to.width},
                                     /*align_corners=*/false)
      .squeeze(0)
      .round()
      .clamp(0, 255)
      .to(at::kByte);
}

/// First row or column of a centre crop. std::nearbyint rounds ties to even, as Python's round.
int64_t first_of_crop(int64_t extent, int64_t crop) {
  return static_cast<int64_t>(std::nearbyint(static_cast<double>(extent - crop) / 2));
}

at::Tensor crop_centre(const at::Tensor& image, const std::vector<int64_t>& size,
                       const std::string& file) {
  if (size.empty()) return image;
  const Extent from{image.size(1), image.size(2)};
  const Extent to = square_or_pair(size);
  if (to.height > from.height || to.width > from.width)
    throw InputError({.file = file,
                      .place = "crop",
                      .expected = fmt::format("an image of at least {}", to_text(to)),
                      .found = to_text(from),
                      .hint = "--resize makes images larger"});
  return image.narrow(1, first_of_crop(from.height, to.height), to.height)
      .narrow(2, first_of_crop(from.width, to.width), to.width);
}

/// Calls work(i) for all i in [first, count), on as many threads as ATen computes with. crrm is
/// compiled without OpenMP, where at::parallel_for would stay on one thread; TensorIterator's loop
/// lies in LibTorch.
template <typename Work>
void for_each_index(int64_t first, int64_t count, const Work& work) {
  at::Tensor index = at::arange(first, count, at::kLong);
  at::TensorIterator::nullary_op(index).for_each(
      [&](char** data, const int64_t* strides, int64_t inner, int64_t outer) {
        for (int64_t j = 0; j < outer; ++j)
          for (int64_t k = 0; k < inner; ++k)
            work(*reinterpret_cast<const int64_t*>(data[0] + k * strides[0] + j * strides[1]));
      },
      /*grain_size=*/1);
}

/// The failure with the smallest index, whichever thread meets one first.
class FirstFailure {
 public:
  bool before(int64_t index) const { return index_ < index; }

  void note(int64_t index) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (before(index)) return;
    index_ = index;
    failure_ = std::current_exception();
  }

  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::atomic<int64_t> index_ = INT64_MAX;
  std::mutex mutex_;  ///< of what follows, and of writing index_
  std::exception_ptr failure_;
};

void check_memory(const ImageSequence& images, const at::Tensor& first) {
  const double needed = static_cast<double>(images.count) * static_cast<double>(first.numel());
  const double held =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  constexpr double kGibibyte = double{1 << 30};
  if (needed > held)
    throw InputError(
        {.file = images.name(0),
         .expected = fmt::format("images that fit into {:.1f} GiB of memory", held / kGibibyte),
         .found = fmt::format("{} of {} bytes, {:.1f} GiB", images.count, first.numel(),
                              needed / kGibibyte),
         .hint = "--resize and --crop make images smaller"});
}

std::string describe_sizes(const at::Tensor& image) {
  return fmt::format("[{}]", fmt::join(image.sizes(), ", "));
}

void check_same_size(const ImageSequence& images, int64_t i, const at::Tensor& image,
                     const at::Tensor& first) {
  if (image.sizes() != first.sizes())
    throw InputError(
        {.file = images.name(i),
         .expected = fmt::format("{}, as {} is", describe_sizes(first), images.name(0)),
         .found = describe_sizes(image),
         .hint = "--resize and --crop bring images to one size"});
}

}  // namespace

const std::vector<std::string>& channel_orders() {
  static const std::vector<std::string> orders{"rgb", "bgr", "grey"};
  return orders;
}

const std::vector<std::string>& sample_layouts() {
  static const std::vector<std::string> layouts{"chw", "hwc"};
  return layouts;
}

void check_image_options(const DataOptions& options) {
  check_size(options.resize, "--resize");
  check_size(options.crop, "--crop");
  check_choice(options.channels, "--channels", channel_orders());
  check_choice(options.layout, "--layout", sample_layouts());
}

at::Tensor fit_image(const at::Tensor& image, const DataOptions& options, const std::string& file) {
  const at::Tensor coloured = order_channels(image, options.channels);
  const at::Tensor fitted =
      crop_centre(resize(coloured, options.resize, file), options.crop, file);  // [C, h, w]
  return options.layout == "hwc" ? fitted.permute({1, 2, 0}) : fitted;
}

at::Tensor stack_images(const ImageSequence& images) {
  const at::Tensor first = images.image(0);
  check_memory(images, first);
  std::vector<int64_t> sizes{images.count};
  sizes.insert(sizes.end(), first.sizes().begin(), first.sizes().end());
  const at::Tensor all = at::empty(sizes, at::kByte);
  all.select(0, 0).copy_(first);
  FirstFailure failure;
  for_each_index(1, images.count, [&](int64_t i) {
    if (failure.before(i)) return;
    try {
      const at::Tensor image = images.image(i);
      check_same_size(images, i, image, first);
      all.select(0, i).copy_(image);
    } catch (...) {
      failure.note(i);
    }
  });
  failure.rethrow();
  return all;
}

at::Tensor fit_images(const at::Tensor& images, const DataOptions& options,
                      const std::string& file) {
  const bool as_they_are = options.resize.empty() && options.crop.empty() &&
                           options.channels == "rgb" && options.layout == "chw";
  if (as_they_are || images.numel() == 0) return images;
  return stack_images(
      {.count = images.size(0),
       .image = [&](int64_t i) { return fit_image(images.select(0, i), options, file); },
       .name = [&](int64_t) { return file; }});
}

void check_fitted(const Dataset& data, const DataOptions& options) {
  if (options.resize.empty() && options.crop.empty()) return;
  const int64_t rows = data.channel_axis == 1 ? 2 : 1;  // axis of the height
  const bool images = data.inputs.dim() == 4;
  const Extent found =
      images ? Extent{data.inputs.size(rows), data.inputs.size(rows + 1)} : Extent{};
  const Extent wanted = !images                 ? Extent{}
                        : !options.crop.empty() ? square_or_pair(options.crop)
                                                : resized_extent(found, options.resize);
  if (images && wanted == found) return;
  throw InputError({.file = data.source,
                    .place = "resize and crop",
                    .expected = images ? fmt::format("samples of {}: arrays are read as they are",
                                                     to_text(wanted))
                                       : "images [N, C, H, W] or [N, H, W, C]",
                    .found = fmt::format("inputs [{}]", fmt::join(data.inputs.sizes(), ", ")),
                    .hint = "leave --resize and --crop out, or the keys of MODEL.json"});
}

}  // namespace crrm
