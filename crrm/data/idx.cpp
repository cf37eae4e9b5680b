// IDX, the format of MNIST and Fashion-MNIST: big-endian 32-bit magic number (0, 0, type, rank) and
// extents, then the values. Source: http://yann.lecun.com/exdb/mnist, "File formats".
#include <cstring>

#include "crrm/base/error.h"
#include "crrm/data/format.h"
#include "crrm/data/image_fit.h"
#include "crrm/data/inflate.h"

namespace crrm {

namespace fs = std::filesystem;

namespace {

constexpr uint32_t kByteType = 8;
constexpr uint64_t kMostBytes = uint64_t{1} << 33;  // 8 GiB unpacked: 180 times MNIST's images

struct IdxArray {
  std::vector<int64_t> sizes;
  std::string bytes;  ///< the whole file
  size_t first = 0;   ///< offset of the values
};

/// The file itself, or NAME.gz where there is no such file.
fs::path with_gz(const fs::path& path) {
  if (fs::exists(path)) return path;
  const fs::path packed = path.string() + ".gz";
  return fs::exists(packed) ? packed : path;
}

fs::path images_path(const fs::path& folder, const std::string& part) {
  return with_gz(folder / (part + "-images-idx3-ubyte"));
}

fs::path labels_path(const fs::path& folder, const std::string& part) {
  return with_gz(folder / (part + "-labels-idx1-ubyte"));
}

uint32_t big_endian(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

void check_magic(const fs::path& path, const std::string& bytes, uint32_t rank) {
  const uint32_t expected = kByteType << 8 | rank;
  const size_t header = 4 * (1 + rank);
  if (bytes.size() < header)
    throw InputError({.file = path.string(),
                      .place = "header",
                      .expected = fmt::format("{} bytes", header),
                      .found = fmt::format("a file of {} bytes", bytes.size())});
  if (const uint32_t found = big_endian(bytes, 0); found != expected)
    throw InputError({.file = path.string(),
                      .place = "magic number",
                      .expected = fmt::format("0x{:08x}, bytes of rank {}", expected, rank),
                      .found = fmt::format("0x{:08x}", found)});
}

IdxArray read_idx(const fs::path& path, uint32_t rank, HashedFiles& files) {
  IdxArray array;
  array.bytes = files.read(path);
  if (is_gzip(array.bytes)) array.bytes = gunzip(array.bytes, kMostBytes, path.string());
  check_magic(path, array.bytes, rank);
  array.first = 4 * (1 + rank);
  const uint64_t held = array.bytes.size() - array.first;
  uint64_t wanted = 1, reach = 1;  // a tensor's strides multiply the other extents where one is 0
  bool fits = true;
  for (uint32_t axis = 0; axis < rank; ++axis) {
    const uint64_t extent = big_endian(array.bytes, 4 * (1 + axis));
    array.sizes.push_back(static_cast<int64_t>(extent));
    fits = fits && extent <= kMostBytes / reach;
    if (!fits) continue;
    wanted *= extent;
    reach *= std::max<uint64_t>(extent, 1);
  }
  if (!fits || wanted != held)
    throw InputError(
        {.file = path.string(),
         .place = "values",
         .expected = fmt::format("{} bytes, as the header says", fmt::join(array.sizes, " x ")),
         .found = fmt::format("{} bytes", held)});
  return array;
}

at::Tensor to_tensor(const IdxArray& array) {
  const at::Tensor values = at::empty(array.sizes, at::kByte);
  if (values.numel() > 0)
    std::memcpy(values.data_ptr(), array.bytes.data() + array.first,
                static_cast<size_t>(values.numel()));
  return values;
}

Dataset read_part(const fs::path& folder, const std::string& part, const DataOptions& options,
                  HashedFiles& files) {
  Dataset data;
  const fs::path images = images_path(folder, part);
  const fs::path labels = labels_path(folder, part);
  data.inputs = to_tensor(read_idx(images, 3, files)).unsqueeze(1);  // [N, 1, H, W]
  data.labels = to_tensor(read_idx(labels, 1, files)).to(at::kLong);
  data.source = folder.string();
  if (data.labels.size(0) != data.inputs.size(0))
    throw InputError(
        {.file = labels.string(),
         .expected = fmt::format("{} labels, as {} holds {} images", data.inputs.size(0),
                                 images.filename().string(), data.inputs.size(0)),
         .found = fmt::format("{} labels", data.labels.size(0))});
  data.inputs = fit_images(data.inputs, options, data.source);
  return data;
}

bool matches(const fs::path& path) {
  return fs::exists(images_path(path, "train")) || fs::exists(labels_path(path, "train"));
}

RawData load(const fs::path& path, const DataOptions& options) {
  HashedFiles files;
  RawData raw;
  raw.train = read_part(path, "train", options, files);
  if (raw.train.labels.numel() > 0) raw.train.classes = raw.train.labels.max().item<int64_t>() + 1;
  if (fs::exists(images_path(path, "t10k"))) raw.test = read_part(path, "t10k", options, files);
  raw.test.classes = raw.train.classes;
  raw.train.sha256 = raw.test.sha256 = files.sha256();
  return raw;
}

const FormatRegistration registered(
    {.name = "IDX (MNIST)",
     .look = "a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte and the same of t10k, "
             ".gz or not",
     .matches = matches,
     .load = load});

}  // namespace
}  // namespace crrm
