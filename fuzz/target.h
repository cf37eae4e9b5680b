// A fuzz target: one per reader, each a program of libFuzzer's.
#pragma once

#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "crrm/base/error.h"

namespace crrm::fuzz {

/// What each target defines: reads a file of these bytes.
void test(std::string_view bytes);

/// What `read` returns, or nothing where it refused the file by InputError, the answer to a bad
/// one. Anything else that is thrown ends the process, as a sanitizer's report does and an
/// allocation that is out of proportion (allocation_limit.h).
template <typename Read>
std::optional<std::invoke_result_t<Read>> answer(Read&& read) noexcept {
  try {
    return std::forward<Read>(read)();
  } catch (const InputError&) {
    return std::nullopt;
  }
}

}  // namespace crrm::fuzz
