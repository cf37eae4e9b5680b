// Damage inside of protobuf messages: the lengths around it are written anew, so that it reaches
// what reads the inner messages and not the check of the lengths alone.
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

// libFuzzer's own mutation, in place; gives the new size.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

namespace crrm::fuzz {

namespace {

constexpr size_t kGrowth = 64;  // bytes that one mutation may add

/// A field that has a length.
struct Field {
  uint32_t tag;
  size_t begin, content, end;  ///< where its tag and its content begin; where it ends
};

/// Those of a message, up to the first that is damaged.
std::vector<Field> fields_of(std::string_view message) {
  std::vector<Field> fields;
  const auto offset = [&](const char* place) {
    return static_cast<size_t>(place - message.data());
  };
  try {
    protozero::pbf_reader reader(message.data(), message.size());
    for (size_t begin = 0; reader.next(); begin = offset(reader.data().data())) {
      if (reader.wire_type() != protozero::pbf_wire_type::length_delimited) {
        reader.skip();
        continue;
      }
      const uint32_t tag = reader.tag();
      const size_t content = offset(reader.get_view().data());
      fields.push_back({tag, begin, content, offset(reader.data().data())});
    }
  } catch (const protozero::exception&) {
    return fields;
  }
  return fields;
}

std::string mutate_bytes(std::string_view bytes) {
  std::string buffer(bytes);
  buffer.resize(bytes.size() + kGrowth);
  buffer.resize(
      LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(buffer.data()), bytes.size(), buffer.size()));
  return buffer;
}

/// One field at some depth lost, doubled or changed.
std::string mutate(std::string_view message, std::minstd_rand& random) {
  enum { kBytes, kErase, kRepeat, kChoices = 8 };  // the rest goes inwards
  const std::vector<Field> fields = fields_of(message);
  const uint64_t choice = random() % kChoices;
  if (fields.empty() || choice == kBytes) return mutate_bytes(message);
  const Field& field = fields[random() % fields.size()];
  std::string result(message.substr(0, choice == kRepeat ? field.end : field.begin));
  const std::string_view content = message.substr(field.content, field.end - field.content);
  protozero::pbf_writer writer(result);
  if (choice == kRepeat) writer.add_bytes(field.tag, content.data(), content.size());
  if (choice > kRepeat) writer.add_bytes(field.tag, mutate(content, random));
  return result.append(message.substr(field.end));
}

}  // namespace

}  // namespace crrm::fuzz

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most,
                                          unsigned int seed) {
  std::minstd_rand random(seed);
  const std::string mutated =
      crrm::fuzz::mutate({reinterpret_cast<const char*>(data), size}, random);
  if (mutated.empty() || mutated.size() > most) return LLVMFuzzerMutate(data, size, most);
  mutated.copy(reinterpret_cast<char*>(data), mutated.size());
  return mutated.size();
}
