// What tests of pages look for in their text.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace crrm {

/// How often `part` occurs.
size_t count(const std::string& text, const std::string& part);

/// A matcher would print the whole page where it fails.
bool contains(const std::string& page, const std::string& part);

/// The first group of every match of `pattern`.
std::vector<std::string> captures(const std::string& text, const std::string& pattern);

/// The page without scripts and style, which hold no text of the report.
std::string markup(std::string page);

/// The numbers of all <data> elements, sorted.
std::vector<double> exact_numbers(const std::string& page);

/// Names of elements that are not opened as often as they are closed.
std::vector<std::string> unbalanced(const std::string& page);

}  // namespace crrm
