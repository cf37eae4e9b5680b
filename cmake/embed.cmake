# cmake -DOUTPUT=x.cpp -DNAME=kPage -DINPUT=page.css -P embed.cmake
# Writes a C++ source that defines `const std::string_view crrm::NAME`, the text of INPUT.
file(READ "${INPUT}" text)
set(mark "crrm_embedded")
string(FIND "${text}" ")${mark}\"" at)
if(NOT at EQUAL -1)
  message(FATAL_ERROR "${INPUT} holds the end mark of its own literal")
endif()
file(WRITE "${OUTPUT}" "#include <string_view>
namespace crrm {
extern const std::string_view ${NAME};
const std::string_view ${NAME} = R\"${mark}(${text})${mark}\";
}  // namespace crrm
")
