public import Kernels

/// A convolution without bias, its batch norm and the activation after it.
public struct ConvolutionUnit: Sendable {
  /// timm's path of the convolution, such as `blocks.3.0.conv_pw`.
  public let path: String
  /// What the convolution does in its unit.
  public let role: ParameterRole.Layer
  /// The edge of its kernel.
  public let kernel: Int
  /// The step between neighbouring outputs.
  public let stride: Int
  /// The channels that come in.
  public let inputChannels: Int
  /// The channels that come out.
  public let outputChannels: Int
  /// Whether every channel is convolved on its own.
  public let isDepthwise: Bool
  /// What follows the norm.
  public let activation: Activation
  /// The convolution's weight in the parameter table.
  public let weight: ParameterReference
  /// The norm's tensors in the parameter table.
  public let norm: NormReferences

  /// The multiplications of the convolution at one output position.
  var multiplyAddsPerPixel: Int {
    kernel * kernel * outputChannels * (isDepthwise ? 1 : inputChannels)
  }
}

/// The two fully connected layers of a gate: channels → hidden → channels.
public struct GateUnit: Sendable {
  /// timm's path, such as `blocks.3.0.se`.
  public let path: String
  let squeeze: DenseUnit
  let excite: DenseUnit
  /// What a global context has besides.
  let context: ContextReferences?

  /// The channels that are gated.
  public var channels: Int { squeeze.inputs }
  /// The width between the two layers.
  public var hiddenChannels: Int { squeeze.outputs }
}

/// The attention over the pixels, channels → 1, and the norm of the hidden vector.
struct ContextReferences: Sendable, Hashable {
  /// What timm's `LayerNorm2d` adds to the variance.
  static let epsilon: Float = 1e-6

  let attentionWeight: ParameterReference
  let attentionBias: ParameterReference
  let norm: LayerNormReferences
}

/// A fully connected layer: the classifier, features → classes, and those of a transformer.
public struct DenseUnit: Sendable {
  /// timm's path, such as `classifier`.
  public let path: String
  /// The channels that come in.
  public let inputs: Int
  /// The channels that come out.
  public let outputs: Int
  let weight: ParameterReference
  let bias: ParameterReference
}

/// One residual block, with every channel count resolved.
public struct BlockUnit: Sendable {
  /// The layers of a block, by its kind.
  public enum Body: Sendable {
    case convolution(ConvolutionUnit)
    case fused(expand: ConvolutionUnit, project: ConvolutionUnit)
    case inverted(
      expand: ConvolutionUnit, depthwise: ConvolutionUnit, gate: GateUnit?,
      project: ConvolutionUnit)
    case separable(depthwise: ConvolutionUnit, gate: GateUnit?, project: ConvolutionUnit)
  }

  /// timm's path, such as `blocks.3.0`.
  public let path: String
  /// The block's place among all blocks.
  public let ordinal: Int
  /// The stage that the block belongs to.
  public let stage: Int
  /// The block's place in its stage.
  public let index: Int
  /// The stride of its spatial convolution.
  public let stride: Int
  /// The channels that come in.
  public let inputChannels: Int
  /// The channels that come out.
  public let outputChannels: Int
  /// Its layers.
  public let body: Body
  /// Whether the block's input is added to its output.
  public var hasSkip: Bool { stride == 1 && inputChannels == outputChannels }

  /// What the block is made of.
  public var kind: BlockKind {
    switch body {
    case .convolution: .convolution
    case .fused: .fused
    case .inverted: .inverted
    case .separable: .separable
    }
  }

  /// The convolutions, in order.
  public var convolutions: [ConvolutionUnit] {
    switch body {
    case .convolution(let unit): [unit]
    case .fused(let expand, let project): [expand, project]
    case .inverted(let expand, let depthwise, _, let project): [expand, depthwise, project]
    case .separable(let depthwise, _, let project): [depthwise, project]
    }
  }

  /// The gate, where there is one.
  public var gate: GateUnit? {
    switch body {
    case .convolution, .fused: nil
    case .inverted(_, _, let gate, _), .separable(_, let gate, _): gate
    }
  }
}

/// A network of convolutions: a stem, stages of residual blocks, a 1×1 convolution and a pooling.
public struct ConvolutionalBody: Sendable {
  /// The first convolution, 3×3 with stride 2.
  public let stem: ConvolutionUnit
  /// All blocks, in order.
  public let blocks: [BlockUnit]
  /// The 1×1 convolution before the pooling.
  public let head: ConvolutionUnit

  /// Every convolution with its norm, in order.
  public var convolutions: [ConvolutionUnit] { [stem] + blocks.flatMap(\.convolutions) + [head] }

  /// Pixels of the image, along a side, for one of the last maps.
  var stride: Int { convolutions.reduce(1) { $0 * $1.stride } }
}
