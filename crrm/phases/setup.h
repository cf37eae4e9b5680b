// What `crrm phases` trains: a network, its data and its schedule.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "crrm/phases/plane.h"
#include "crrm/train/run.h"

namespace crrm {

/// Trainings that were run elsewhere, and differ by their seed.
struct SavedTrainings {
  int64_t count = 0;
  std::vector<int64_t> epochs;  ///< of every one, not empty
  std::function<Graph(int64_t training, int64_t epoch)> network;
};

struct Setup {
  std::string name;
  std::string meaning;  ///< one sentence
  std::function<Graph(uint64_t seed)> network;
  RunData data;      ///< inputs, with labels
  Dataset observed;  ///< what the plane shows: samples in any order
  std::vector<PlaneChannel> channels;
  int64_t epochs = 400;
  int64_t batch = 256;
  double learning_rate = 0.05;      ///< peak; 0: nothing is trained
  std::optional<double> macs = {};  ///< trained under gates to this share of its MACs
  bool rescales = false;            ///< a trained network, and its weights at scales 1 to 0.01
  std::optional<SavedTrainings> saved = {};  ///< looked at in place of training any
};

/// The networks of the literature on the boolean task: tanh and relu 12-10-7-5-4-3-2, quantised
/// (tanh with rounded activations), crrm (trained under gates).
/// Sources: Shwartz-Ziv & Tishby 2017; Saxe et al., "On the information bottleneck theory of deep
/// learning", ICLR 2018; Lorenzen, Igel, Nielsen, "Information bottleneck: exact analysis of
/// (quantized) neural networks", ICLR 2022.
std::vector<Setup> boolean_setups(uint64_t seed);

/// What must show no phase, or shows what the index is worth: untrained, random-labels, linear,
/// invertible, rescaled.
std::vector<Setup> control_setups(uint64_t seed);

/// Pixels below which an image is too small for cnn.
inline constexpr int64_t kLeastSide = 8;

/// mlp 784-256-20-20-20-C of ReLU on any inputs, and cnn where they are images of kLeastSide or
/// more.
/// @param data      with labels
/// @param observed  how many test samples the plane shows
std::vector<Setup> data_setups(const RunData& data, int64_t observed);

/// The set-up "checkpoints", of networks that give logits of the data's classes.
Setup saved_setup(const RunData& data, int64_t observed, const SavedTrainings& saved);

}  // namespace crrm
