#include "crrm/architectures/architecture.h"

#include "crrm/base/error.h"

namespace crrm {

namespace {

std::vector<Architecture>& registry() {
  static std::vector<Architecture> all;
  return all;
}

std::string described(const Architecture& architecture) {
  return architecture.name + (architecture.takes_widths ? ":W,W,..." : "");
}

/// "300,100" as {300, 100}. @throws InputError.
std::vector<int64_t> parse_widths(const std::string& text, const std::string& name) {
  constexpr size_t kDigits = 7;
  constexpr int64_t kMost = 1'000'000;
  std::vector<int64_t> widths;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::string part = text.substr(at, end - at);
    const bool number = !part.empty() && part.size() <= kDigits &&
                        part.find_first_not_of("0123456789") == std::string::npos;
    const int64_t width = number ? std::stoll(part) : 0;
    if (width < 1 || width > kMost)
      throw InputError({.place = fmt::format("architecture \"{}\"", name),
                        .expected = fmt::format("widths from 1 to {}, as 300,100", kMost),
                        .found = fmt::format("\"{}\"", part)});
    widths.push_back(width);
    at = end + 1;
  }
  return widths;
}

struct Choice {
  const Architecture& architecture;
  std::vector<int64_t> widths;
};

Choice parse(const std::string& name) {
  const size_t colon = std::min(name.find(':'), name.size());
  const std::string family = name.substr(0, colon);
  std::vector<std::string> names;
  for (const Architecture& architecture : architectures()) {
    names.push_back(architecture.name);
    if (architecture.name != family) continue;
    if ((colon < name.size()) != architecture.takes_widths)
      throw InputError({.place = fmt::format("architecture \"{}\"", name),
                        .expected = described(architecture),
                        .found = name});
    return {architecture, architecture.takes_widths ? parse_widths(name.substr(colon + 1), name)
                                                    : std::vector<int64_t>()};
  }
  throw InputError({.place = fmt::format("architecture \"{}\"", name),
                    .expected = fmt::format("one of {}", fmt::join(architecture_names(), ", ")),
                    .found = name,
                    .hint = suggestion(family, names)});
}

void check_classes(const Architecture& architecture, int64_t classes) {
  if (architecture.reconstructs || classes > 0) return;
  throw InputError({.place = "architecture " + architecture.name,
                    .expected = "data with classes",
                    .found = "none",
                    .hint = "ae:W,W,... needs none"});
}

void check_sample(const Architecture& architecture, const Shape& sample) {
  const Shape& least = architecture.smallest;
  if (least.empty()) return;
  if (sample.size() == least.size() && sample[1] >= least[1] && sample[2] >= least[2]) return;
  throw InputError(
      {.place = "architecture " + architecture.name,
       .expected = fmt::format("samples [C, H, W] of at least {} x {} pixels", least[1], least[2]),
       .found = fmt::format("[{}]", fmt::join(sample, ", ")),
       .hint = "--shape CxHxW tells the shape of a table's rows"});
}

}  // namespace

const std::vector<Architecture>& architectures() {
  return registry();
}

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const Architecture& architecture : registry()) names.push_back(described(architecture));
  return names;
}

const Architecture& find_architecture(const std::string& name) {
  return parse(name).architecture;
}

Graph build(const std::string& name, const Shape& sample, int64_t classes, uint64_t seed) {
  const Choice choice = parse(name);
  check_sample(choice.architecture, sample);
  check_classes(choice.architecture, classes);
  Builder builder(name, sample, seed);
  choice.architecture.layers(builder, {.classes = classes, .widths = choice.widths});
  return builder.finish(choice.architecture.reconstructs ? "reconstruction" : "logits");
}

ArchitectureRegistration::ArchitectureRegistration(Architecture architecture) {
  std::vector<Architecture>& all = registry();
  const auto place = std::lower_bound(
      all.begin(), all.end(), architecture,
      [](const Architecture& a, const Architecture& b) { return a.name < b.name; });
  all.insert(place, std::move(architecture));
}

}  // namespace crrm
