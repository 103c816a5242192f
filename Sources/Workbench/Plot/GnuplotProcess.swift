import Foundation
import GnuplotStream

/// One run of gnuplot: text in, what it printed out. Nothing survives it, however it ends.
struct GnuplotProcess: Sendable {
  /// The program and its arguments. `-d` skips the user's own settings, so that a figure looks the
  /// same for everyone.
  var command = ["gnuplot", "-d"]
  /// After so many seconds the process is killed.
  var timeout = 20.0
  /// Asked while waiting; `true` kills the process.
  var isInterrupted: @Sendable () -> Bool = { SignalCenter.isInterrupted }

  /// What the process wrote.
  struct Printed: Sendable, Equatable {
    var output: String
    var errors: String
  }

  /// Runs a script to its end.
  ///
  /// - Parameter directory: the working directory of gnuplot, so that names in the script need no
  ///   path.
  func run(_ script: String, arguments: [String] = [], directory: String? = nil)
    throws(PlotError) -> Printed
  {
    let question = StopQuestion(isInterrupted)
    // SAFETY: the stream asks `question` only inside the calls below, which end before it does.
    let context = Unmanaged.passUnretained(question).toOpaque()
    return try withExtendedLifetime(question) { () throws(PlotError) -> Printed in
      var errorNumber: Int32 = 0
      let pointers = (command + arguments).map { strdup($0) }
      defer { pointers.forEach { free($0) } }
      let vector = pointers.map { UnsafePointer($0) } + [nil]
      let stream = gnuplot_stream_open(
        vector, directory, timeout,
        { context in
          guard let context else { return 0 }
          let question = Unmanaged<StopQuestion>.fromOpaque(context).takeUnretainedValue()
          return question.ask() ? 1 : 0
        }, context, &errorNumber)
      guard let stream else {
        if errorNumber == ENOENT { throw .gnuplotMissing(command: command[0]) }
        throw .cannotStart(String(cString: gnuplot_stream_message()))
      }
      defer { gnuplot_stream_free(stream) }
      var script = script
      // What cannot be sent shows in how the process ends.
      _ = script.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) { text in
          gnuplot_stream_send(stream, text.baseAddress, text.count)
        }
      }
      var code: Int32 = 0
      let end = gnuplot_stream_close(stream, &code)
      let printed = Printed(
        output: Self.text(gnuplot_stream_output, stream),
        errors: Self.text(gnuplot_stream_errors, stream))
      switch end {
      case GNUPLOT_EXITED where code == 0: return printed
      case GNUPLOT_EXITED: throw .failed(status: code, message: printed.errors)
      case GNUPLOT_KILLED: throw .crashed(signal: code, message: printed.errors)
      case GNUPLOT_TIMED_OUT: throw .timedOut(seconds: timeout)
      case GNUPLOT_INTERRUPTED: throw .interrupted
      case GNUPLOT_FLOODED: throw .failed(status: 0, message: "it printed without end")
      default: throw .cannotStart(String(cString: gnuplot_stream_message()))
      }
    }
  }

  private static func text(
    _ read: (OpaquePointer, UnsafeMutablePointer<Int>) -> UnsafePointer<CChar>?,
    _ stream: OpaquePointer
  ) -> String {
    var count = 0
    guard let base = read(stream, &count) else { return "" }
    let bytes = UnsafeRawBufferPointer(start: base, count: count)
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// The closure behind the C callback.
private final class StopQuestion {
  let ask: @Sendable () -> Bool
  init(_ ask: @escaping @Sendable () -> Bool) { self.ask = ask }
}

/// What the installed gnuplot can do, asked once.
struct GnuplotCapabilities: Sendable, Equatable {
  var version: String
  var terminals: Set<String>

  /// Asks gnuplot for its version and the terminals it was built with.
  init(process: GnuplotProcess) throws(PlotError) {
    // The list that `set terminal` prints is paged and made for people; this is the same list.
    let script = "print GPVAL_VERSION, ' ', GPVAL_PATCHLEVEL\nprint GPVAL_TERMINALS\n"
    let printed = try process.run(script)
    let lines = (printed.errors + printed.output).split(separator: "\n").map {
      $0.split(separator: " ").map(String.init)
    }
    guard lines.count >= 2, lines[1].contains("dumb") else {
      throw .cannotStart("'\(process.command[0])' does not answer as gnuplot does")
    }
    version = lines[0].joined(separator: ".")
    terminals = Set(lines[1...].joined())
  }

  init(version: String, terminals: Set<String>) {
    self.version = version
    self.terminals = terminals
  }

  /// The best terminal for a format.
  func terminal(for format: PlotFormat) throws(PlotError) -> String {
    guard let found = format.terminals.first(where: { terminals.contains($0) }) else {
      throw .terminalMissing(format: format.rawValue, tried: format.terminals)
    }
    return found
  }
}
