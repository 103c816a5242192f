import DSL
import Foundation

/// Follows runs that are being trained, perhaps by another process: `plot … live`.
struct RunFollower {
  let directories: [RunDirectory]
  let live: LivePlot
  let state: WorkbenchState

  /// The run's files are looked at so often (microseconds).
  private static let pause: UInt32 = 200_000

  /// Draws whenever an epoch is over, until no run is trained any more or the user has seen enough.
  ///
  /// - Throws: an interruption in a headless session, which Ctrl-C is to end.
  func run() throws {
    var seen = ""
    while true {
      // Asked before the files are read: what comes after the answer is drawn all the same.
      let isGoing = directories.contains(where: \.isBusy)
      let stamp = directories.map { Self.stamp($0.metrics) }.joined(separator: " ")
      if stamp != seen || !isGoing {
        if live.draw(isLast: !isGoing) { seen = stamp }
      } else {
        live.fit()
      }
      guard isGoing else { return }
      for _ in 0..<5 {
        if SignalCenter.isInterrupted {
          if state.isInteractive && SignalCenter.termination == nil { return }
          throw CommandError.interrupted
        }
        usleep(Self.pause / 5)
      }
    }
  }

  /// What changes when a file does.
  private static func stamp(_ url: URL) -> String {
    var facts = stat()
    guard stat(url.path, &facts) == 0 else { return "-" }
    return "\(facts.st_size).\(facts.st_mtim.tv_sec).\(facts.st_mtim.tv_nsec)"
  }
}
