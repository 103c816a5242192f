/// What to do with the classifier of a file.
public enum HeadPolicy: Sendable, Equatable {
  /// Keeps it, with as many classes as it has.
  case keep
  /// Keeps it, unless the network's pooling doubles the features: then a new one of as many classes.
  case follow
  /// Wants one of this many classes: the file's if it has as many, otherwise a new one with random
  /// weights.
  case resize(classCount: Int)
}

/// A tensor that a file and a network both have, in different forms.
public struct TensorMismatch: Sendable, Equatable, CustomStringConvertible {
  /// The name, in timm's scheme.
  public let name: String
  /// The dimensions in the file.
  public let fileShape: [Int]
  /// The element type in the file.
  public let fileType: ElementType
  /// The dimensions that the network wants, in timm's layout.
  public let networkShape: [Int]

  /// The name and the two forms, in one line.
  public var description: String {
    fileShape == networkShape
      ? "\(name): \(fileType.rawValue) numbers in the file, floating point in the network"
      : "\(name): \(fileShape) in the file, \(networkShape) in the network"
  }
}

/// What was taken from a file of weights and what was not.
public struct LoadReport: Sendable {
  /// Whose names the file uses.
  public let scheme: String
  /// What kind of file it is.
  public let container: WeightContainer
  /// The classes of the file's classifier; nil if it has none.
  public let fileClassCount: Int?
  /// The network's tensors that have the file's values, in the network's order.
  public let loaded: [String]
  /// The network's tensors that the file lacks; they have new values. How many batches a norm has
  /// seen may be absent, as in PyTorch: it counts as none, and is not listed.
  public let missing: [String]
  /// The file's tensors that the network lacks, by place in the file.
  public let unexpected: [String]
  /// The tensors of another form than the network's, which have new values.
  public let mismatched: [TensorMismatch]
  /// The loaded tensors whose numbers were of another floating-point type.
  public let converted: [String]
  /// The numbers of classes, if the file's classifier was left out for a new one.
  public let headReplaced: (from: Int, to: Int)?
  /// What was chosen where the file left a choice, such as `'state_dict_ema' was taken`.
  public internal(set) var notes: [String]
  /// What makes the network compute something else than the library whose file it is.
  public let warnings: [String]
  /// Whether the file's name has the beginning of its SHA-256, which was compared.
  public let isDigestVerified: Bool
}

extension LoadReport {
  init(_ match: WeightMatch, digest: String?) {
    let (file, variant) = (match.file, match.blueprint.variant)
    var headReplaced: (from: Int, to: Int)?
    if match.isHeadNew, let count = match.fileClassCount {
      headReplaced = (from: count, to: match.blueprint.classCount)
    }
    var notes = file.notes
    if !match.recognized.prefix.isEmpty {
      notes.append("the names begin with '\(match.recognized.prefix)'")
    }
    if let resize = match.resize {
      notes.append(
        "the positions of \(resize.from)×\(resize.from) patches were resized to "
          + "\(resize.to)×\(resize.to)")
    }
    self.init(
      scheme: match.recognized.scheme.name, container: file.container,
      fileClassCount: match.fileClassCount, loaded: match.pairs.map(\.info.path),
      missing: match.missing.map(\.path), unexpected: match.unexpected,
      mismatched: match.mismatched.map(\.mismatch),
      converted: match.pairs.filter { pair in
        pair.info.storage != .counters && pair.tensors.contains { $0.type != .float32 }
      }.map(\.info.path),
      headReplaced: headReplaced, notes: notes,
      warnings: match.recognized.scheme.conventions(variant)?.differences(from: variant) ?? [],
      isDigestVerified: digest != nil && ReleaseName.digest(in: file.url) != nil)
  }
}

extension NamingScheme.Conventions {
  /// How a variant computes otherwise, in words.
  func differences(from variant: Variant) -> [String] {
    var warnings: [String] = []
    if padding != variant.padding {
      let words = { (padding: Padding) in
        padding == .same ? "as TensorFlow does (SAME)" : "symmetrically"
      }
      warnings.append(
        "these weights belong to a network that pads \(words(padding)), but '\(variant.name)' "
          + "pads \(words(variant.padding))")
    }
    if normEpsilon != variant.normEpsilon {
      warnings.append(
        "these weights belong to a network that adds \(normEpsilon) to the variances, but "
          + "'\(variant.name)' adds \(variant.normEpsilon)")
    }
    return warnings
  }
}
