import Kernels

/// How training images are changed beyond crop and flips: AutoAugment, RandAugment, AugMix and their
/// relatives, with the numbers of timm (`timm.data.auto_augment`).
///
/// `AugmentPolicy(text)` reads the text that timm's `--aa` takes; see `AugmentPolicy+Parsing`.
public struct AugmentPolicy: Sendable, Equatable {
  /// One operation of a sub-policy.
  struct Step: Sendable, Equatable {
    let kind: AugmentKind
    let probability: Double
    let magnitude: Double

    init(_ kind: AugmentKind, _ probability: Double, _ magnitude: Double) {
      self.kind = kind
      self.probability = probability
      self.magnitude = magnitude
    }
  }

  /// RandAugment (Cubuk et al., CVPR Workshops 2020): a few operations out of a set.
  struct RandomChoice: Sendable, Equatable {
    var kinds: [AugmentKind]
    /// How often each kind is taken, no kind twice; nil takes all equally often, and again.
    var weights: [Double]?
    var layers = 2
    var probability = 0.5
    var magnitude = 10.0
  }

  /// AugMix (Hendrycks et al., ICLR 2020): a weighted sum of several chains of operations.
  struct Chains: Sendable, Equatable {
    var width = 3
    /// Operations in a chain; nil draws 1 to 3 for each.
    var depth: Int?
    /// The parameter of the Dirichlet and the beta distribution of the weights.
    var alpha = 1.0
    var magnitude = 3.0
    /// Whether chain after chain is blended into the picture, instead of their sum.
    var isBlended = false
  }

  enum Scheme: Sendable, Equatable {
    /// One of several sequences (AutoAugment: Cubuk et al., CVPR 2019).
    case sequences([[Step]])
    case random(RandomChoice)
    case chains(Chains)
    /// Sequences or single operations of torchvision.
    case torchvision(TorchvisionPolicy)
  }

  /// How far magnitudes are off.
  enum Noise: Sendable, Equatable {
    case none
    /// Normal, with the given deviation.
    case normal(Double)
    /// Even, from 0 to the magnitude.
    case uniform
  }

  /// The policy as it was written.
  public let text: String
  var scheme: Scheme
  var noise = Noise.none
  /// No magnitude is above it.
  var largestMagnitude = 10.0

  /// Whether colours are jittered as well, as timm does with three-augment sets alone.
  public var keepsColorJitter: Bool { text.contains("3a") }

  /// Sets the magnitude of RandAugment, as progressive learning does; other policies stay as they are.
  ///
  /// A magnitude above 10, or above `mmax`, raises that limit.
  public mutating func setMagnitude(_ magnitude: Double) {
    guard case .random(var choice) = scheme else { return }
    choice.magnitude = magnitude
    scheme = .random(choice)
    largestMagnitude = max(largestMagnitude, magnitude)
  }

  /// The kinds of operation that AugMix draws from.
  static let chainKinds: [AugmentKind] = [
    .autoContrast, .colorIncreasing, .contrastIncreasing, .brightnessIncreasing,
    .sharpnessIncreasing, .equalize, .rotate, .posterizeIncreasing, .solarizeIncreasing,
    .shearX, .shearY, .translateXRel, .translateYRel,
  ]
}

/// What a policy has drawn for one picture. It is used again for the next picture of the thread, so
/// that its arrays are allocated once.
struct PolicyDraw: Equatable {
  /// The operations, in their order; chain after chain in AugMix.
  var operations: [PixelOperation] = []
  /// Where each chain of AugMix ends in `operations`.
  var chainEnds: [Int] = []
  /// The weight of each chain.
  var weights: [Float] = []
  /// How much of the result is the mixture of the chains; the rest is the picture.
  var share: Float = 0

  mutating func removeAll() {
    operations.removeAll(keepingCapacity: true)
    chainEnds.removeAll(keepingCapacity: true)
    weights.removeAll(keepingCapacity: true)
    share = 0
  }
}

