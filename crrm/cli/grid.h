// The file of `crrm bench`: which runs are compared.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "crrm/cli/options.h"

namespace crrm::cli {

/// What a method of a grid may be besides a criterion: the widths that crrm found, with fresh
/// weights.
inline constexpr char kFromScratch[] = "from-scratch";

/// One run.
struct GridCell {
  nlohmann::ordered_json labels;  ///< model, method, budget, seed, folder below the grid's
  std::string command;            ///< "compress" or "train"
  Settings settings;              ///< of that command
};

/// Reads a grid:
///   {"models": [{"name": TEXT, "model": FILE, "data": PATH, "options": {OPTION: VALUE}}],
///    "methods": [TEXT], "budgets": [{OPTION: VALUE}], "seeds": [N], "options": {OPTION: VALUE}}
/// or a list of such grids. All but "options" are required. OPTION is one of crrm compress; a
/// budget's win over a model's, and these over the grid's. Paths are relative to the working
/// directory.
/// @param output  the grid's folder
/// @return every combination, runs from scratch behind those whose widths they take
/// @throws InputError naming the place in the file, what is expected there and what was found.
std::vector<GridCell> read_grid(const std::filesystem::path& file,
                                const std::filesystem::path& output);

}  // namespace crrm::cli
