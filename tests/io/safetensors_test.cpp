#include "crrm/io/safetensors.h"

#include <gmock/gmock.h>

#include <fstream>
#include <random>

#include "tests/io/model_builder.h"

namespace crrm {
namespace {

using testing::HasSubstr;

class Safetensors : public onnx::OnnxFile {
 protected:
  /// A file of header and data; the length is the header's unless given.
  static std::string file(const std::string& header, const std::string& data,
                          std::optional<uint64_t> length = std::nullopt) {
    const uint64_t size = length.value_or(header.size());
    return std::string(reinterpret_cast<const char*>(&size), sizeof(size)) + header + data;
  }
  TensorFile load(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary) << bytes;
    return read_safetensors(path_);
  }
  std::string error_of(const std::string& bytes) const {
    try {
      load(bytes);
    } catch (const InputError& fault) {
      EXPECT_EQ(fault.fault().file, path_.string()) << fault.what();
      return fault.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return "";
  }
};

const std::string kEntry = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";

TEST_F(Safetensors, ReadsTheFormatsExample) {
  const TensorFile read =
      load(file(R"({"__metadata__":{"k":"v"},"b":{"dtype":"I64","shape":[],"data_offsets":[8,16]},)"
                R"("a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}   )",
                onnx::raw({1, -2}) + std::string("\x05\0\0\0\0\0\0\0", 8)));
  EXPECT_EQ(read.metadata.at("k"), "v");
  EXPECT_TRUE(read.tensors.at("a").equal(at::tensor({1.0F, -2.0F}).view({1, 2})));
  EXPECT_TRUE(read.tensors.at("b").equal(at::scalar_tensor(5, at::kLong)));
}

TEST_F(Safetensors, ReadsBackEveryType) {
  TensorFile written;
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong,
                                    at::kInt, at::kShort, at::kChar, at::kByte, at::kBool})
    written.tensors[c10::toString(type)] = at::arange(3).remainder(2).to(type).view({1, 3});
  written.tensors["empty"] = at::empty({0, 3});
  written.tensors["view"] = at::arange(6).view({2, 3}).t();
  written.tensors["learned"] = at::ones({2}).requires_grad_();
  written.metadata = {{"text", "a \"quoted\"\nline"}};
  write_safetensors(written, path_);
  const TensorFile read = read_safetensors(path_);
  EXPECT_EQ(read.metadata, written.metadata);
  ASSERT_EQ(read.tensors.size(), written.tensors.size());
  for (const auto& [name, tensor] : written.tensors) {
    SCOPED_TRACE(name);
    EXPECT_EQ(read.tensors.at(name).scalar_type(), tensor.scalar_type());
    EXPECT_TRUE(read.tensors.at(name).equal(tensor));
  }
  const std::string first = crrm::read_file(path_);
  write_safetensors(read, path_);
  EXPECT_EQ(crrm::read_file(path_), first);
}

TEST_F(Safetensors, RefusesADamagedHeader) {
  const std::string data = onnx::raw({1, 2});
  EXPECT_THAT(error_of("1234"), HasSubstr("a file of 4 bytes"));
  EXPECT_THAT(error_of(file(kEntry, data, 1 << 20)), HasSubstr("a length of 1048576"));
  EXPECT_THAT(error_of(file(kEntry, data, ~uint64_t{0})), HasSubstr("18446744073709551615"));
  EXPECT_THAT(error_of(file(R"({"a":)", data)), HasSubstr("JSON"));
  EXPECT_THAT(error_of(file("[]", "")), HasSubstr("array"));
  EXPECT_THAT(error_of(file(R"({"__metadata__":1e999})", "")), HasSubstr("number overflow"));
  EXPECT_THAT(error_of(file(R"({"a":1})", "")), HasSubstr("tensor \"a\""));
  EXPECT_THAT(error_of(file(R"({"__metadata__":{"k":1}})", "")), HasSubstr("text as `k`"));
  EXPECT_THAT(error_of(file(R"({"__metadata__":[]})", "")), HasSubstr("__metadata__"));
  EXPECT_THAT(error_of(file(kEntry.substr(0, kEntry.size() - 1) + "," + kEntry.substr(1), data)),
              HasSubstr("\"a\" again"));
}