extension AugmentPolicy {
  /// Draws what happens to one picture.
  ///
  /// The numbers of an operation come from the group `policy`, those of AugMix's weights from
  /// `chains`; both are drawn in full whether or not they are used.
  func draw(_ key: SampleKey, _ setting: OperationSetting, into draw: inout PolicyDraw) {
    var random = key.random(.policy)
    draw.removeAll()
    switch scheme {
    case .sequences(let sequences):
      for step in sequences[random.integer(below: sequences.count)] {
        append(step, OperationDraw(&random), setting, to: &draw)
      }
    case .random(let choice):
      var taken: UInt64 = 0
      for _ in 0..<choice.layers {
        let kind = choice.kind(random.uniform(), taken: &taken)
        append(
          Step(kind, choice.probability, choice.magnitude), OperationDraw(&random), setting,
          to: &draw)
      }
    case .chains(let chains):
      var setting = setting
      setting.translation = 0.3
      for _ in 0..<chains.width {
        let depth = 1 + random.integer(below: 3)
        for _ in 0..<(chains.depth ?? depth) {
          let kind = Self.chainKinds[random.integer(below: Self.chainKinds.count)]
          append(
            Step(kind, 1, chains.magnitude), OperationDraw(&random), setting, to: &draw)
        }
        draw.chainEnds.append(draw.operations.count)
      }
      var weights = key.random(.chains)
      draw.share = Float(weights.beta(chains.alpha))
      weights.appendDirichlet(chains.alpha, count: chains.width, to: &draw.weights)
    case .torchvision(let policy):
      policy.draw(&random, size: setting.size, into: &draw)
    }
  }

  /// Adds the operation unless its gate stays closed.
  private func append(
    _ step: Step, _ numbers: OperationDraw, _ setting: OperationSetting, to draw: inout PolicyDraw
  ) {
    guard step.probability >= 1 || numbers.gate <= step.probability else { return }
    let noisy =
      switch noise {
      case .none: step.magnitude
      case .normal(let deviation): step.magnitude + deviation * numbers.normal
      case .uniform: step.magnitude * numbers.noise.0
      }
    let magnitude = max(0, min(noisy, largestMagnitude))
    draw.operations.append(
      step.kind.operation(magnitude: magnitude, numbers, setting))
  }

  /// Changes a square picture of `size * size` pixels in place, as drawn.
  func apply(
    _ draw: PolicyDraw, to pixels: UnsafeMutablePointer<UInt8>, size: Int, fill: SIMD3<UInt8>,
    workspace: TransformWorkspace
  ) {
    var fill = fill
    if case .torchvision = scheme { fill = TorchvisionPolicy.fill }
    guard case .chains(let chains) = scheme else {
      for operation in draw.operations {
        operation.apply(
          to: pixels, width: size, height: size, fill: fill, workspace: workspace)
      }
      return
    }
    let count = 3 * size * size
    let pictures = workspace.chains.reserve(draw.chainEnds.count * count)
    var start = 0
    for (number, end) in draw.chainEnds.enumerated() {
      let picture = pictures + number * count
      picture.update(from: pixels, count: count)
      for operation in draw.operations[start..<end] {
        operation.apply(
          to: picture, width: size, height: size, fill: fill, workspace: workspace)
      }
      start = end
    }
    if chains.isBlended {
      Self.blend(pixels, pictures, count: count, draw)
    } else {
      draw.weights.withUnsafeBufferPointer {
        sumPixels(pictures, count: count, weights: $0, into: pictures)
      }
      blendPixels(pixels, pictures, count: count, factor: draw.share)
    }
  }

  /// Blends chain after chain into the picture. The factors make the shares come out right: counted
  /// from the last chain, each is its weight over what the later ones leave.
  private static func blend(
    _ pixels: UnsafeMutablePointer<UInt8>, _ pictures: UnsafePointer<UInt8>, count: Int,
    _ draw: PolicyDraw
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: draw.weights.count) { factors in
      var rest: Float = 1
      for index in draw.weights.indices.reversed() {
        let factor = draw.weights[index] * draw.share / rest
        factors.initializeElement(at: index, to: factor)
        rest *= 1 - factor
      }
      for (index, factor) in factors.enumerated() {
        // A rest of nothing leaves no number; Pillow's blend takes any factor.
        blendPixels(
          pixels, pictures + index * count, count: count,
          factor: factor.isFinite ? min(max(factor, 0), 1) : 1)
      }
    }
  }
}

extension AugmentPolicy.RandomChoice {
  /// The kind that a number from 0 to 1 stands for; with weights, among those not taken yet.
  fileprivate func kind(_ number: Double, taken: inout UInt64) -> AugmentKind {
    guard let weights else { return kinds[Int(number * Double(kinds.count))] }
    var total = 0.0
    for (index, weight) in weights.enumerated() where taken & (1 << index) == 0 { total += weight }
    var rest = number * total
    var last = 0
    for (index, weight) in weights.enumerated() where taken & (1 << index) == 0 {
      last = index
      if rest < weight { break }
      rest -= weight
    }
    taken |= 1 << last
    return kinds[last]
  }
}
