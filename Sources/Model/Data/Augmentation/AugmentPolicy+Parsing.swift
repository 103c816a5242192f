/// What is wrong with the text of a policy.
public struct PolicyProblem: Error, Sendable, Equatable {
  /// The whole text.
  public let text: String
  /// What is wrong, in terms of a part of it.
  public let reason: String
  /// What would be right.
  public let advice: String
}

extension AugmentPolicy {
  /// The policies that are a word; `rand` and `augmix` may be followed by parts.
  public static let names = [
    "v0", "v0r", "original", "originalr", "3a", "cifar10", "trivial", "rand", "augmix",
  ]

  /// Reads a policy as timm writes it: a name, then parts of letters and a number with dashes between
  /// them, such as `rand-m9-n2-mstd0.5-inc1`.
  ///
  /// - Throws: `PolicyProblem`, which names the part that is wrong.
  public init(_ text: String) throws(PolicyProblem) {
    let name = String(text.prefix { $0 != "-" })
    var parts = try PolicyParts(text, name: name)
    self.init(text: text, scheme: .sequences(Self.v0))
    switch name {
    case "v0": break
    case "v0r": scheme = .sequences(Self.increasing(Self.v0))
    case "original": scheme = .sequences(Self.original)
    case "originalr": scheme = .sequences(Self.increasing(Self.original))
    case "3a": scheme = .sequences(Self.threeAugment)
    case "cifar10": scheme = .torchvision(.cifar10)
    case "trivial": scheme = .torchvision(.trivialWide)
    case "rand":
      try readRandom(&parts)
      try parts.finish()
      return
    case "augmix":
      try readChains(&parts)
      try parts.finish()
      return
    default:
      throw PolicyProblem(
        text: text, reason: "no policy is called '\(name)'",
        advice: "the policies are \(Self.names.joined(separator: ", "))")
    }
    if case .sequences = scheme, let deviation = try parts.number("mstd", 0...100) {
      noise = deviation > 0 ? .normal(deviation) : .none
    }
    try parts.finish()
  }

  private init(text: String, scheme: Scheme) {
    self.text = text
    self.scheme = scheme
  }

  private mutating func readRandom(_ parts: inout PolicyParts) throws(PolicyProblem) {
    var choice = RandomChoice(kinds: Self.plainKinds)
    if let magnitude = try parts.number("m", 0...100) { choice.magnitude = magnitude }
    if let layers = try parts.integer("n", 1...20) { choice.layers = layers }
    if let probability = try parts.number("p", 0...1) { choice.probability = probability }
    if let deviation = try parts.number("mstd", 0...Double.greatestFiniteMagnitude) {
      noise = deviation > 100 ? .uniform : deviation > 0 ? .normal(deviation) : .none
    }
    if let largest = try parts.number("mmax", 0...100), largest > 0 { largestMagnitude = largest }
    if try parts.integer("inc", 0...1) == 1 { choice.kinds = Self.increasingKinds }
    if let (set, part) = parts.word("t") {
      switch set {
      case "3a": choice.kinds = Self.threeAugmentKinds
      case "3aw": choice.take(Self.threeAugmentWeights)
      case "weights": choice.take(Self.usefulnessWeights)
      default: throw parts.problem("'\(part)' names no set of operations")
      }
      if let weights = choice.weights, choice.layers > weights.count {
        throw parts.problem(
          "'n\(choice.layers)' is more than the \(weights.count) operations of '\(part)'")
      }
    }
    scheme = .random(choice)
  }

  private mutating func readChains(_ parts: inout PolicyParts) throws(PolicyProblem) {
    var chains = Chains()
    noise = .uniform
    if let deviation = try parts.number("mstd", 0...100) {
      noise = deviation > 0 ? .normal(deviation) : .none
    }
    if let magnitude = try parts.number("m", 0...100) { chains.magnitude = magnitude }
    if let width = try parts.integer("w", 1...16) { chains.width = width }
    if let depth = try parts.integer("d", 0...16), depth > 0 { chains.depth = depth }
    if let alpha = try parts.number("a", 0.001...1000) { chains.alpha = alpha }
    if try parts.integer("b", 0...1) == 1 { chains.isBlended = true }
    scheme = .chains(chains)
  }
}

extension AugmentPolicy.RandomChoice {
  fileprivate mutating func take(_ table: [(kind: AugmentKind, weight: Double)]) {
    kinds = table.map(\.kind)
    weights = table.map(\.weight)
  }
}

/// The parts of a policy behind its name, as they are taken one by one.
private struct PolicyParts {
  let text: String
  let name: String
  private var parts: [(key: String, value: String)] = []

  init(_ text: String, name: String) throws(PolicyProblem) {
    self.text = text
    self.name = name
    for part in text.dropFirst(name.count).split(separator: "-", omittingEmptySubsequences: false)
      .dropFirst()
    {
      // Sets of operations are words, all other values numbers.
      let key = part.hasPrefix("t") ? "t" : String(part.prefix { !$0.isNumber })
      guard !part.isEmpty, key.count < part.count, !key.isEmpty else {
        throw problem("'\(part)' is not a letter and a value")
      }
      guard !parts.contains(where: { $0.key == key }) else {
        throw problem("'\(key)' is there twice")
      }
      parts.append((key, String(part.dropFirst(key.count))))
    }
  }

  func problem(_ reason: String) -> PolicyProblem {
    let known =
      switch name {
      case "rand": "rand takes m, n, p, mstd, mmax, inc and t, as in rand-m9-n2-mstd0.5-inc1"
      case "augmix": "augmix takes m, w, d, a, b and mstd, as in augmix-m3-w3-d2"
      case "trivial", "cifar10": "\(name) stands alone"
      default: "\(name) takes mstd alone, as in \(name)-mstd0.5"
      }
    return PolicyProblem(text: text, reason: reason, advice: known)
  }

  /// The value of a part, and the part as it was written.
  mutating func word(_ key: String) -> (value: String, part: String)? {
    guard let index = parts.firstIndex(where: { $0.key == key }) else { return nil }
    let value = parts.remove(at: index).value
    return (value, key + value)
  }

  mutating func number(
    _ key: String, _ range: ClosedRange<Double>
  ) throws(PolicyProblem) -> Double? {
    guard let (value, part) = word(key) else { return nil }
    guard let number = Double(value), range.contains(number) else {
      let limits =
        range.upperBound < 1e6
        ? "from \(HyperparameterValue.text(range.lowerBound)) to "
          + HyperparameterValue.text(range.upperBound) : "of at least 0"
      throw problem("'\(part)': \(key) takes a number \(limits)")
    }
    return number
  }

  mutating func integer(_ key: String, _ range: ClosedRange<Int>) throws(PolicyProblem) -> Int? {
    guard let (value, part) = word(key) else { return nil }
    guard let number = Int(value), range.contains(number) else {
      throw problem(
        "'\(part)': \(key) takes a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// - Throws: when a part is left that the policy does not know.
  func finish() throws(PolicyProblem) {
    guard let (key, value) = parts.first else { return }
    if name == "rand" && key == "w" {
      throw PolicyProblem(
        text: text, reason: "'w\(value)' is no longer a part of rand",
        advice: "tweights takes the operations by weight")
    }
    throw problem("'\(key + value)' is no part of \(name)")
  }
}
