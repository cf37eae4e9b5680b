#include "crrm/data/augment.h"

#include <cstring>

#include "crrm/base/error.h"
#include "crrm/data/dataset.h"

namespace crrm {

namespace {

/// Sizes of one sample, seen as channels of rows. Of ranks other than 4, a row is all that a
/// channel holds.
struct SampleShape {
  int64_t channels = 1;
  int64_t height = 1;
  int64_t width = 1;

  int64_t size() const { return channels * height * width; }
};

SampleShape sample_shape(const at::Tensor& inputs, int64_t channel_axis) {
  const int64_t channels = inputs.dim() > 1 ? inputs.size(channel_axis) : 1;
  const int64_t rows = channel_axis == 1 ? 2 : 1;  // axis of the height
  if (inputs.dim() == 4) return {channels, inputs.size(rows), inputs.size(rows + 1)};
  return {channels, 1, inputs.numel() / (inputs.size(0) * channels)};
}

/// Where the value of channel c, row y, column x lies: c * channel + y * row + x * column.
struct Strides {
  int64_t channel = 0;
  int64_t row = 0;
  int64_t column = 0;
};

Strides strides_of(const SampleShape& shape, bool channels_last) {
  if (channels_last) return {1, shape.width * shape.channels, shape.channels};
  return {shape.height * shape.width, shape.width, 1};
}

/// Writes `width` values of one channel from the padded row; `source` is null where the row lies
/// above or below the image. @param shift source index minus output index. @param from,to distance
/// of two values; `to` is negative where the image is mirrored.
template <typename Pixel, typename Convert>
void write_row(const Pixel* source, int64_t width, int64_t shift, int64_t from, float* out,
               int64_t to, const Convert& convert) {
  const float padding = convert(Pixel{0});
  const int64_t first = source ? std::clamp<int64_t>(-shift, 0, width) : width;
  const int64_t last = std::clamp<int64_t>(width - shift, first, width);
  for (int64_t x = 0; x < first; ++x) out[x * to] = padding;
  for (int64_t x = first; x < last; ++x) out[x * to] = convert(source[(x + shift) * from]);
  for (int64_t x = last; x < width; ++x) out[x * to] = padding;
}

/// Writes one channel of one sample. @param from,to strides of the sample and of the output.
/// @param shift_y,shift_x source index minus output index.
template <typename Pixel, typename Convert>
void write_channel(const Pixel* source, const SampleShape& shape, const Strides& from,
                   const Strides& to, int64_t shift_y, int64_t shift_x, bool mirror, float* out,
                   const Convert& convert) {
  const int64_t column = mirror ? -to.column : to.column;
  const int64_t origin = mirror ? (shape.width - 1) * to.column : 0;
  for (int64_t y = 0; y < shape.height; ++y) {
    const int64_t above = y + shift_y;
    const Pixel* row = above >= 0 && above < shape.height ? source + above * from.row : nullptr;
    write_row(row, shape.width, shift_x, from.column, out + y * to.row + origin, column, convert);
  }
}

std::vector<std::array<float, 256>> byte_tables(const Normalisation& normalisation) {
  const size_t count = std::max({size_t{1}, normalisation.mean.size(), normalisation.std.size()});
  std::vector<std::array<float, 256>> tables(count);
  for (size_t c = 0; c < count; ++c)
    for (size_t byte = 0; byte < 256; ++byte)
      tables[c][byte] = static_cast<float>(
          normalisation.apply(static_cast<double>(byte), static_cast<int64_t>(c)));
  return tables;
}

}  // namespace

ImageMove draw_move(const Augmentation& augmentation, uint64_t bits) {
  // Bits 0-30, 31-61 and 62: three numbers that do not touch.
  constexpr uint64_t kMask = (uint64_t{1} << 31) - 1;
  const uint64_t places = 2 * static_cast<uint64_t>(augmentation.pad) + 1;
  return {.down = static_cast<int64_t>((bits & kMask) * places >> 31),
          .right = static_cast<int64_t>((bits >> 31 & kMask) * places >> 31),
          .mirror = augmentation.flip && (bits >> 62 & 1) != 0};
}

Preparation::Preparation(const Dataset& data, Normalisation normalisation,
                         Augmentation augmentation, bool channels_last)
    : stored_(data.inputs.contiguous()),
      channel_axis_(data.channel_axis),
      normalisation_(std::move(normalisation)),
      augmentation_(augmentation),
      channels_last_(channels_last && data.inputs.dim() == 4 && data.channel_axis == 1) {
  check_normalisation(normalisation_, data);
  if (augmentation_.active() && stored_.dim() != 4)
    throw InputError({.file = data.source,
                      .place = "augmentation",
                      .expected = "images [N, C, H, W] or [N, H, W, C]",
                      .found = fmt::format("inputs {}", c10::str(stored_.sizes())),
                      .hint = "give the shape of a sample, such as 1x28x28, or no augmentation"});
  const SampleShape shape = sample_shape(stored_, channel_axis_);
  const int64_t most = stored_.dim() == 4 ? std::min(shape.height, shape.width) : 0;
  if (augmentation_.pad < 0 || augmentation_.pad > most)
    throw InputError({.file = data.source,
                      .place = "augmentation, pad",
                      .expected = fmt::format("0 to {} pixels, the size of an image", most),
                      .found = fmt::format("{}", augmentation_.pad)});
  if (stored_.scalar_type() == at::kByte) tables_ = byte_tables(normalisation_);
}

at::Tensor Preparation::inputs(std::span<const int64_t> index,
                               std::span<const uint64_t> bits) const {
  if (augmentation_.active() && bits.size() != index.size())
    throw InternalError("augmentation without a random number for each sample");
  const SampleShape shape = sample_shape(stored_, channel_axis_);
  const bool interleaved = channel_axis_ != 1;
  const Strides from = strides_of(shape, interleaved);
  const Strides to = strides_of(shape, channels_last_ || interleaved);
  std::vector<int64_t> sizes = stored_.sizes().vec();
  sizes[0] = static_cast<int64_t>(index.size());
  at::Tensor batch =  // [B, ...]
      at::empty(sizes, at::TensorOptions(at::kFloat)
                           .memory_format(channels_last_ ? at::MemoryFormat::ChannelsLast
                                                         : at::MemoryFormat::Contiguous));
  float* out = batch.data_ptr<float>();
  const auto write = [&](const auto* source, const auto& convert_of) {
    for (size_t i = 0; i < index.size(); ++i, out += shape.size()) {
      const ImageMove move =
          augmentation_.active() ? draw_move(augmentation_, bits[i]) : ImageMove{};
      for (int64_t c = 0; c < shape.channels; ++c)
        write_channel(source + index[i] * shape.size() + c * from.channel, shape, from, to,
                      move.down - augmentation_.pad, move.right - augmentation_.pad, move.mirror,
                      out + c * to.channel, convert_of(c));
    }
  };
  if (stored_.scalar_type() == at::kByte) {
    write(stored_.const_data_ptr<uint8_t>(), [&](int64_t c) {
      const std::array<float, 256>& table =
          tables_[tables_.size() == 1 ? 0 : static_cast<size_t>(c)];
      return [&table](uint8_t byte) { return table[byte]; };
    });
  } else {
    write(stored_.const_data_ptr<float>(), [&](int64_t c) {
      return [this, c](float x) { return static_cast<float>(normalisation_.apply(x, c)); };
    });
  }
  return batch;
}

}  // namespace crrm
