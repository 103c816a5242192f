import Foundation

/// Why a figure could not be drawn. In every case nothing half-written is left behind.
enum PlotError: Error, Sendable, Equatable {
  /// The figure has no point that could be drawn.
  case nothingToPlot(String)
  /// The output's name has no ending that stands for a format.
  case unknownFormat(name: String)
  /// The output's name cannot be used.
  case badName(String)
  /// gnuplot is not installed.
  case gnuplotMissing(command: String)
  /// gnuplot could not be started for another reason.
  case cannotStart(String)
  /// This gnuplot cannot write the format.
  case terminalMissing(format: String, tried: [String])
  /// gnuplot did not end in time and was killed.
  case timedOut(seconds: Double)
  /// The user pressed Ctrl-C; gnuplot was killed.
  case interrupted
  /// gnuplot died of a signal.
  case crashed(signal: Int32, message: String)
  /// gnuplot refused the script.
  case failed(status: Int32, message: String)
  /// gnuplot said yes but wrote nothing, or something else than asked for.
  case badOutput(path: String, reason: String)
  /// The folder or file cannot be written.
  case cannotWrite(path: String, reason: String)
  /// No space is left where the file was to go.
  case diskFull(path: String)

  /// Whether the cause is the machine (a missing program, a full disk) rather than the request.
  var isResource: Bool {
    switch self {
    case .nothingToPlot, .unknownFormat, .badName, .interrupted: false
    default: true
    }
  }

  /// Whether drawing with text alone would still work.
  var allowsTextPlot: Bool {
    switch self {
    case .gnuplotMissing, .cannotStart, .terminalMissing: true
    default: false
    }
  }
}

extension PlotError: CustomStringConvertible, LocalizedError {
  /// What happened, in one line.
  var message: String {
    switch self {
    case .nothingToPlot(let reason): "nothing to plot: \(reason)"
    case .unknownFormat(let name):
      "'\(name)' does not end in a format that can be drawn (\(PlotFormat.list))"
    case .badName(let reason): "the plot's file name \(reason)"
    case .gnuplotMissing(let command): "gnuplot is not installed ('\(command)' not found)"
    case .cannotStart(let reason): "gnuplot could not be started: \(reason)"
    case .terminalMissing(let format, let tried):
      "this gnuplot cannot write \(format): it has no terminal "
        + tried.map { "'\($0)'" }.joined(separator: " or ")
    case .timedOut(let seconds):
      "gnuplot did not finish within \(NumberText.significant(seconds)) s and was stopped"
    case .interrupted: "plot interrupted"
    case .crashed(let signal, let message):
      "gnuplot crashed (signal \(signal))" + Self.suffix(message)
    case .failed(let status, let message):
      "gnuplot failed (status \(status))" + Self.suffix(message)
    case .badOutput(let path, let reason): "gnuplot wrote no usable '\(path)': \(reason)"
    case .cannotWrite(let path, let reason): "cannot write '\(path)': \(reason)"
    case .diskFull(let path): "cannot write '\(path)': no space left on the disk"
    }
  }

  /// What to do about it, if there is something.
  var advice: String? {
    switch self {
    case .nothingToPlot: "train first, or name a run with runs=…"
    case .unknownFormat: "for example 'plot loss > loss.png'"
    case .gnuplotMissing, .cannotStart: "install it: apt install gnuplot-nox"
    case .terminalMissing: "install gnuplot-nox, or choose another ending (\(PlotFormat.list))"
    case .timedOut: "try again; if it happens again, run the .gp file by hand to see why"
    case .crashed, .failed: "the figure's .gp text shows what was sent: 'plot … > figure.gp'"
    case .badOutput: nil
    case .cannotWrite: "choose a folder that exists and that you may write to"
    case .diskFull: "free some space, or choose another folder"
    case .interrupted, .badName: nil
    }
  }

  var description: String { advice.map { "\(message); \($0)" } ?? message }
  var errorDescription: String? { description }

  /// gnuplot's own words, short enough for one line.
  private static func suffix(_ message: String) -> String {
    let lines = message.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty && $0 != "^" && !$0.hasPrefix("gnuplot>") }
    guard let last = lines.last else { return "" }
    return ": " + last.truncated(to: 200)
  }
}
