/// Which layer of the network a tensor belongs to and what it does there: enough to spell its
/// name in any library's scheme.
public struct ParameterRole: Sendable, Hashable {
  /// The part of the network.
  public enum Unit: Sendable, Hashable {
    case stem
    /// A block by its stage, its place in the stage and its place among all blocks.
    case block(stage: Int, index: Int, ordinal: Int)
    case head
    case classifier
  }

  /// The layer within its unit.
  public enum Layer: String, Sendable, Hashable {
    /// The only convolution of its unit.
    case convolution
    case expand
    case depthwise
    /// The first and the second fully connected layer of squeeze-and-excitation.
    case squeeze
    case excite
    /// The attention over the pixels and the norm of the hidden vector of a global context.
    case contextAttention
    case contextNorm
    case project
    /// A transformer's embedding: patches, class token, positions.
    case patches
    case classToken
    case positions
    /// A transformer block: queries, keys and values; the attention's result; the hidden layer.
    case attentionNorm
    case attentionInput
    case attentionOutput
    case hiddenNorm
    case hiddenInput
    case hiddenOutput
    /// The norm in front of a transformer's classifier.
    case finalNorm
    case classifier
  }

  /// The tensor within its layer.
  public enum Part: String, Sendable, Hashable {
    case weight
    case bias
    case normScale
    case normShift
    case runningMean
    case runningVariance
    /// How many batches the running statistics have seen.
    case batchCount
  }

  /// The part of the network.
  public let unit: Unit
  /// The layer within the unit.
  public let layer: Layer
  /// The tensor within the layer.
  public let part: Part
}

/// How a tensor lies in the engine's memory, and with it how it converts to PyTorch's layout.
public enum ParameterLayout: Sendable, Hashable {
  /// `[R][S][C][K]` here, `[K][C][R][S]` there; a 1×1 convolution is `[in][out]` here.
  case convolution
  /// `[R][S][C]` here, `[C][1][R][S]` there.
  case depthwise
  /// `[in][out]` here, `[out][in]` there.
  case dense
  /// The same on both sides.
  case vector
  /// One integer, without dimensions.
  case scalar
}

/// What a tensor holds before any training.
public enum Initializer: Sendable, Hashable {
  /// Normal numbers around zero.
  case normal(deviation: Double)
  /// Uniform numbers in `-bound ..< bound`.
  case uniform(bound: Double)
  case constant(Float)
}

/// One tensor of a network: everything that any part of the program must know about it.
public struct ParameterInfo: Sendable {
  /// Which of the store's buffers holds the tensor.
  public enum Storage: Sendable, Hashable {
    /// Trained by the optimizer; the gradient lies at the same offset of the gradient buffer.
    case weights
    /// Running statistics: saved and loaded, never trained.
    case buffers
    /// Integers: how many batches the running statistics have seen.
    case counters
  }

  /// timm's state-dict key, such as `blocks.1.0.conv_exp.weight`.
  public let path: String
  /// What the tensor is in the network.
  public let role: ParameterRole
  /// The dimensions in the engine's layout.
  public let shape: [Int]
  /// The dimensions in timm's state dict.
  public let timmShape: [Int]
  /// How its elements lie here and in PyTorch.
  public let layout: ParameterLayout
  /// What it holds before any training.
  public let initializer: Initializer
  /// Whether weight decay applies: timm spares biases and all one-dimensional tensors.
  public let decays: Bool
  /// Which buffer holds it.
  public let storage: Storage
  /// The index of the first element in its buffer.
  public let offset: Int
  /// The number of elements.
  public let count: Int

  /// Whether it is state that the optimizer does not touch.
  public var isBuffer: Bool { storage != .weights }
  /// The elements' indices in its buffer.
  public var range: Range<Int> { offset..<(offset + count) }
}
