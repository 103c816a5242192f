public import Foundation

/// Makes networks with the weights of a file.
public enum WeightLoader {
  /// Makes a network of a variant with the weights of a file; see the other form.
  public static func load(
    _ variant: Variant, from url: URL, head: HeadPolicy, seed: UInt64, strict: Bool
  ) throws -> (network: Network, report: LoadReport) {
    try load(variant, from: WeightFile.open(url), head: head, seed: seed, strict: strict)
  }

  /// Makes a network of a variant with the weights of a file, whatever its kind and whosever names
  /// it uses.
  ///
  /// - Parameters:
  ///   - head: what becomes of the file's classifier.
  ///   - seed: decides the values of what the file does not give; a new classifier depends on it
  ///     and on nothing else.
  ///   - strict: whether missing, unexpected or mismatched tensors are an error, the classifier
  ///     apart that `head` replaces; otherwise what fits is taken.
  ///   - digest: gives the file's SHA-256 in hexadecimal, to be compared with the one in its name;
  ///     asked at the end, so that it can be computed meanwhile.
  /// - Throws: `WeightError`, `ArchitectureError.classCount`.
  public static func load(
    _ variant: Variant, from file: WeightFile, head: HeadPolicy, seed: UInt64, strict: Bool,
    digest: (() throws -> String)? = nil
  ) throws -> (network: Network, report: LoadReport) {
    let recognized = RecognizedScheme(file) ?? RecognizedScheme(assuming: .timm)
    if let channels = recognized.inputChannels(of: file, variant), channels == 3,
      variant.inputChannels != 3
    {
      let own = try variant.taking(channels: 3)
      var (network, report) = try load(
        own, from: file, head: head, seed: seed, strict: strict, digest: digest)
      network = try network.taking(channels: variant.inputChannels)
      report.notes.append(
        "the first filters were made from 3 channels to \(variant.inputChannels), as timm does")
      return (network, report)
    }
    let match = try WeightMatch(variant, file, recognized, head: head)
    guard match.isExact || !strict else {
      // What has nothing in common is not described by all that is missing.
      if match.pairs.isEmpty { throw nothingFits(match) }
      throw WeightError.doesNotFit(
        Misfit(
          file: file.url.path, variant: variant.loadText,
          missing: match.missing.filter { !match.isLeftOut($0) }.map(\.path),
          unexpected: match.unexpected,
          mismatched: match.mismatched.filter { !match.isLeftOut($0.info) }.map(\.mismatch),
          looksLike: variants(fitting: file, recognized).map(\.loadText)
            .filter { $0 != variant.loadText }))
    }
    guard !match.pairs.isEmpty else { throw nothingFits(match) }
    let network = Network(uninitialized: match.blueprint)
    try fill(network.parameters, match, seed: seed)
    let digest = try digest?()
    if let digest, let expected = ReleaseName.digest(in: file.url), !digest.hasPrefix(expected) {
      throw WeightError.wrongDigest(file.url.path, expected: expected, found: digest)
    }
    return (network, LoadReport(match, digest: digest))
  }

  /// The variants of the table that have exactly the tensors of a file; where there is none, those
  /// that have them with the pooling that doubles the features.
  static func variants(fitting file: WeightFile, _ recognized: RecognizedScheme) -> [Variant] {
    func fits(_ variant: Variant) -> Bool {
      // A classifier that makes no sense for one variant makes none for any.
      guard let match = try? WeightMatch(variant, file, recognized, head: .keep) else {
        return false
      }
      return match.isExact && match.resize == nil
    }
    let plain = Variant.all.filter(fits)
    guard plain.isEmpty else { return plain }
    let doubled = Variant.all.compactMap { try? $0.pooled(by: .concatenated) }.filter(fits)
    guard doubled.isEmpty else { return doubled }
    return Variant.all.compactMap { variant in
      recognized.inputChannels(of: file, variant).flatMap { try? variant.taking(channels: $0) }
    }.filter(fits)
  }

  private static func nothingFits(_ match: WeightMatch) -> WeightError {
    .nothingFits(
      match.file.url.path, variant: match.blueprint.variant.name,
      examples: Array(match.file.tensors.map(\.name).prefix(3)))
  }

  private static func fill(_ store: ParameterStore, _ match: WeightMatch, seed: UInt64) throws {
    let given = Set(match.pairs.map(\.info.path))
    for info in store.table.entries where !given.contains(info.path) {
      store.initialize(info, seed: seed)
    }
    var scratch: [Float] = []
    for pair in match.pairs {
      let info = pair.info
      switch info.storage {
      case .counters: store.counters[info.offset] = try match.file.integer(pair.tensors[0])
      case .weights:
        try match.read(pair, to: store.weights + info.offset, scratch: &scratch)
      case .buffers:
        try match.read(pair, to: store.buffers + info.offset, scratch: &scratch)
      }
    }
  }
}

/// The names of the files that timm and torchvision release: the last part of
/// `efficientnet_v2_s-dd5fe13b.pth` is the beginning of the file's SHA-256.
public enum ReleaseName {
  /// The digits of the SHA-256 in a file's name, eight or more after the last dash; nil without
  /// any.
  public static func digest(in file: URL) -> String? {
    let stem = file.deletingPathExtension().lastPathComponent
    guard let dash = stem.lastIndex(of: "-"), ["pth", "pt", "bin"].contains(file.pathExtension)
    else { return nil }
    let digits = stem[stem.index(after: dash)...]
    let isDigest =
      (8...64).contains(digits.count)
      && digits.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    // A date is no digest.
    return isDigest && digits.contains(where: \.isLetter) ? String(digits) : nil
  }
}
