#include "crrm/data/inflate.h"

#include <zlib.h>

#include "crrm/base/error.h"

namespace crrm {

namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib's manual: 16 asks for a gzip header
constexpr int kRawWindow = -15;       // and a negative size for none at all
constexpr size_t kBlockBytes = size_t{1} << 20;

/// One zlib stream over bytes in memory.
class Inflater {
 public:
  Inflater(std::string_view bytes, int window, uint64_t limit, std::string file, std::string place)
      : rest_(bytes), limit_(limit), file_(std::move(file)), place_(std::move(place)) {
    if (inflateInit2(&stream_, window) != Z_OK) throw InternalError("zlib does not start");
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  /// Appends one stream, up to its end mark, to the output.
  void run() {
    int status = Z_OK;
    while (status != Z_STREAM_END) {
      feed();
      status = step();
      if (status == Z_BUF_ERROR && stream_.avail_in == 0 && rest_.empty())
        reject("a whole compressed stream", "one that is cut off");
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
        reject("a valid compressed stream", stream_.msg ? stream_.msg : "damage");
      if (output_.size() > limit_)
        reject(fmt::format("at most {} bytes when unpacked", limit_), "more");
    }
  }

  /// Readies the stream for the next member; false at the end of the bytes.
  bool next_member() {
    if (stream_.avail_in == 0 && rest_.empty()) return false;
    if (inflateReset(&stream_) != Z_OK) throw InternalError("zlib does not restart");
    return true;
  }

  std::string take() { return std::move(output_); }

 private:
  void feed() {
    if (stream_.avail_in > 0 || rest_.empty()) return;
    const size_t size = std::min(rest_.size(), kBlockBytes);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest_.data()));
    stream_.avail_in = static_cast<uInt>(size);
    rest_.remove_prefix(size);
  }

  int step() {
    stream_.next_out = block_.data();
    stream_.avail_out = static_cast<uInt>(block_.size());
    const int status = inflate(&stream_, Z_NO_FLUSH);
    output_.append(reinterpret_cast<const char*>(block_.data()), block_.size() - stream_.avail_out);
    return status;
  }

  [[noreturn]] void reject(std::string expected, std::string found) const {
    throw InputError({.file = file_,
                      .place = place_,
                      .expected = std::move(expected),
                      .found = std::move(found)});
  }

  std::string_view rest_;
  uint64_t limit_;
  std::string file_;
  std::string place_;
  z_stream stream_{};
  std::vector<Bytef> block_ = std::vector<Bytef>(kBlockBytes);
  std::string output_;
};

}  // namespace

bool is_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b");
}

std::string gunzip(std::string_view bytes, uint64_t limit, const std::string& file) {
  Inflater inflater(bytes, kGzipWindow, limit, file, "gzip");
  do inflater.run();
  while (inflater.next_member());
  return inflater.take();
}

std::string inflate_raw(std::string_view bytes, uint64_t size, const std::string& file,
                        const std::string& place) {
  Inflater inflater(bytes, kRawWindow, size, file, place);
  inflater.run();
  std::string output = inflater.take();
  if (output.size() != size)
    throw InputError(
        {.file = file,
         .place = place,
         .expected = fmt::format("{} bytes when unpacked, as the directory says", size),
         .found = fmt::format("{} bytes", output.size())});
  return output;
}

}  // namespace crrm
