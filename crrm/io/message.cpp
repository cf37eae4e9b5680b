#include "crrm/io/message.h"

#include <array>
#include <type_traits>

#include "crrm/base/error.h"

namespace crrm {

namespace {

using protozero::pbf_wire_type;

const char* describe(pbf_wire_type type) {
  switch (type) {
    case pbf_wire_type::varint:
      return "an integer";
    case pbf_wire_type::fixed32:
      return "4 bytes";
    case pbf_wire_type::fixed64:
      return "8 bytes";
    case pbf_wire_type::length_delimited:
      return "bytes with a length";
    default:
      return "an unknown encoding";
  }
}

/// Length of the UTF-8 sequence that `lead` begins; 0 when none does.
size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

/// The code point of a sequence of two to four bytes, or -1 where it is overlong or no character.
int32_t code_point(std::string_view sequence) {
  static constexpr std::array<int32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  int32_t code = static_cast<unsigned char>(sequence[0]) & (0xFF >> (sequence.size() + 1));
  for (const char c : sequence.substr(1)) {
    if ((c & 0xC0) != 0x80) return -1;
    code = code << 6 | (c & 0x3F);
  }
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  return code < kLeast[sequence.size()] || code > 0x10FFFF || surrogate ? -1 : code;
}

}  // namespace

bool is_text(std::string_view bytes) {
  while (!bytes.empty()) {
    const unsigned char lead = static_cast<unsigned char>(bytes[0]);
    const size_t length = sequence_length(lead);
    if (length == 0 || length > bytes.size() || lead < 0x20 || lead == 0x7F) return false;
    if (length > 1 && code_point(bytes.substr(0, length)) < 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

Message::Message(const MessageSource& source, std::string_view bytes, std::string name)
    : source_(&source), reader_(bytes.data(), bytes.size()), name_(std::move(name)) {}

std::string Message::place() const {
  const std::ptrdiff_t byte =
      reader_.data().data() == nullptr ? 0 : reader_.data().data() - source_->begin;
  return fmt::format("{}, byte {}", name_, byte);
}

void Message::fail(const std::string& expected, const std::string& found) const {
  throw InputError({.file = source_->file, .place = place(), .expected = expected, .found = found});
}

template <typename Read>
std::invoke_result_t<Read> Message::guarded(Read read) {
  try {
    return read();
  } catch (const protozero::end_of_buffer_exception&) {
    fail("a whole field", "data that ends inside it: the file is damaged or cut off");
  } catch (const protozero::exception& error) {
    fail("a protobuf field", fmt::format("{}: the file is damaged", error.what()));
  }
}

bool Message::next() {
  return guarded([&] {
    if (unread_) reader_.skip();
    unread_ = reader_.next();
    return unread_;
  });
}

void Message::expect(pbf_wire_type type) {
  if (reader_.wire_type() != type)
    fail(fmt::format("{} in field {}", describe(type), field()), describe(reader_.wire_type()));
  unread_ = false;
}

int64_t Message::integer() {
  expect(pbf_wire_type::varint);
  return guarded([&] { return reader_.get_int64(); });
}

double Message::real() {
  expect(pbf_wire_type::fixed32);
  return guarded([&] { return reader_.get_float(); });
}

std::string_view Message::bytes() {
  expect(pbf_wire_type::length_delimited);
  const protozero::data_view view = guarded([&] { return reader_.get_view(); });
  return {view.data(), view.size()};
}

std::string Message::text() {
  const std::string_view text = bytes();
  if (!is_text(text)) fail("a name in UTF-8", "other bytes");
  return std::string(text);
}

Message Message::named(std::string name) const {
  Message copy = *this;
  copy.name_ = std::move(name);
  return copy;
}

template <typename Packed, typename Single, typename T>
void Message::append(pbf_wire_type single, Packed packed, Single one, std::vector<T>& values) {
  if (reader_.wire_type() != pbf_wire_type::length_delimited) {
    expect(single);
    values.push_back(guarded(one));
    return;
  }
  unread_ = false;
  guarded([&] {
    for (const T value : packed()) values.push_back(value);
  });
}

void Message::integers(std::vector<int64_t>& values) {
  append(
      pbf_wire_type::varint, [&] { return reader_.get_packed_int64(); },
      [&] { return reader_.get_int64(); }, values);
}

void Message::floats(std::vector<double>& values) {
  append(
      pbf_wire_type::fixed32, [&] { return reader_.get_packed_float(); },
      [&] { return reader_.get_float(); }, values);
}

void Message::doubles(std::vector<double>& values) {
  append(
      pbf_wire_type::fixed64, [&] { return reader_.get_packed_double(); },
      [&] { return reader_.get_double(); }, values);
}

}  // namespace crrm
