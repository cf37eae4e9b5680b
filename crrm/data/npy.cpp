#include "crrm/data/npy.h"

#include <charconv>
#include <cstring>

#include "crrm/base/error.h"

namespace crrm {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMostRank = 32;  // NumPy's own limit before 2.0
constexpr int64_t kMostElements = int64_t{1} << 40;

const std::map<std::string, at::ScalarType>& types() {
  static const std::map<std::string, at::ScalarType> known{{"|u1", at::kByte},
                                                           {"<i4", at::kInt},
                                                           {"<i8", at::kLong},
                                                           {"<f4", at::kFloat},
                                                           {"<f8", at::kDouble}};
  return known;
}

/// The header's Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::string file, std::string place)
      : text_(text), rest_(text), file_(std::move(file)), place_(std::move(place)) {}

  void parse() {
    need("{");
    while (!accept("}")) {
      const std::string key = quoted();
      need(":");
      value_of(key);
      if (!accept(",")) {
        need("}");
        break;
      }
    }
    if (!type_) reject("a key 'descr'");
    if (!shaped_) reject("a key 'shape'");
  }

  at::ScalarType type() const { return *type_; }
  const std::vector<int64_t>& shape() const { return shape_; }

 private:
  void value_of(const std::string& key) {
    if (key == "descr") return descr();
    if (key == "fortran_order") return order();
    if (key == "shape") return extents();
    reject("the keys descr, fortran_order and shape");
  }

  void descr() {
    skip_spaces();
    if (!rest_.starts_with('\'')) reject("a plain type, such as '<f4'");
    const std::string name = quoted();
    const auto found = types().find(name);
    if (found == types().end())
      throw InputError({.file = file_,
                        .place = place_,
                        .expected = "little-endian u1, i4, i8, f4 or f8",
                        .found = "'" + name + "'",
                        .hint = "convert it, as in array.astype('float32')"});
    type_ = found->second;
  }

  void order() {
    if (accept("False")) return;
    if (!accept("True")) reject("fortran_order True or False");
    throw InputError({.file = file_,
                      .place = place_,
                      .expected = "an array in C order",
                      .found = "Fortran order",
                      .hint = "save numpy.ascontiguousarray(array)"});
  }

  void extents() {
    need("(");
    shaped_ = true;
    while (!accept(")")) {
      shape_.push_back(number());
      if (shape_.size() > kMostRank) reject(fmt::format("at most {} axes", kMostRank));
      if (!accept(",")) {
        need(")");
        break;
      }
    }
  }

  int64_t number() {
    skip_spaces();
    int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc() || value < 0) reject("extents from 0");
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return value;
  }

  std::string quoted() {
    need("'");
    const size_t end = rest_.find('\'');
    if (end == std::string_view::npos) reject("a closing quote");
    const std::string word(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return word;
  }

  void skip_spaces() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n"), rest_.size()));
  }

  bool accept(std::string_view token) {
    skip_spaces();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  void need(std::string_view token) {
    if (!accept(token))
      reject(fmt::format("{} at character {}", token, text_.size() - rest_.size()));
  }

  [[noreturn]] void reject(const std::string& expected) const {
    constexpr size_t kShown = 120;
    throw InputError({.file = file_,
                      .place = place_ + ", header",
                      .expected = expected,
                      .found = fmt::format("{}", text_.substr(0, kShown))});
  }

  std::string_view text_;
  std::string_view rest_;
  std::string file_;
  std::string place_;
  std::optional<at::ScalarType> type_;
  bool shaped_ = false;
  std::vector<int64_t> shape_;
};

/// Offset and length of the header's text.
std::pair<size_t, size_t> locate_header(std::string_view bytes, const std::string& file,
                                        const std::string& place) {
  const bool magic = bytes.starts_with(kMagic) && bytes.size() >= kMagic.size() + 4;
  const int version = magic ? static_cast<uint8_t>(bytes[kMagic.size()]) : 0;
  if (version != 1 && version != 2)
    throw InputError({.file = file,
                      .place = place,
                      .expected = "a NumPy array (.npy, version 1 or 2)",
                      .found = magic ? fmt::format("version {}", version)
                                     : fmt::format("{} bytes of something else", bytes.size())});
  const size_t width = version == 1 ? 2 : 4;
  const size_t first = kMagic.size() + 2 + width;
  size_t length = 0;
  for (size_t i = width; i-- > 0 && first <= bytes.size();)
    length = length << 8 | static_cast<uint8_t>(bytes[kMagic.size() + 2 + i]);
  if (first > bytes.size() || length > bytes.size() - first)
    throw InputError({.file = file,
                      .place = place + ", header",
                      .expected = fmt::format("{} bytes", length),
                      .found = fmt::format("an array of {} bytes in all", bytes.size())});
  return {first, length};
}

/// Product of the extents, or nothing where it is beyond any memory. So is that of the others where
/// one is 0: a tensor's strides multiply them.
std::optional<int64_t> count_elements(const std::vector<int64_t>& shape) {
  int64_t count = 1, reach = 1;
  for (const int64_t extent : shape) {
    if (extent > kMostElements / reach) return std::nullopt;
    count *= extent;
    reach *= std::max<int64_t>(extent, 1);
  }
  return count;
}

}  // namespace

at::Tensor parse_npy(std::string_view bytes, const std::string& file, const std::string& place) {
  const auto [first, length] = locate_header(bytes, file, place);
  HeaderParser header(bytes.substr(first, length), file, place);
  header.parse();
  const std::string_view values = bytes.substr(first + length);
  const std::optional<int64_t> count = count_elements(header.shape());
  const size_t width = c10::elementSize(header.type());
  if (!count || static_cast<size_t>(*count) * width != values.size())
    throw InputError({.file = file,
                      .place = place,
                      .expected = fmt::format("shape ({}) of {} bytes an element",
                                              fmt::join(header.shape(), ", "), width),
                      .found = fmt::format("{} bytes", values.size())});
  const at::Tensor array = at::empty(header.shape(), header.type());
  if (!values.empty()) std::memcpy(array.data_ptr(), values.data(), values.size());
  return array;
}

}  // namespace crrm
