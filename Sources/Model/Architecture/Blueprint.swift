/// The layers between the images and the classifier, by the kind of network.
public enum NetworkBody: Sendable {
  case convolutional(ConvolutionalBody)
  case transformer(TransformerBody)
}

/// A variant with everything resolved for a number of classes: each layer's channels, and the
/// table of all tensors.
public struct Blueprint: Sendable {
  /// The architecture.
  public let variant: Variant
  /// The classes of the classifier.
  public let classCount: Int
  /// The channels of the input image.
  public let inputChannels: Int
  /// The layers before the classifier.
  public let body: NetworkBody
  /// The last layer.
  public let classifier: DenseUnit
  /// Every tensor of the network.
  public let parameters: ParameterTable

  /// Resolves a variant.
  ///
  /// - Throws: `ArchitectureError.classCount` unless there is at least one class.
  public init(_ variant: Variant, classCount: Int) throws {
    guard (1...1_000_000).contains(classCount) else {
      throw ArchitectureError.classCount(classCount)
    }
    self.variant = variant
    self.classCount = classCount
    inputChannels = variant.inputChannels
    var declarations: ParameterDeclarations
    let start: Initializer?
    switch variant.design {
    case .convolutional(let shape):
      var builder = ConvolutionalBuilder()
      body = .convolutional(builder.body(shape, inputChannels: inputChannels))
      declarations = builder.declarations
      start = nil
    case .transformer(let shape):
      var builder = TransformerBuilder(shape: shape)
      body = .transformer(
        builder.body(
          inputChannels: inputChannels, inputSize: variant.preprocessing.inputSize))
      declarations = builder.declarations
      start = TransformerBuilder.start
    }
    let (path, features) = (variant.classifierPath, variant.classifierFeatures)
    classifier = DenseUnit(
      path: path, inputs: features, outputs: classCount,
      weight: declarations.dense(
        path, .classifier, .classifier, inputs: features, outputs: classCount, start),
      bias: declarations.bias(path, .classifier, .classifier, count: classCount))
    parameters = declarations.table()
  }

  /// The residual blocks of a network of convolutions; empty for a transformer.
  public var blocks: [BlockUnit] {
    if case .convolutional(let body) = body { body.blocks } else { [] }
  }

  /// The number of residual blocks.
  public var blockCount: Int {
    switch body {
    case .convolutional(let body): body.blocks.count
    case .transformer(let body): body.blocks.count
    }
  }

  /// timm's paths of what is computed one after the other: the first layer, the blocks, the head.
  public var unitPaths: [String] {
    switch body {
    case .convolutional(let body):
      [body.stem.path] + body.blocks.map(\.path) + [body.head.path]
    case .transformer(let body):
      [body.patches.path] + body.blocks.map(\.path) + [classifier.path]
    }
  }

  /// The trained parameters, as every other library counts them.
  public var parameterCount: Int { parameters.parameterCount }
  /// The running means and variances.
  public var bufferCount: Int { parameters.bufferCount }
  /// The channels of the last maps.
  public var mapChannels: Int { variant.headChannels }
  /// The features that the classifier sees.
  public var featureCount: Int { classifier.inputs }
}
