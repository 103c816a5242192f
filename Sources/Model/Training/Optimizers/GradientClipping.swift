import Kernels

/// What the key `clip-mode` can say.
public enum ClippingMode: String, Sendable, CaseIterable {
  /// All gradients together are at most so long.
  case norm
  /// No gradient is larger than the value.
  case value
  /// The gradient of each unit is at most so much of its weights' length.
  case agc
}

/// How gradients are limited.
public struct ClippingSettings: Sendable, Equatable {
  /// What is limited.
  public let mode: ClippingMode
  /// The limit.
  public let limit: Double
}

/// Limits the gradients of a network before a step, as timm's `dispatch_clip_grad` does.
///
/// Adaptive clipping leaves the last two tensors, the classifier's, as they are.
final class GradientClipping {
  private enum Plan {
    case norm(TensorBlocks)
    case value
    case units(UnitClipping)
  }

  private let plan: Plan
  private let limit: Double
  private let target: UpdateTarget

  init(_ settings: ClippingSettings, for target: UpdateTarget) {
    limit = settings.limit
    self.target = target
    switch settings.mode {
    case .norm: plan = .norm(TensorBlocks(target.tensors.map(\.info.range)))
    case .value: plan = .value
    case .agc:
      let weights = target.parameters.table.entries.filter { $0.storage == .weights }
      let spared = Set(weights.suffix(2).map(\.path))
      plan = .units(
        UnitClipping(
          target.tensors.map(\.info).filter { !spared.contains($0.path) }.map(Self.units)))
    }
  }

  private static func units(_ info: ParameterInfo) -> (offset: Int, rows: Int, columns: Int) {
    // In the engine's layout the outputs come last; a vector is one unit.
    let columns = info.layout == .vector ? 1 : info.shape[info.shape.count - 1]
    return (info.offset, info.count / columns, columns)
  }

  /// Limits the gradients.
  func run(_ pool: ThreadPool) {
    let parameters = target.parameters
    let gradients = parameters.gradients
    switch plan {
    case .norm(let blocks):
      let norm = blocks.squares(gradients, pool: pool).squareRoot()
      let factor = limit / (norm + 1e-6)
      guard factor < 1 else { return }
      for group in target.groups {
        scale(
          gradients + group.range.lowerBound, by: Float(factor), count: group.range.count,
          pool: pool)
      }
    case .value:
      for group in target.groups {
        Kernels.limit(
          gradients + group.range.lowerBound, to: Float(limit), count: group.range.count,
          pool: pool)
      }
    case .units(let units):
      units.run(
        weights: parameters.weights, gradients: gradients, share: Float(limit), pool: pool)
    }
  }
}