TEST_F(Safetensors, RefusesDamagedEntries) {
  const auto fails = [&](const std::string& dtype, const std::string& shape,
                         const std::string& offsets) {
    return error_of(file(fmt::format(R"({{"a":{{"dtype":{},"shape":{},"data_offsets":{}}}}})",
                                     dtype, shape, offsets),
                         onnx::raw({1, 2})));
  };
  const std::string f32 = R"("F32")";
  EXPECT_THAT(fails(R"("F8_E4M3")", "[8]", "[0,8]"), HasSubstr("F8_E4M3"));
  EXPECT_THAT(fails("1", "[2]", "[0,8]"), HasSubstr("`dtype`"));
  EXPECT_THAT(fails(f32, "[3]", "[0,8]"), HasSubstr("shape [3] of Float"));
  EXPECT_THAT(fails(f32, "[-2]", "[0,8]"), HasSubstr("found     -2"));
  EXPECT_THAT(fails(f32, "[2.0]", "[0,8]"), HasSubstr("found     2.0"));
  EXPECT_THAT(fails(f32, "2", "[0,8]"), HasSubstr("`shape`, a list"));
  EXPECT_THAT(fails(f32, "[4294967296,4294967296]", "[0,8]"), HasSubstr("shape [4294967296"));
  EXPECT_THAT(fails(f32, "[18446744073709551615]", "[0,8]"), HasSubstr("integers of 0 or more"));
  EXPECT_THAT(fails(f32, "[2]", "[0,9]"), HasSubstr("within 8 bytes"));
  EXPECT_THAT(fails(f32, "[2]", "[8,0]"), HasSubstr("[8, 0]"));
  EXPECT_THAT(fails(f32, "[2]", "[0]"), HasSubstr("`data_offsets` [begin, end]"));
  EXPECT_THAT(fails(f32, "[1]", "[0,4]"), HasSubstr("tensors up to byte 4"));
  EXPECT_THAT(fails(f32, "[1]", "[4,8]"), HasSubstr("overlap or leave a gap"));
  EXPECT_THAT(fails(R"("BOOL")", "[8]", "[0,8]"), HasSubstr("bools of 0 or 1"));
}

// To print what was found takes the stack of one call a level.
TEST_F(Safetensors, RefusesListsOfAnyDepth) {
  constexpr size_t kDepth = 1 << 20;
  const std::string lists = std::string(kDepth, '[') + std::string(kDepth, ']');
  EXPECT_THAT(error_of(file(R"({"a":{"dtype":"F32","shape":)" + lists + "}}", "")),
              HasSubstr("found     array"));
}

TEST_F(Safetensors, RefusesTensorsThatOverlap) {
  EXPECT_THAT(error_of(file(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                            R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                            onnx::raw({1}))),
              HasSubstr("overlap"));
}

TEST_F(Safetensors, SurvivesCutsAndFlips) {
  constexpr uint64_t kSeed = 11;
  const std::string bytes = file(kEntry, onnx::raw({1, 2}));
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_THROW(load(bytes.substr(0, length)), InputError) << length;
  std::mt19937_64 random(kSeed);
  int refused = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    std::string damaged = bytes;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    SCOPED_TRACE(fmt::format("seed {}, trial {}", kSeed, trial));
    try {
      load(damaged);
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST_F(Safetensors, WriteErrorsLeaveNothing) {
  const TensorFile one{{{"a", at::ones({2})}}, {}};
  EXPECT_THROW(write_safetensors(one, folder_ / "none" / "a.safetensors"), WriteError);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

}  // namespace
}  // namespace crrm
