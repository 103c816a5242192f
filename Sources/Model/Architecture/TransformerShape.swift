/// The shape of a vision transformer (Dosovitskiy et al., arXiv:2010.11929): patches of the image
/// become tokens, a class token goes in front, and blocks of attention and a hidden layer follow.
public struct TransformerShape: Sendable, Equatable {
  /// The edge of a patch, in pixels.
  public var patchSize: Int
  /// The channels of a token.
  public var channels: Int
  /// The number of blocks.
  public var depth: Int
  /// The heads of an attention; they share the channels evenly.
  public var heads: Int
  /// The ratio of a hidden layer's channels to a token's.
  public var hiddenRatio = 4
  /// What layer norm adds to the variance before the square root.
  public var normEpsilon: Float = 1e-6

  /// The channels of the hidden layer of a block.
  public var hiddenChannels: Int { hiddenRatio * channels }
}

/// How images are cut into patches and turned into tokens.
public struct PatchUnit: Sendable {
  /// timm's path of the convolution, `patch_embed.proj`.
  public let path: String
  /// The edge of a patch.
  public let size: Int
  /// The channels of the image.
  public let inputs: Int
  /// The channels of a token.
  public let outputs: Int
  /// The patches along an edge of the image that the positions are learned for.
  public let grid: Int
  let weight: ParameterReference
  let bias: ParameterReference
  let classToken: ParameterReference
  /// A vector for the class token and each patch, row by row.
  let positions: ParameterReference

  /// The numbers of a patch.
  var patchCount: Int { size * size * inputs }

  /// The tokens of an image with so many patches along an edge: these, and the class token.
  static func tokens(grid: Int) -> Int { grid * grid + 1 }
}

/// One block: x + attention(norm(x)), then y + hidden(norm(y)).
public struct TransformerUnit: Sendable {
  /// timm's path, such as `blocks.3`.
  public let path: String
  /// The block's place among all blocks.
  public let ordinal: Int
  let attentionNorm: LayerNormReferences
  /// channels → queries, keys, values.
  let attentionInput: DenseUnit
  let attentionOutput: DenseUnit
  let hiddenNorm: LayerNormReferences
  let hiddenInput: DenseUnit
  let hiddenOutput: DenseUnit

  /// The fully connected layers, in order.
  var layers: [DenseUnit] { [attentionInput, attentionOutput, hiddenInput, hiddenOutput] }
  var norms: [LayerNormReferences] { [attentionNorm, hiddenNorm] }
}

/// A vision transformer without its classifier.
public struct TransformerBody: Sendable {
  /// Its shape.
  public let shape: TransformerShape
  /// From pixels to tokens.
  public let patches: PatchUnit
  /// All blocks, in order.
  public let blocks: [TransformerUnit]
  /// The norm before the classifier.
  let norm: LayerNormReferences

  /// The patches along an edge of an image.
  /// - Throws: `ArchitectureError.patchedInputSize` for a size that patches do not cover.
  func grid(inputSize: Int) throws -> Int {
    guard inputSize > 0, inputSize % shape.patchSize == 0 else {
      throw ArchitectureError.patchedInputSize(inputSize, patch: shape.patchSize)
    }
    return inputSize / shape.patchSize
  }

  /// The tokens of an image.
  /// - Throws: as `grid`.
  func tokens(inputSize: Int) throws -> Int {
    PatchUnit.tokens(grid: try grid(inputSize: inputSize))
  }
}

/// Declares a transformer's tensors in timm's order and names.
struct TransformerBuilder {
  /// What timm's matrices start with.
  static let start = Initializer.normal(deviation: 0.02)

  let shape: TransformerShape
  var declarations = ParameterDeclarations()

  init(shape: TransformerShape) { self.shape = shape }

  /// Everything but the classifier.
  mutating func body(inputChannels: Int, inputSize: Int) -> TransformerBody {
    let grid = inputSize / shape.patchSize
    let path = "patch_embed.proj"
    let inputs = shape.patchSize * shape.patchSize * inputChannels
    let uniform = Initializer.uniform(bound: 1 / Double(inputs).squareRoot())
    let classToken = declarations.tokens(
      "cls_token", .classToken, count: 1, channels: shape.channels, deviation: 1e-6)
    let positions = declarations.tokens(
      "pos_embed", .positions, count: PatchUnit.tokens(grid: grid), channels: shape.channels,
      deviation: 0.02)
    let patches = PatchUnit(
      path: path, size: shape.patchSize, inputs: inputChannels, outputs: shape.channels,
      grid: grid,
      weight: declarations.patches(
        path, kernel: shape.patchSize, inputs: inputChannels, outputs: shape.channels, uniform),
      bias: declarations.bias(path, .stem, .patches, count: shape.channels, uniform),
      classToken: classToken, positions: positions)
    let blocks = (0..<shape.depth).map { block($0) }
    return TransformerBody(
      shape: shape, patches: patches, blocks: blocks,
      norm: declarations.layerNorm("norm", .head, .finalNorm, channels: shape.channels))
  }

  private mutating func block(_ index: Int) -> TransformerUnit {
    let path = "blocks.\(index)"
    let unit = ParameterRole.Unit.block(stage: 0, index: index, ordinal: index)
    let (narrow, wide) = (shape.channels, shape.hiddenChannels)
    func dense(
      _ name: String, _ layer: ParameterRole.Layer, _ inputs: Int, _ outputs: Int
    ) -> DenseUnit {
      DenseUnit(
        path: path + name, inputs: inputs, outputs: outputs,
        weight: declarations.dense(
          path + name, unit, layer, inputs: inputs, outputs: outputs, Self.start),
        bias: declarations.bias(path + name, unit, layer, count: outputs))
    }
    func norm(_ name: String, _ layer: ParameterRole.Layer) -> LayerNormReferences {
      declarations.layerNorm(path + name, unit, layer, channels: narrow)
    }
    let attentionNorm = norm(".norm1", .attentionNorm)
    let attentionInput = dense(".attn.qkv", .attentionInput, narrow, 3 * narrow)
    let attentionOutput = dense(".attn.proj", .attentionOutput, narrow, narrow)
    let hiddenNorm = norm(".norm2", .hiddenNorm)
    return TransformerUnit(
      path: path, ordinal: index, attentionNorm: attentionNorm, attentionInput: attentionInput,
      attentionOutput: attentionOutput, hiddenNorm: hiddenNorm,
      hiddenInput: dense(".mlp.fc1", .hiddenInput, narrow, wide),
      hiddenOutput: dense(".mlp.fc2", .hiddenOutput, wide, narrow))
  }
}
