import DSL
import Foundation

/// C9: pictures that the gnuplot of this machine cannot draw.
enum GnuplotRule {
  static let rule = CheckRule { script in
    let sink = GnuplotSink()
    return script.steps.compactMap { step -> Diagnostic? in
      let invocation = step.invocation
      guard ["plot", "features", "lrfind", "compare"].contains(invocation.name),
        let output = invocation.output, let format = try? PlotFormat(path: output.text),
        !format.terminals.isEmpty
      else { return nil }
      do throws(PlotError) {
        _ = try sink.capabilities().terminal(for: format)
        return nil
      } catch {
        return Diagnostic(
          rule: .noGnuplot, message: error.message, at: output.range,
          hint: (error.advice.map { "\($0); " } ?? "") + "--no-plot leaves pictures out")
      }
    }
  }
}
