#include "crrm/cli/grid.h"

#include <set>

#include "crrm/base/error.h"
#include "crrm/base/file.h"
#include "crrm/base/json.h"
#include "crrm/criteria/criterion.h"

namespace crrm::cli {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// A value of the file, and where it stands.
struct Place {
  const Json& value;
  std::string path;  ///< "models[0].options"
};

std::string shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return fmt::format("a list of {}", value.size());
  return value.dump();
}

class Reader {
 public:
  Reader(const fs::path& file, const fs::path& output)
      : file_(file.string()), output_(output), document_(parse_json(read_file(file_), file_)) {}

  std::vector<GridCell> read() const {
    std::vector<GridCell> cells;
    if (!document_.is_array()) add_cells({document_, ""}, cells);
    for (size_t i = 0; document_.is_array() && i < document_.size(); ++i)
      add_cells({document_[i], fmt::format("[{}]", i)}, cells);
    if (cells.empty()) reject("", "a grid, or a list of grids", shown(document_));
    require_different(cells);
    std::stable_partition(cells.begin(), cells.end(),
                          [](const GridCell& one) { return one.command == "compress"; });
    return cells;
  }

 private:
  [[noreturn]] void reject(const std::string& place, const std::string& expected,
                           const std::string& found, const std::string& hint = "") const {
    throw InputError(
        {.file = file_, .place = place, .expected = expected, .found = found, .hint = hint});
  }

  void require_object(const Place& place, const std::vector<std::string>& required,
                      std::vector<std::string> optional) const {
    if (!place.value.is_object()) reject(place.path, "an object", shown(place.value));
    for (const std::string& key : required)
      if (!place.value.contains(key)) reject(place.path, fmt::format("a key \"{}\"", key), "none");
    optional.insert(optional.end(), required.begin(), required.end());
    for (const auto& [key, value] : place.value.items())
      if (std::find(optional.begin(), optional.end(), key) == optional.end())
        reject(place.path, fmt::format("one of {}", fmt::join(optional, ", ")),
               fmt::format("key \"{}\"", key), suggestion(key, optional));
  }

  void add_cells(const Place& grid, std::vector<GridCell>& cells) const {
    require_object(grid, {"models", "methods", "budgets", "seeds"}, {"options"});
    for (const Place& model : list(grid, "models"))
      for (const Place& budget : list(grid, "budgets"))
        for (const Place& method : list(grid, "methods"))
          for (const Place& seed : list(grid, "seeds"))
            cells.push_back(cell(grid, model, budget, method, seed));
  }

  static Place at(const Place& place, const std::string& key) {
    return {place.value[key], place.path.empty() ? key : fmt::format("{}.{}", place.path, key)};
  }

  std::vector<Place> list(const Place& place, const std::string& key) const {
    const Place all = at(place, key);
    if (!all.value.is_array() || all.value.empty())
      reject(all.path, "a list with at least one entry", shown(all.value));
    std::vector<Place> entries;
    for (size_t i = 0; i < all.value.size(); ++i)
      entries.push_back({all.value[i], fmt::format("{}[{}]", all.path, i)});
    return entries;
  }

  std::string text(const Place& place) const {
    if (!place.value.is_string() || place.value.get<std::string>().empty())
      reject(place.path, "a text", shown(place.value));
    return place.value;
  }
  std::string existing_path(const Place& place) const {
    const fs::path path = fs::absolute(text(place)).lexically_normal();
    if (!fs::exists(path))
      reject(place.path, "a file or folder",
             fmt::format("{}, which does not exist", path.string()));
    return path.string();
  }

  const Option& find_option(const std::string& name, const std::string& place) const {
    const std::set<std::string> own = {"model", "data", "output", "seed", "method"};
    std::vector<std::string> known;
    for (const Option* option : options_of("compress")) {
      if (!option->configures || own.contains(option->name)) continue;
      if (option->name == name) return *option;
      known.push_back(option->name);
    }
    reject(place, "an option of crrm compress that the grid does not give itself",
           fmt::format("key \"{}\"", name), suggestion(name, known));
  }

