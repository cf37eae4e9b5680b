#include "markup.h"

#include <algorithm>
#include <regex>
#include <set>

namespace crrm {

std::vector<std::string> captures(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::vector<std::string> found;
  for (auto match = std::sregex_iterator(text.begin(), text.end(), regex);
       match != std::sregex_iterator(); ++match)
    found.push_back((*match)[1]);
  return found;
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

bool contains(const std::string& page, const std::string& part) {
  return page.find(part) != std::string::npos;
}

std::string markup(std::string page) {
  for (const auto& [open, close] : {std::pair{"<style>", "</style>"}, {"<script>", "</script>"}})
    for (size_t at; (at = page.find(open)) != std::string::npos;)
      page.erase(at, page.find(close, at) + std::string(close).size() - at);
  return page;
}

std::vector<double> exact_numbers(const std::string& page) {
  std::vector<double> numbers;
  for (const std::string& text : captures(page, "<data value=\"([^\"]*)\">"))
    numbers.push_back(std::stod(text));
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<std::string> unbalanced(const std::string& page) {
  const std::string text = markup(page);
  // Those that HTML has no end for, and SVG's that end themselves.
  const std::set<std::string> empty = {"meta", "link", "input", "path", "circle"};
  std::vector<std::string> found;
  const std::vector<std::string> opened = captures(text, "<([a-z0-9]+)[ >]");
  const std::vector<std::string> closed = captures(text, "</([a-z0-9]+)>");
  for (const std::string& name : std::set<std::string>(opened.begin(), opened.end()))
    if (!empty.contains(name) && std::count(opened.begin(), opened.end(), name) !=
                                     std::count(closed.begin(), closed.end(), name))
      found.push_back(name);
  return found;
}

}  // namespace crrm
