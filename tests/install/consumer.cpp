#include <ATen/ops/zeros.h>
#include <crrm/base/amount.h>
#include <crrm/graph/graph.h>

#include <iostream>

int main() {
  const crrm::Tensors tensors = {at::zeros({2, 3})};
  std::cout << crrm::format_count(40.8e6) << " of " << tensors[0].sizes() << "\n";
}
