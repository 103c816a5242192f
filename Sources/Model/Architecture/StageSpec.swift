/// How the blocks of a stage are built.
public enum BlockKind: String, Sendable, CaseIterable {
  /// One k×k convolution, batch norm, SiLU; the residual is added after the activation (timm `cn`).
  case convolution
  /// A k×k expanding convolution and a linear 1×1 projection, also at expansion 1 (timm `er`).
  case fused
  /// A 1×1 expansion, a depthwise k×k convolution, a gate, a linear 1×1 projection (timm `ir`).
  case inverted
  /// A depthwise k×k convolution, a gate, a linear 1×1 projection (timm `ds`).
  case separable
}

/// What stands between the depthwise convolution and the projection of a block.
public enum GateKind: Sendable, Equatable {
  case none
  /// Squeeze-and-excitation whose hidden width is this share of the block's *input* channels
  /// (Hu et al., arXiv:1709.01507), rounded to a multiple of the divisor.
  case squeezeExcitation(ratio: Double, divisor: Int = 1)
  /// A global context: the channels' means are weighted by an attention over the pixels, and the
  /// hidden vector is normalised (Cao et al., arXiv:1904.11492; timm `GlobalContext`).
  case globalContext(ratio: Double)

  /// The width between the two layers of the gate of a block, or nil without one; of its middle
  /// channels and the expansion that led to them, as timm rounds it.
  func hiddenChannels(middle: Int, expansion: Int) -> Int? {
    switch self {
    case .none: nil
    case .squeezeExcitation(let ratio, 1):
      // Ties go to the even number as in Python.
      Int((Double(middle) * (ratio / Double(expansion))).rounded(.toNearestOrEven))
    case .squeezeExcitation(let ratio, let divisor):
      makeDivisible(Double(middle) * (ratio / Double(expansion)), by: divisor)
    case .globalContext(let ratio):
      makeDivisible(Double(middle) * (ratio / Double(expansion)), by: 1, roundLimit: 0)
    }
  }
}

/// One stage of a network: a block that may change size and channels, and repeats that keep them.
public struct StageSpec: Sendable, Equatable {
  /// How its blocks are built.
  public var kind: BlockKind
  /// The number of blocks.
  public var repeats: Int
  /// The output channels of every block.
  public var channels: Int
  /// The edge of the spatial kernel: the k×k convolution's or the depthwise one's.
  public var kernel: Int
  /// The stride of the first block; the others have stride 1.
  public var stride: Int
  /// The ratio of a block's middle channels to its input channels.
  public var expansion: Int
  /// What stands before the projection of its blocks.
  public var gate: GateKind

  /// Creates a stage of `repeats` blocks.
  public init(
    _ kind: BlockKind, repeats: Int, channels: Int, kernel: Int = 3, stride: Int,
    expansion: Int, gate: GateKind = .none
  ) {
    self.kind = kind
    self.repeats = repeats
    self.channels = channels
    self.kernel = kernel
    self.stride = stride
    self.expansion = expansion
    self.gate = gate
  }
}

/// The shape of a network made of a stem, stages of blocks and a pooled head: a recipe that can
/// be scaled in width and depth.
public struct NetworkShape: Sendable, Equatable {
  /// The stem's output channels (k×k 3, stride 2).
  public var stemChannels: Int
  /// The stages, in order.
  public var stages: [StageSpec]
  /// The output channels of the head's 1×1 convolution: the features of the classifier.
  public var headChannels: Int

  /// The recipe with its channel counts multiplied by `width` and the repeats of each stage by the
  /// entry of `depth`, as compound scaling does it (Tan and Le, arXiv:1905.11946): channels are
  /// rounded to multiples of 8, repeats up.
  ///
  /// - Parameter roundLimit: rounding down to less than this share of the exact width goes up
  ///   instead; 0.9 everywhere but in EfficientNetV2-B0 to B3, which have no such limit.
  public func scaled(width: Double, depth: [Double], roundLimit: Double = 0.9) -> NetworkShape {
    precondition(depth.count == stages.count, "one depth factor for each stage")
    func round(_ channels: Int) -> Int {
      makeDivisible(Double(channels) * width, roundLimit: roundLimit)
    }
    var result = self
    result.stemChannels = round(stemChannels)
    result.headChannels = round(headChannels)
    for (index, factor) in depth.enumerated() {
      result.stages[index].channels = round(stages[index].channels)
      let exact = Double(stages[index].repeats) * factor
      result.stages[index].repeats = Int(exact.rounded(.up))
    }
    return result
  }

  /// The recipe with another gate wherever there is one.
  func replacingGates(_ gate: GateKind) -> NetworkShape {
    var result = self
    for index in stages.indices where stages[index].gate != .none {
      result.stages[index].gate = gate
    }
    return result
  }

  /// The recipe with the same depth factor for every stage.
  public func scaled(width: Double, depth: Double, roundLimit: Double = 0.9) -> NetworkShape {
    scaled(
      width: width, depth: Array(repeating: depth, count: stages.count), roundLimit: roundLimit)
  }
}

/// The multiple of `divisor` nearest to `value`, at least `divisor`, and not below `roundLimit` times
/// the value.
public func makeDivisible(_ value: Double, by divisor: Int = 8, roundLimit: Double = 0.9) -> Int {
  var result = max(divisor, Int(value + Double(divisor) / 2) / divisor * divisor)
  if Double(result) < roundLimit * value { result += divisor }
  return result
}
