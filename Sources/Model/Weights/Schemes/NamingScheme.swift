/// How a library calls the tensors of our networks and lays them out.
///
/// A scheme goes from our parameter table outward: for each of our tensors it gives the name that the
/// library has for it, or several names where the library cuts it up. Nothing is ever renamed by
/// patterns, and the order of a file means nothing.
public struct NamingScheme: Sendable {
  /// Whose names they are.
  public let name: String
  /// How the library computes what we call this variant; nil where its files do not say so by
  /// themselves.
  let conventions: @Sendable (Variant) -> Conventions?
  /// Names that every file of the scheme has, after what may stand before all its names.
  let marks: [String]
  /// How the elements of a tensor lie in a file.
  let order: Order
  /// What follows the name of a tensor that was averaged over the training, which is preferred.
  let averageSuffix: String?
  /// The other name that newer versions of the library have for a tensor of this name; nil for
  /// none.
  let newerName: @Sendable (_ name: String) -> String?
  /// Whether a name belongs to something beside the network, such as a step counter.
  let isBeside: @Sendable (_ name: String) -> Bool
  /// The names of a tensor; none when the scheme has none for it.
  let spelling: Spelling

  /// Gives the name of a tensor, or those of its parts, knowing the block that it belongs to, if any.
  typealias Spelling = @Sendable (ParameterInfo, BlockUnit?, Blueprint) -> [String]

  /// What a library's networks do that no tensor shows.
  public struct Conventions: Sendable, Equatable {
    /// How strided convolutions pad.
    public let padding: Padding
    /// What batch norm adds to the variance.
    public let normEpsilon: Float
  }

  /// How the elements of a tensor lie in a file.
  enum Order: Sendable {
    /// Output channels first: PyTorch's.
    case outputsFirst
    /// Output channels last, which is the engine's own order: TensorFlow's.
    case outputsLast
  }

  init(
    _ name: String, marks: [String], order: Order = .outputsFirst,
    conventions: @escaping @Sendable (Variant) -> Conventions? = { _ in nil },
    averageSuffix: String? = nil,
    newerName: @escaping @Sendable (String) -> String? = { _ in nil },
    isBeside: @escaping @Sendable (String) -> Bool = { _ in false },
    spelling: @escaping Spelling
  ) {
    self.name = name
    self.marks = marks
    self.order = order
    self.conventions = conventions
    self.averageSuffix = averageSuffix
    self.newerName = newerName
    self.isBeside = isBeside
    self.spelling = spelling
  }

  /// Every scheme that is recognised.
  public static let all: [NamingScheme] = [
    timm, timmTransformer, torchvision, hankyul2, jahongir7174, dLi14, google, keras, flax,
  ]

  /// The names that the scheme has for a tensor of a network: one, none when it has none, or one for
  /// each of the equal parts that its outputs are cut into.
  func names(of info: ParameterInfo, in blueprint: Blueprint) -> [String] {
    var block: BlockUnit?
    if case .block(_, _, let ordinal) = info.role.unit, ordinal < blueprint.blocks.count {
      block = blueprint.blocks[ordinal]
    }
    return spelling(info, block, blueprint)
  }

  /// The dimensions that a tensor of a network, or each of its parts, may have in a file of the
  /// scheme.
  func shapes(of info: ParameterInfo, in blueprint: Blueprint) -> [[Int]] {
    if case .transformer(let body) = blueprint.body, order == .outputsLast,
      let shape = body.shape.shapeByHead(of: info)
    {
      return [shape]
    }
    return switch (order, info.layout) {
    case (_, .scalar): [[], [1]]
    case (.outputsFirst, .convolution) where isDense(info):
      // A fully connected layer does what a 1×1 convolution does.
      [info.timmShape, [info.timmShape[0], info.timmShape[1]]]
    case (.outputsFirst, _): [info.timmShape]
    case (.outputsLast, .depthwise): [info.shape + [1]]
    case (.outputsLast, _): [info.shape]
    }
  }

  private func isDense(_ info: ParameterInfo) -> Bool {
    [.squeeze, .excite].contains(info.role.layer) && info.shape[0] == 1 && info.shape[1] == 1
  }

  /// Brings a tensor, or one of the parts of its outputs, from a file's order into the engine's.
  func place(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ info: ParameterInfo,
    part: Int, of parts: Int
  ) {
    switch order {
    case .outputsFirst:
      precondition(parts == 1, "no library of this order cuts tensors up")
      info.layout.fromTimm(source, to: target, shape: info.shape)
    case .outputsLast:
      let outputs = info.shape.last ?? 1
      let width = outputs / parts
      for row in 0..<(info.count / outputs) {
        (target + row * outputs + part * width).update(from: source + row * width, count: width)
      }
    }
  }
}

/// A scheme as a certain file uses it.
struct RecognizedScheme: Sendable {
  let scheme: NamingScheme
  /// What stands before every name: `module.`, `model.`, `efficientnetv2-s/`.
  let prefix: String

  /// The scheme whose own names a file has; nil when it has those of none.
  init?(_ file: WeightFile) {
    for scheme in NamingScheme.all {
      let prefixes = Self.prefixes(of: scheme, in: file)
      // Averages before others, else the shortest.
      let best = prefixes.min {
        ($0.contains("ema") ? 0 : 1, $0.count, $0) < ($1.contains("ema") ? 0 : 1, $1.count, $1)
      }
      if let best {
        self.scheme = scheme
        prefix = best
        return
      }
    }
    return nil
  }

  /// timm's names, for files whose names are nobody's.
  init(assuming scheme: NamingScheme) {
    self.scheme = scheme
    prefix = ""
  }

  private static func prefixes(of scheme: NamingScheme, in file: WeightFile) -> [String] {
    let endings = [scheme.averageSuffix, ""].compactMap { $0 }
    let mark = scheme.marks[0]
    var found: Set<String> = []
    for tensor in file.tensors {
      for ending in endings where tensor.name.hasSuffix(mark + ending) {
        let prefix = String(tensor.name.dropLast(mark.count + ending.count))
        guard prefix.isEmpty || prefix.hasSuffix(".") || prefix.hasSuffix("/") else { continue }
        let hasAll = scheme.marks.allSatisfy { mark in
          endings.contains { file[prefix + mark + $0] != nil }
        }
        if hasAll { found.insert(prefix) }
      }
    }
    return Array(found)
  }

  /// The tensors of a file that make up a tensor of a network, in the order of its outputs, with nil
  /// for each that the file lacks; usually one.
  func tensors(
    for info: ParameterInfo, in blueprint: Blueprint, _ file: WeightFile
  ) -> [WeightTensor?] {
    scheme.names(of: info, in: blueprint).map { tensor($0, in: file) }
  }

  private func tensor(_ name: String, in file: WeightFile) -> WeightTensor? {
    if let suffix = scheme.averageSuffix, let average = file[prefix + name + suffix] {
      return average
    }
    return file[prefix + name] ?? scheme.newerName(name).flatMap { file[prefix + $0] }
  }

  /// The names of a file that are neither among these nor beside the network.
  func unexpected(in file: WeightFile, used: Set<String>) -> [String] {
    file.tensors.map(\.name).filter { name in
      // Whatever begins otherwise belongs to another copy of the network, or to a loss.
      guard !used.contains(name), name.hasPrefix(prefix), !scheme.isBeside(name) else {
        return false
      }
      // The plain twin of an average, and what an optimizer keeps for a tensor.
      guard let suffix = scheme.averageSuffix else { return true }
      return !used.contains(name + suffix)
    }
  }
}
