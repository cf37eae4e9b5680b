// Protobuf messages of files that nobody vouches for.
#pragma once

#include <cstdint>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace crrm {

/// Where a message's bytes come from; outlives the messages.
struct MessageSource {
  std::string file;
  const char* begin = nullptr;  ///< the file's first byte
};

/// Walks the fields of one message:
///     while (message.next()) switch (message.field()) { case 1: name = message.text(); ... }
/// Every access checks the wire type and the length, and throws InputError with the byte's number.
/// A field that is not read is skipped by the following next().
class Message {
 public:
  /// @param name  what the message is, for errors: `node 3`
  Message(const MessageSource& source, std::string_view bytes, std::string name);

  bool next();
  uint32_t field() const { return reader_.tag(); }
  const std::string& name() const { return name_; }

  int64_t integer();
  double real();
  std::string_view bytes();
  /// UTF-8, without control characters.
  std::string text();
  Message message(std::string name) { return inner(bytes(), std::move(name)); }
  /// The message that lies in `bytes` of the same source.
  Message inner(std::string_view bytes, std::string name) const {
    return {*source_, bytes, std::move(name)};
  }

  /// Appends one value, or all values of a packed field.
  void integers(std::vector<int64_t>& values);
  void floats(std::vector<double>& values);
  void doubles(std::vector<double>& values);

  /// The same message and place under another name.
  Message named(std::string name) const;

  /// Throws InputError at the current place. @param expected  what should stand there
  [[noreturn]] void fail(const std::string& expected, const std::string& found) const;
  /// `node 3, byte 1234`
  std::string place() const;

 private:
  void expect(protozero::pbf_wire_type type);
  template <typename Read>
  std::invoke_result_t<Read> guarded(Read read);
  template <typename Packed, typename Single, typename T>
  void append(protozero::pbf_wire_type single, Packed packed, Single one, std::vector<T>& values);

  const MessageSource* source_;
  protozero::pbf_reader reader_;
  std::string name_;
  bool unread_ = false;  ///< next() has found a field whose value is not taken yet
};

/// Whether the bytes are UTF-8 without control characters.
bool is_text(std::string_view bytes);

}  // namespace crrm
