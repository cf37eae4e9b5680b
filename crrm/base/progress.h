// How far a run is, on stderr: one line on a terminal, a plain line now and then elsewhere.
#pragma once

#include <chrono>
#include <functional>
#include <ostream>
#include <string>

namespace crrm {

struct ProgressState {
  std::string phase;    ///< what runs now, e.g. "compress"
  int phase_index = 0;  ///< from 1
  int phases = 0;
  double fraction = 0;  ///< of the whole run, 0 to 1
  std::string metric;   ///< now and its limit, formatted; may be empty
  std::string cost;     ///< now and its goal, formatted; may be empty
};

enum class ProgressMode { automatic, bar, lines, json, off };

/// "auto", "bar", "lines", "json" or "off". @throws InputError with the nearest name.
ProgressMode parse_progress_mode(const std::string& text);

/// What the stream behind a Progress can show.
struct Terminal {
  bool interactive = false;  ///< a terminal that understands carriage returns (TERM is not "dumb")
  bool color = false;        ///< interactive, and NO_COLOR is unset or empty
  bool unicode = false;      ///< interactive, and the locale's character set is UTF-8
  int width = 80;            ///< columns; 80 where unknown
};

/// Asks the system about `descriptor`, and the variables TERM, NO_COLOR, LC_ALL, LC_CTYPE, LANG.
Terminal describe_terminal(int descriptor);

class Progress {
 public:
  using Seconds = std::chrono::duration<double>;
  using Clock = std::function<Seconds()>;

  /// @param out  outlives this; std::cerr, whose terminal is describe_terminal(STDERR_FILENO).
  /// @param mode automatic is bar on an interactive terminal and lines elsewhere.
  /// @param clock time since any fixed moment; by default a steady clock. The run starts now.
  Progress(std::ostream& out, ProgressMode mode, const Terminal& terminal, Clock clock = {});
  /// Clears the bar.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Shows `state` if it is time to: the bar after 2 s and then at most 5 times a second; lines
  /// every 30 s; JSON objects every second. Cheap enough for every step.
  void update(const ProgressState& state);

  /// Removes the bar from its line, so that other output can be written; the next update that is
  /// due draws it again.
  void clear();

 private:
  void draw(const std::string& line);

  std::ostream& out_;
  ProgressMode mode_;
  Terminal terminal_;
  Clock clock_;
  Seconds start_;
  Seconds last_;                // when something was shown, or the start
  double first_fraction_ = -1;  // of the first update: above 0 in a resumed run
  bool drawn_ = false;          // the bar stands on the terminal
};

/// The bar's line, at most `terminal.width` - 1 columns: what matters least is dropped first.
/// @param remaining seconds; below 0 where unknown.
std::string bar_line(const ProgressState& state, double remaining, const Terminal& terminal);

/// The line elsewhere: "[2/4 compress] 43 %, accuracy 0.91 / 0.90, MACs 61 % / 50 %, 2 min left".
std::string plain_line(const ProgressState& state, double remaining);

/// Seconds left, from the progress of this process alone: elapsed * (1 - f) / (f - f0);
/// below 0 where nothing is known yet.
double remaining_seconds(double elapsed, double fraction, double first_fraction = 0);

}  // namespace crrm
