import Synchronization

/// The answer to "what can gnuplot do", asked at most once while it succeeds.
final class CapabilityMemory: Sendable {
  private let known = Mutex<GnuplotCapabilities?>(nil)

  func capabilities(_ process: GnuplotProcess) throws(PlotError) -> GnuplotCapabilities {
    if let answer = known.withLock({ $0 }) { return answer }
    let answer = try GnuplotCapabilities(process: process)
    known.withLock { $0 = answer }
    return answer
  }
}
