/// What kind of network a variant is, and its shape.
public enum NetworkDesign: Sendable, Equatable {
  case convolutional(NetworkShape)
  case transformer(TransformerShape)
}

/// One architecture of the table: its shape, its numerical conventions, its released weights.
public struct Variant: Sendable {
  /// timm's name, such as `tf_efficientnetv2_b0`.
  public let name: String
  /// Names of timm 0.5.4 that mean this variant with a certain tag, such as
  /// `tf_efficientnetv2_s_in21k`; each with the tag it stands for.
  public let aliases: [String: String]
  /// What it is, in one line.
  public let summary: String
  /// Its kind and its shape.
  public let design: NetworkDesign
  /// How strided convolutions pad.
  public let padding: Padding
  /// What batch norm adds to the variance before the square root.
  public let normEpsilon: Float
  /// How the stem's and the blocks' norms move their running statistics towards a batch's.
  public let normMomentum: Float
  /// The released weights, the one meant by the bare name first; empty for untrained variants.
  public let pretrainedTags: [PretrainedTag]
  /// The released weights that the name asked for, or the default ones; nil for untrained variants.
  public let tag: PretrainedTag?
  /// What the network's input looks like: the tag's preprocessing where there is one, for the
  /// network's channels.
  public var preprocessing: Preprocessing { ownPreprocessing.adapted(toChannels: inputChannels) }
  private let ownPreprocessing: Preprocessing

  /// How the last maps of a network of convolutions become features.
  public internal(set) var pooling = GlobalPooling.average
  /// The channels of an image: 3, unless the network was made for others.
  public internal(set) var inputChannels = 3

  /// Stem, stages and head width of a network of convolutions; nil for a transformer.
  public var shape: NetworkShape? {
    if case .convolutional(let shape) = design { shape } else { nil }
  }
  /// The stages of a network of convolutions, in order; empty for a transformer.
  public var stages: [StageSpec] { shape?.stages ?? [] }
  /// The features that the classifier sees.
  var classifierFeatures: Int { pooling.features(of: headChannels) }
  /// The channels of the last maps.
  public var headChannels: Int {
    switch design {
    case .convolutional(let shape): shape.headChannels
    case .transformer(let shape): shape.channels
    }
  }
  /// timm's path of the classifier.
  public var classifierPath: String {
    switch design {
    case .convolutional: "classifier"
    case .transformer: "head"
    }
  }
  /// The classes of the released weights, 1000 without any.
  public var defaultClassCount: Int { tag?.classCount ?? 1000 }
  /// The name with its tag, such as `tf_efficientnetv2_b0.in1k`; the bare name without one.
  public var qualifiedName: String { tag.map { "\(name).\($0.name)" } ?? name }
  /// The Hugging Face repository of the selected weights, such as
  /// `timm/tf_efficientnetv2_b0.in1k`; nil for untrained variants.
  public var hubRepository: String? {
    isTimms ? tag.map { "timm/\(name).\($0.name)" } : nil
  }
  /// Whether timm has it under this name.
  let isTimms: Bool

  /// Where the selected weights are fetched from and what the file is called here; nil for untrained
  /// variants.
  ///
  /// timm's are on a Hugging Face hub, torchvision's on PyTorch's server, with the beginning of their
  /// SHA-256 in the name.
  public func release(hub endpoint: String = "https://huggingface.co") -> (
    address: String, file: String
  )? {
    if let hubRepository {
      let endpoint = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
      return (
        "\(endpoint)/\(hubRepository)/resolve/main/model.safetensors",
        "\(qualifiedName).safetensors"
      )
    }
    return (tag?.releaseFile).map { ("https://download.pytorch.org/models/\($0)", $0) }
  }

  /// A network of convolutions.
  init(
    _ name: String, aliases: [String: String] = [:], summary: String, shape: NetworkShape,
    padding: Padding, normEpsilon: Float, normMomentum: Float = 0.1, isTimms: Bool = true,
    tags: [PretrainedTag], untrained: Preprocessing? = nil
  ) {
    self.init(
      name, aliases: aliases, summary: summary, design: .convolutional(shape), padding: padding,
      normEpsilon: normEpsilon, normMomentum: normMomentum, isTimms: isTimms, tags: tags,
      untrained: untrained)
  }

  /// A transformer.
  init(
    _ name: String, summary: String, shape: TransformerShape, tags: [PretrainedTag],
    untrained: Preprocessing? = nil
  ) {
    self.init(
      name, aliases: [:], summary: summary, design: .transformer(shape), padding: .symmetric,
      normEpsilon: shape.normEpsilon, normMomentum: 0, isTimms: true, tags: tags,
      untrained: untrained)
  }

  private init(
    _ name: String, aliases: [String: String], summary: String, design: NetworkDesign,
    padding: Padding, normEpsilon: Float, normMomentum: Float, isTimms: Bool,
    tags: [PretrainedTag], untrained: Preprocessing?
  ) {
    guard let preprocessing = tags.first?.preprocessing ?? untrained else {
      preconditionFailure("a variant needs released weights or a preprocessing of its own")
    }
    self.name = name
    self.aliases = aliases
    self.summary = summary
    self.design = design
    self.padding = padding
    self.normEpsilon = normEpsilon
    self.normMomentum = normMomentum
    self.isTimms = isTimms
    pretrainedTags = tags
    tag = tags.first
    ownPreprocessing = preprocessing
  }

  private init(_ variant: Variant, tag: PretrainedTag) {
    name = variant.name
    aliases = variant.aliases
    summary = variant.summary
    design = variant.design
    padding = variant.padding
    normEpsilon = variant.normEpsilon
    normMomentum = variant.normMomentum
    isTimms = variant.isTimms
    pretrainedTags = variant.pretrainedTags
    self.tag = tag
    ownPreprocessing = tag.preprocessing
    pooling = variant.pooling
    inputChannels = variant.inputChannels
  }

  /// Every variant, in the order of the table.
  public static let all: [Variant] =
    efficientNetV2 + efficientNet + otherSources + visionTransformers

  /// The variant of a name: bare (`tf_efficientnetv2_s`, which means its default weights), with a
  /// tag (`tf_efficientnetv2_s.in1k`), or in timm 0.5.4's spelling (`tf_efficientnetv2_s_in21ft1k`).
  ///
  /// - Throws: `ArchitectureError` for an unknown name or tag.
  public static func named(_ name: String) throws -> Variant {
    let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let base = String(parts[0])
    if let variant = all.first(where: { $0.name == base }) {
      guard parts.count == 2 else { return variant }
      return try variant.selecting(tag: String(parts[1]))
    }
    for variant in all {
      if let tag = variant.aliases[name] { return try variant.selecting(tag: tag) }
    }
    throw ArchitectureError.unknownVariant(name, closest: closestNames(to: base))
  }

  /// The same variant with other released weights, and the preprocessing that they want.
  ///
  /// - Throws: `ArchitectureError.unknownTag` if the table has no such tag.
  public func selecting(tag name: String) throws -> Variant {
    guard let tag = pretrainedTags.first(where: { $0.name == name }) else {
      throw ArchitectureError.unknownTag(
        name, variant: self.name, known: pretrainedTags.map(\.name))
    }
    return Variant(self, tag: tag)
  }

  /// The names of the table that differ little from a mistyped one.
  private static func closestNames(to name: String) -> [String] {
    Model.closestNames(to: name, among: all.flatMap { [$0.name] + $0.aliases.keys.sorted() })
  }
}
