// Trains a set-up and shows it on the way.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "crrm/phases/setup.h"

namespace crrm {

struct Snapshot {
  int64_t epoch = 0;
  Graph network;        ///< shares its parameters with the training; without nodes under gates
  double accuracy = 0;  ///< on test data
  double loss = 0;      ///< cross-entropy there, nats
  std::map<std::string, double> gate_rates = {};  ///< nats, by layer; empty without gates
};

/// Distinct whole numbers from 0 to `epochs`, both included, about `count` of them, evenly spaced
/// in log(1 + epoch). @param epochs, count  >= 1
std::vector<int64_t> log_spaced_epochs(int64_t epochs, int64_t count);

/// The times at which `train` shows a set-up. Under gates: those at which the channel is at work,
/// from the ramp's first steps to its end; behind it the noise leaves.
std::vector<int64_t> snapshot_epochs(const Setup& setup);

/// Trains with SGD and Nesterov momentum 0.9, without weight decay (which compresses by itself), on
/// the learning rate's usual schedule. All random numbers derive from `seed`. A saved set-up's
/// training of the number `seed` is shown.
/// @param watch  called at snapshot_epochs
/// @throws Interrupted, GoalError where the loss is not finite.
void train(const Setup& setup, uint64_t seed, const std::function<void(const Snapshot&)>& watch);

}  // namespace crrm
