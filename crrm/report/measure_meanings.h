// What measures mean and when not to believe them, in words, for readers of a report.
#pragma once

#include <string>

namespace crrm {

struct FamilyMeaning {
  const char* family;
  const char* title;
  const char* meaning;  ///< a sentence or two
};

/// Null for a family that is not known.
const FamilyMeaning* find_family(const std::string& family);

struct MeasureMeaning {
  const char* measure;  ///< how its name begins
  const char* chart;    ///< measures of a family with the same are drawn on the same axes
  const char* meaning;  ///< what the number says
  const char* doubt;    ///< when not to believe it
};

/// That with the longest beginning that fits; null for a measure that is not known.
const MeasureMeaning* find_measure(const std::string& measure);

}  // namespace crrm