  /// Sets what an object of options says. @return "macs 50%, params 20%"
  std::string set_options(Settings& settings, const Place& place) const {
    if (!place.value.is_object()) reject(place.path, "an object of options", shown(place.value));
    std::string label;
    for (const auto& [name, value] : place.value.items()) {
      const Option& option = find_option(name, place.path);
      if (value.is_structured() || value.is_null())
        reject(at(place, name).path, "a text, a number, or true or false", shown(value));
      const std::string said = value.is_string() ? value.get<std::string>() : value.dump();
      set(settings, option, said, fmt::format("{}: {}", file_, at(place, name).path));
      label += fmt::format("{}{} {}", label.empty() ? "" : ", ", name, said);
    }
    return label;
  }

  std::string budget_of(Settings& settings, const Place& place) const {
    const std::string label = set_options(settings, place);
    if (label.empty()) reject(place.path, "a limit such as {\"macs\": \"50%\"}", "none");
    return label;
  }

  std::string method_of(const Place& place, const Json& all) const {
    const std::string method = text(place);
    std::vector<std::string> known = criterion_names();
    known.emplace_back(kFromScratch);
    if (std::find(known.begin(), known.end(), method) == known.end())
      reject(place.path, fmt::format("one of {}", fmt::join(known, ", ")),
             fmt::format("\"{}\"", method), suggestion(method, known));
    if (method == kFromScratch && std::find(all.begin(), all.end(), "crrm") == all.end())
      reject(place.path, "crrm among the methods, whose widths are taken", "none");
    return method;
  }

  static std::string folder_name(std::string label) {
    for (char& c : label)
      if (c == ' ' || c == ',' || c == '/') c = '-';
    return label;
  }

  GridCell cell(const Place& grid, const Place& model, const Place& budget,
                const Place& method_place, const Place& seed) const {
    require_object(model, {"name", "model", "data"}, {"options"});
    const std::string name = text(at(model, "name"));
    const std::string method = method_of(method_place, grid.value["methods"]);
    if (!seed.value.is_number_unsigned())
      reject(seed.path, "a whole number >= 0", shown(seed.value));
    Settings settings;
    for (const Place* place : {&grid, &model})
      if (place->value.contains("options")) set_options(settings, at(*place, "options"));
    const std::string limit = budget_of(settings, budget);
    const auto folder = [&](const std::string& of) {
      return fs::path(folder_name(name)) / of / folder_name(limit) /
             fmt::format("seed-{}", seed.value.get<int64_t>());
    };
    settings.model = existing_path(at(model, "model"));
    settings.data = existing_path(at(model, "data"));
    settings.seed = seed.value;
    settings.output = (output_ / folder(method)).string();
    const bool fresh = method == kFromScratch;
    if (fresh) {
      settings.architecture = (output_ / folder("crrm") / "model.onnx").string();
      settings.reference = settings.model;
    } else {
      settings.method = method;
    }
    return {{{"model", name},
             {"method", method},
             {"budget", limit},
             {"seed", settings.seed},
             {"folder", folder(method).string()}},
            fresh ? "train" : "compress",
            std::move(settings)};
  }

  void require_different(const std::vector<GridCell>& cells) const {
    std::set<std::string> folders;
    for (const GridCell& cell : cells)
      if (const std::string folder = cell.labels["folder"]; !folders.insert(folder).second)
        reject("", "runs that differ in model, method, budget or seed",
               fmt::format("two of {}", folder));
  }

  std::string file_;
  fs::path output_;
  Json document_;
};

}  // namespace

std::vector<GridCell> read_grid(const fs::path& file, const fs::path& output) {
  return Reader(file, output).read();
}

}  // namespace crrm::cli
