/// Where the time of training steps goes: by unit of the network, by operation and by pass.
///
/// SAFETY: one thread at a time computes a step and reads the profile.
public final class StepProfile: @unchecked Sendable {
  /// What the time was spent on.
  public enum Operation: String, CaseIterable, Sendable {
    case convolution
    case weightGradient = "weight gradient"
    case inputGradient = "input gradient"
    case depthwise
    case norm
    case gate
    case attention
    case matrixProduct = "matrix product"
    case activation
    case classifier
    case loss
    case update
  }

  /// The seconds of one unit.
  public struct Unit: Sendable {
    /// timm's path, or what else is computed.
    public let name: String
    /// Seconds by operation, in the order of `Operation.allCases`.
    public fileprivate(set) var seconds: [Double]
    /// Seconds of the forward pass.
    public fileprivate(set) var forward = 0.0
    /// Seconds of the backward pass.
    public fileprivate(set) var backward = 0.0
  }

  /// The units in the order of the forward pass; the last is what follows the network.
  public private(set) var units: [Unit]
  /// The steps that were profiled.
  public internal(set) var steps = 0
  private var current = 0
  private var isBackward = false

  init(_ blueprint: Blueprint) {
    units = (blueprint.unitPaths + ["loss, update"]).map {
      Unit(name: $0, seconds: Array(repeating: 0, count: Operation.allCases.count))
    }
  }

  /// The mean seconds of an operation in a step.
  public func seconds(_ operation: Operation) -> Double {
    let index = Operation.allCases.firstIndex(of: operation) ?? 0
    return units.reduce(0) { $0 + $1.seconds[index] } / Double(max(1, steps))
  }

  /// The mean seconds of a step.
  public var secondsPerStep: Double {
    units.reduce(0) { $0 + $1.forward + $1.backward } / Double(max(1, steps))
  }

  /// What is measured from now on belongs to a unit.
  func enter(_ unit: Int, isBackward: Bool) {
    current = unit
    self.isBackward = isBackward
  }

  /// What is measured from now on follows the network.
  func enterEnd() { enter(units.count - 1, isBackward: false) }

  /// Runs and measures.
  @inline(__always)
  func measure<Result>(_ operation: Operation, _ body: () -> Result) -> Result {
    let start = ContinuousClock.now
    let result = body()
    let seconds = start.duration(to: .now).seconds
    units[current].seconds[Operation.allCases.firstIndex(of: operation) ?? 0] += seconds
    if isBackward { units[current].backward += seconds } else { units[current].forward += seconds }
    return result
  }
}
