#include "crrm/data/loader.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>

#include "crrm/base/error.h"
#include "crrm/base/random.h"

namespace crrm {

namespace {

constexpr size_t kAhead = 2;                     // batches that wait while one is in use
constexpr uint64_t kOrderStream = 0x6f72646572;  // "order"
constexpr uint64_t kMoveStream = 0x6d6f7665;     // "move"

/// A permutation of [0, count) by Fisher and Yates; the draw of step i is mix(seed, i).
std::vector<int64_t> permutation(int64_t count, uint64_t seed) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), int64_t{0});
  for (size_t i = order.size(); i > 1; --i) {
    // The high half of a product maps 64 bits to [0, i); its bias is below i / 2^64.
    const unsigned __int128 product = static_cast<unsigned __int128>(mix(seed, i)) * i;
    std::swap(order[i - 1], order[static_cast<size_t>(product >> 64)]);
  }
  return order;
}

/// [N] in memory order; undefined where the data have no labels.
at::Tensor contiguous_labels(const Dataset& data) {
  return data.labelled() ? data.labels.contiguous() : at::Tensor();
}

/// The copy runs beside other work from memory that is pinned, and CUDA alone pins.
at::Tensor to(const at::Tensor& tensor, at::Device device) {
  if (!tensor.defined() || device.is_cpu()) return tensor;
  return (device.is_cuda() ? tensor.pin_memory() : tensor).to(device, /*non_blocking=*/true);
}

at::Tensor pick_labels(const at::Tensor& labels, std::span<const int64_t> index) {
  if (!labels.defined()) return {};
  const at::Tensor picked = at::empty({static_cast<int64_t>(index.size())}, at::kLong);  // [B]
  const int64_t* from = labels.const_data_ptr<int64_t>();
  int64_t* to = picked.data_ptr<int64_t>();
  for (const int64_t i : index) *to++ = from[i];
  return picked;
}

}  // namespace

/// Prepares batches on a thread of its own, kAhead at most before they are asked for.
class Loader::Worker {
 public:
  Worker(const Dataset& data, const Normalisation& normalisation, const LoaderOptions& options)
      : preparation_(data, normalisation, options.augmentation, options.channels_last),
        labels_(contiguous_labels(data)),
        options_(options),
        count_(data.size()) {
    if (options.batch < 1)
      throw InputError({.file = data.source,
                        .place = "batch size",
                        .expected = "at least 1 sample",
                        .found = fmt::format("{}", options.batch)});
    if (steps() == 0)
      throw InputError({.file = data.source,
                        .expected = fmt::format("a full batch of {} samples", options.batch),
                        .found = fmt::format("{} samples", count_),
                        .hint = "choose a smaller --batch"});
  }
  ~Worker() { stop(); }

  int64_t steps() const {
    const int64_t full = count_ / options_.batch;
    return options_.drop_last || count_ % options_.batch == 0 ? full : full + 1;
  }

  void start(int64_t epoch, int64_t step) {
    if (step < 0 || step > steps())
      throw InternalError(fmt::format("step {} of an epoch of {}", step, steps()));
    stop();
    ready_.clear();
    failure_ = nullptr;
    stopping_ = false;
    next_ = step;
    thread_ = std::thread([this, epoch, step] { run(static_cast<uint64_t>(epoch), step); });
  }

  std::optional<Batch> next() {
    if (!thread_.joinable() || next_ >= steps()) return std::nullopt;
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return !ready_.empty() || failure_; });
    if (ready_.empty()) std::rethrow_exception(failure_);
    Batch batch = std::move(ready_.front());
    ready_.pop_front();
    ++next_;
    changed_.notify_all();
    return batch;
  }

 private:
  void stop() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void run(uint64_t epoch, int64_t step) {
    try {
      const std::vector<int64_t> order = order_of(epoch);
      while (step < steps() && hand_over(prepare(order, epoch, step))) ++step;
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      failure_ = std::current_exception();
      changed_.notify_all();
    }
  }

  std::vector<int64_t> order_of(uint64_t epoch) const {
    if (options_.shuffle) return permutation(count_, mix(options_.seed, kOrderStream, epoch));
    std::vector<int64_t> order(static_cast<size_t>(count_));
    std::iota(order.begin(), order.end(), int64_t{0});
    return order;
  }

  Batch prepare(const std::vector<int64_t>& order, uint64_t epoch, int64_t step) const {
    const int64_t first = step * options_.batch;
    const int64_t size = std::min(options_.batch, count_ - first);
    const std::span<const int64_t> index(order.data() + first, static_cast<size_t>(size));
    const uint64_t seed = mix(options_.seed, kMoveStream, epoch);
    std::vector<uint64_t> bits;
    if (options_.augmentation.active())
      for (const int64_t sample : index) bits.push_back(mix(seed, static_cast<uint64_t>(sample)));
    return {to(preparation_.inputs(index, bits), options_.device),
            to(pick_labels(labels_, index), options_.device)};
  }

  /// Waits for room; false where the loader stops.
  bool hand_over(Batch batch) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return stopping_ || ready_.size() < kAhead; });
    if (stopping_) return false;
    ready_.push_back(std::move(batch));
    changed_.notify_all();
    return true;
  }

  Preparation preparation_;
  at::Tensor labels_;  ///< [N], or undefined
  LoaderOptions options_;
  int64_t count_;
  int64_t next_ = 0;  ///< step that next() gives
  std::thread thread_;
  std::mutex mutex_;  ///< of what follows
  std::condition_variable changed_;
  std::deque<Batch> ready_;
  std::exception_ptr failure_;
  bool stopping_ = false;
};

Loader::Loader(const Dataset& data, const Normalisation& normalisation, LoaderOptions options)
    : worker_(std::make_unique<Worker>(data, normalisation, options)) {}

Loader::~Loader() = default;

int64_t Loader::steps() const {
  return worker_->steps();
}

void Loader::start(int64_t epoch, int64_t step) {
  worker_->start(epoch, step);
}

std::optional<Batch> Loader::next() {
  return worker_->next();
}

Batch take(const Dataset& data, const Normalisation& normalisation, int64_t first, int64_t count,
           bool channels_last) {
  if (first < 0 || count < 1 || first > data.size() - count)
    throw InternalError(fmt::format("samples {} to {} of {}", first, first + count, data.size()));
  const Preparation preparation(data, normalisation, {}, channels_last);
  std::vector<int64_t> index(static_cast<size_t>(count));
  std::iota(index.begin(), index.end(), first);
  return {preparation.inputs(index, {}), pick_labels(contiguous_labels(data), index)};
}

}  // namespace crrm
