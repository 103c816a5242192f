import Kernels
import Testing

/// One kernel on one shape: how to run it, and what a plain double-precision loop says.
struct KernelCase: Sendable, CustomTestStringConvertible {
  let name: String
  /// Allowed: |got - expected| <= absolute + relative * |expected|.
  var absolute = 1e-5
  var relative = 1e-5
  let run: @Sendable (ThreadPool, TestMemory) -> [GuardedFloats]
  let reference: @Sendable () -> [[Double]]

  var testDescription: String { name }

  /// Runs the kernel with fresh memory and gives its outputs to `body`.
  func withOutputs<Result>(_ pool: ThreadPool, _ body: ([GuardedFloats]) -> Result) -> Result {
    let memory = TestMemory()
    return withExtendedLifetime(memory) { body(run(pool, memory)) }
  }

  /// Every kernel over ragged shapes.
  static let all =
    raggedShapes.map { convolution($0) } + raggedShapes.map(foldedConvolution)
    + raggedShapes.filter(\.readsMaps).map { normalizedConvolution($0) }
    + raggedDepthwiseShapes.flatMap { shape in [false, true].map { depthwise(shape, isGated: $0) } }
    + normalizedPooling + maximumPooling + normalization
    + squeezeExcitation + dense + losses + updates + elementwiseUpdates + transformers
    + contextPooling
}

/// The first entry that is outside the tolerance, in words; nil where all agree.
func firstDifference(
  _ got: [GuardedFloats], _ expected: [[Double]], absolute: Double, relative: Double
) -> String? {
  if got.count != expected.count { return "\(got.count) outputs, expected \(expected.count)" }
  for (output, (values, wanted)) in zip(got, expected).enumerated() {
    if values.count != wanted.count { return "output \(output) has \(values.count) entries" }
    if !values.isIntact { return "output \(output) was written outside its bounds" }
    for index in 0..<values.count {
      let value = Double(values.base[index])
      if !(abs(value - wanted[index]) <= absolute + relative * abs(wanted[index])) {
        return "output \(output) at \(index): \(value), expected \(wanted[index])"
      }
    }
  }
  return nil
}
