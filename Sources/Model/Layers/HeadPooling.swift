internal import Kernels

/// The pooling of the last maps in training: [N, S, S, C] → features [N, F].
struct HeadPooling {
  private let kind: GlobalPooling
  private let map: FeatureMap
  /// Each image's means and largest values, or their gradients; empty for the mean alone, which
  /// needs neither.
  private let means: TensorSlot
  private let maxima: TensorSlot
  /// Where the largest values were.
  private let places: TensorSlot

  init(_ map: FeatureMap, _ planner: inout LayerPlanner) {
    self.map = map
    kind = planner.pooling
    let count = kind == .average ? 0 : map.batch * map.channels
    means = planner.workspace.reserve(count)
    maxima = planner.workspace.reserve(count)
    places = planner.workspace.reserve(count)
    planner.reserveScratch(
      GradientSums.count(parts: pooledGradientParts(batch: map.batch), channels: map.channels))
  }

  /// Writes the features of activation(norm(input)).
  func forward(
    _ norm: TrainingNorm, features: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    let input = norm.output(context)
    func findMeans(_ output: UnsafeMutablePointer<Float>) {
      globalAveragePool(
        input, batch: map.batch, channels: map.channels, output: output, pool: context.pool)
    }
    func findMaxima(_ output: UnsafeMutablePointer<Float>) {
      globalMaxPool(
        input, batch: map.batch, channels: map.channels, output: output,
        places: context[places], pool: context.pool)
    }
    switch kind {
    case .average: findMeans(features)
    case .maximum: findMaxima(features)
    case .averageMaximum, .concatenated:
      findMeans(context[means])
      findMaxima(context[maxima])
      kind.join(
        means: context[means], maxima: context[maxima], batch: map.batch,
        channels: map.channels, features: features)
    }
  }

  /// Writes the gradient of the norm's argument to `gradient` and joins its sums, from that of the
  /// features.
  func backward(
    _ norm: TrainingNorm, featureGradient: UnsafePointer<Float>,
    gradient: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    guard kind != .average else {
      return norm.backwardPooled(
        meanGradient: featureGradient, gate: nil, gradient: gradient, context)
    }
    kind.split(
      featureGradient, batch: map.batch, channels: map.channels, means: context[means],
      maxima: context[maxima])
    norm.backwardPooled(
      meanGradient: context[means],
      maxima: (UnsafePointer(context[maxima]), UnsafePointer(context[places])), gate: nil,
      gradient: gradient, context)
  }
}

extension GlobalPooling {
  /// features [N, F] from each image's means and largest values [N, C], where both are used.
  func join(
    means: UnsafePointer<Float>, maxima: UnsafePointer<Float>, batch: Int, channels: Int,
    features: UnsafeMutablePointer<Float>
  ) {
    if self == .concatenated {
      for image in 0..<batch {
        let (row, target) = (image * channels, features + 2 * image * channels)
        target.update(from: means + row, count: channels)
        (target + channels).update(from: maxima + row, count: channels)
      }
    } else {
      for index in 0..<(batch * channels) {
        features[index] = 0.5 * (means[index] + maxima[index])
      }
    }
  }

  /// The gradients of the means and the largest values [N, C] from that of the features [N, F].
  func split(
    _ gradient: UnsafePointer<Float>, batch: Int, channels: Int,
    means: UnsafeMutablePointer<Float>, maxima: UnsafeMutablePointer<Float>
  ) {
    let count = batch * channels
    switch self {
    case .average, .maximum:
      means.update(repeating: 0, count: count)
      maxima.update(repeating: 0, count: count)
      (self == .average ? means : maxima).update(from: gradient, count: count)
    case .averageMaximum:
      for index in 0..<count { means[index] = 0.5 * gradient[index] }
      maxima.update(from: means, count: count)
    case .concatenated:
      for image in 0..<batch {
        let (row, source) = (image * channels, gradient + 2 * image * channels)
        (means + row).update(from: source, count: channels)
        (maxima + row).update(from: source + channels, count: channels)
      }
    }
  }
}
