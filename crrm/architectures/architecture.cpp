#include "crrm/architectures/architecture.h"

#include "crrm/base/error.h"

namespace crrm {

namespace {

std::vector<Architecture>& registry() {
  static std::vector<Architecture> all;
  return all;
}

const Architecture& find(const std::string& name) {
  std::vector<std::string> names;
  for (const Architecture& architecture : architectures()) {
    if (architecture.name == name) return architecture;
    names.push_back(architecture.name);
  }
  throw InputError({.place = fmt::format("architecture \"{}\"", name),
                    .expected = fmt::format("one of {}", fmt::join(names, ", ")),
                    .found = name,
                    .hint = suggestion(name, names)});
}

void check_sample(const Architecture& architecture, const Shape& sample) {
  const Shape& least = architecture.smallest;
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

const Shape& usual_sample(const std::string& name) {
  return find(name).usual;
}

Graph build(const std::string& name, const Shape& sample, int64_t classes, uint64_t seed) {
  const Architecture& architecture = find(name);
  check_sample(architecture, sample);
  Builder builder(name, sample, seed);
  architecture.layers(builder, classes);
  return builder.finish();
}

ArchitectureRegistration::ArchitectureRegistration(Architecture architecture) {
  std::vector<Architecture>& all = registry();
  const auto place = std::lower_bound(
      all.begin(), all.end(), architecture,
      [](const Architecture& a, const Architecture& b) { return a.name < b.name; });
  all.insert(place, std::move(architecture));
}

}  // namespace crrm
