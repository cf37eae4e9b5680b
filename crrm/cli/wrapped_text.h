// Text in lines of limited width, for help and lists.
#pragma once

#include <string>

namespace crrm::cli {

/// Breaks `text` at spaces into lines that end at column `width` at most, unless a word is longer;
/// all lines but the first stand behind `indent` spaces.
std::string wrapped(const std::string& text, size_t indent, size_t width);

}  // namespace crrm::cli
