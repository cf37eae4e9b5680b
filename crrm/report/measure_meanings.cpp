#include "crrm/report/measure_meanings.h"

#include <string_view>

namespace crrm {

namespace {

constexpr FamilyMeaning kFamilies[] = {
    {"dimension", "Intrinsic dimension",
     "On how many coordinates a layer’s activations lie, whatever the number of its features. "
     "Networks often widen it in early layers and narrow it towards the output."},
    {"capacity", "Manifold capacity",
     "How many classes, seen as clouds of activations, a linear reader could separate per feature. "
     "Comparable only between layers with the same number of classes and of samples per class."},
    {"information", "Information",
     "What a layer tells about labels and inputs. For a network without noise what it tells about "
     "inputs is infinite or constant, so the channel that makes it finite is always named."},
    {"spectrum", "Spectrum and rank",
     "How the variance of activations spreads over directions. These are linear: a curved surface "
     "of few coordinates fills many directions."},
    {"rates", "Gate rates", "What the gates of a compression run let through, per layer."},
};

constexpr MeasureMeaning kMeasures[] = {
    {"TwoNN", "Intrinsic dimension",
     "The dimension in which distances to the second and the first neighbour have the ratios that "
     "were seen. It looks at the smallest scale that the samples resolve.",
     "Noise raises it at that scale, and above about ten dimensions it is too low unless there are "
     "very many samples."},
    {"GRIDE plateau", "Intrinsic dimension",
     "The dimension on which GRIDE’s scales agree, where at least three in a row do: then it is a "
     "property of the data and not of the scale.",
     "Refused where no scales agree. A plateau at large scales alone is that of the whole cloud."},
    {"GRIDE", "Dimension over scales",
     "As TwoNN, from the neighbours of order n1 and 2 n1: the dimension at a larger scale.",
     "Where it drifts from scale to scale there is no one dimension to speak of, and intervals of "
     "large n1 are too narrow, since neighbourhoods overlap."},
    {"Levina-Bickel", "Intrinsic dimension",
     "Maximum likelihood from distances to the nearest k neighbours, averaged over samples "
     "harmonically.",
     "It assumes equal density out to the k-th neighbour; with few samples in many dimensions that "
     "fails, and the number is too low."},
    {"correlation dimension", "Intrinsic dimension",
     "How the number of pairs closer than r grows with r.",
     "It needs about 10^(d/2) samples for a dimension d, and is too low with fewer."},
    {"FisherS", "Intrinsic dimension",
     "The dimension of a ball whose points are as often linearly separable from each other as "
     "these "
     "are. A second opinion that holds in high dimensions.",
     "Curvature raises it: on curved surfaces it is an upper estimate."},
    {"expected simplex skewness", "Intrinsic dimension",
     "The dimension of a ball in which neighbours span simplices as skewed as these. A second "
     "opinion that holds in high dimensions.",
     "Curvature raises it: on curved surfaces it is an upper estimate."},
    {"manifold capacity", "Manifold capacity",
     "Classes per dimension that a plane could divide into any two sets. For single points it is "
     "2; "
     "for M samples a class that nothing relates it is 2 / M.",
     "It depends on the samples per class: with more of them it falls. Do not compare layers or "
     "networks where these differ, nor read it near 2 / M, where the samples look like noise."},
    {"GLUE capacity", "Manifold capacity",
     "As manifold capacity, but all classes are divided at once, so what their centres and axes "
     "share counts.",
     "It depends on the samples per class as manifold capacity does."},
    {"GLUE dimension", "Manifold dimension",
     "Directions of the classes’ clouds that planes which divide all of them feel.",
     "It means little where the capacity is near its least, 2 / M."},
    {"GLUE radius", "Manifold radius",
     "Size of the clouds as those planes feel them, relative to their centres.",
     "It means little where the capacity is near its least, 2 / M."},
    {"GLUE utility", "GLUE utility",
     "The share of the separation that radius and dimension explain.",
     "Small, it says that radius and dimension do not tell why classes separate."},
    {"GLUE centre", "GLUE alignments",
     "Mean size of the cosine between centres of two classes, or between the centre of one and an "
     "axis of another.",
     "In few dimensions unrelated directions have cosines too: about 0.8 / √N."},
    {"GLUE axis", "GLUE alignments",
     "Mean size of the cosine between axes of two classes: how far they vary in the same way.",
     "In few dimensions unrelated directions have cosines too: about 0.8 / √N."},
    {"manifold radius", "Manifold radius",
     "Size of a class’s cloud, as the planes that separate it feel it, in units of the distance of "
     "its centre from the mean of all.",
     "It means little where the capacity is near its least, 2 / M."},
    {"manifold dimension", "Manifold dimension",
     "Directions of a class’s cloud that planes which separate it feel. It is at most the samples "
     "per class, and no intrinsic dimension.",
     "It means little where the capacity is near its least, 2 / M."},
    {"centre correlation", "Centre correlation",
     "Mean size of the cosine between centres of classes.",
     "Mean-field theory takes centres as uncorrelated: the larger this is, the less its capacity "
     "holds."},
    {"participation ratio", "Rank",
     "(sum of variances)² / sum of squares: directions that carry variance, counted by how much.",
     "A few directions of large variance hide all others."},
    {"effective rank", "Rank", "Exponential of the entropy of the normalised singular values.",
     "It counts noise in all directions, so it grows with samples and features."},
    {"stable rank", "Rank", "Sum of variances over the largest.",
     "It says how much the first direction rules, and "
     "nothing of the others."},
    {"90 % rank", "Rank", "Directions that carry nine tenths of the variance.",
     "The tenth that is left out may be what tells the classes apart."},
    {"coding rate", "Coding rate",
     "Nats that a sample takes to be described up to a given error, were activations Gaussian.",
     "It depends on the error, and compares only between equal ones."},
    {"coding rate within classes", "Coding rate",
     "The same for each class on its own, averaged over samples.",
     "With few samples a class it is too low, since they span few directions."},
    {"coding rate reduction", "Coding rate",
     "What knowing the class saves: it grows as classes take up directions of their own.",
     "With few samples a class it is too high, for the same reason."},
    {"coding rate reduction beyond permuted labels", "Coding rate",
     "What knowing the class saves beyond what classes of these sizes save whose members are drawn "
     "at random.",
     "It is the reduction less the part that few samples feign; compare it only at the same number "
     "of samples."},
    {"gate rate", "Gate rate",
     "Nats that the layer’s gates let through, summed over units, as the ramp of the compression "
     "run ended.",
     "It is no I(X;T): the term of the data is left out, and only then is it comparable between "
     "layers."},
    {"I(X;Z) bound", "Gate rate",
     "Gate rate and the term of the data together: an upper bound on what the gated layer tells "
     "about its input.",
     "It is infinite, and refused, where activations are exactly zero."},
    {"clustering index", "Clustering index",
     "Entropy of activations that are binned or blurred for the analysis. It falls as samples "
     "cluster in the layer.",
     "It is no I(X;T) of the network, and its course can turn with the width of bins or noise: "
     "believe only what the whole sweep shows."},
    {"clustering index of the labels", "Clustering index of the labels",
     "What the same binned or blurred activations tell about the label.",
     "It rises with the resolution too: where every sample is told apart, any labels are."},
    {"I(X;T)", "I(X;T)",
     "What the layer’s noisy or quantised activations, as the network itself has them, tell about "
     "its input.",
     "It cannot exceed the logarithm of the number of samples; near that it says only that all "
     "samples are told apart."},
    {"I(T;Y)", "I(T;Y)", "What activations tell about the label, from their nearest neighbours.",
     "In many dimensions it is too low."},
    {"I(T;Y), lower bound", "I(T;Y)",
     "What predictions of held-out labels from the activations are worth.",
     "It is what one reader finds: there may be more."},
    {"matrix Renyi", "Matrix Rényi entropy",
     "Of order α of the kernel matrix of activations, for comparison with older papers.",
     "The width of the kernel decides it, and it is no estimate of Shannon’s information."},
};

}  // namespace

const FamilyMeaning* find_family(const std::string& family) {
  for (const FamilyMeaning& known : kFamilies)
    if (family == known.family) return &known;
  return nullptr;
}

const MeasureMeaning* find_measure(const std::string& measure) {
  const MeasureMeaning* found = nullptr;
  for (const MeasureMeaning& known : kMeasures)
    if (measure.starts_with(known.measure) &&
        (found == nullptr ||
         std::string_view(known.measure).size() > std::string_view(found->measure).size()))
      found = &known;
  return found;
}

}  // namespace crrm
