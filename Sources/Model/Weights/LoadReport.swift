/// What became of each tensor of a weight file.
public struct LoadReport: Sendable, Equatable {
  /// A tensor whose dimensions are not the network's.
  public struct Mismatch: Sendable, Equatable {
    /// timm's key.
    public let key: String
    /// The dimensions in the file.
    public let found: [Int]
    /// The dimensions of the network's tensor, in timm's layout.
    public let expected: [Int]
  }

  /// The file.
  public let path: String
  /// The file's SHA-256.
  public let sha256: String
  /// Whose names the keys are; `timm`.
  public let scheme: String
  /// The keys that were loaded.
  public let loaded: [String]
  /// The keys of the network that the file lacks; their tensors keep their initial values.
  public let missing: [String]
  /// The keys of the file that the network lacks.
  public let unexpected: [String]
  /// The tensors with other dimensions; they keep their initial values.
  public let mismatched: [Mismatch]
  /// The classes of the file's classifier; nil for a file without one.
  public let sourceClassCount: Int?
  /// Whether the network got a new classifier instead of the file's.
  public let headReplaced: Bool

  /// Whether every tensor of the network came from the file and none was left over, a replaced
  /// classifier aside.
  public var isComplete: Bool { missing.isEmpty && unexpected.isEmpty && mismatched.isEmpty }

  /// What did not fit, with a few examples of each sort.
  public var problems: String {
    var parts: [String] = []
    if !missing.isEmpty { parts.append("\(missing.count) missing (\(Self.examples(missing)))") }
    if !unexpected.isEmpty {
      parts.append("\(unexpected.count) unexpected (\(Self.examples(unexpected)))")
    }
    if let first = mismatched.first {
      parts.append(
        "\(mismatched.count) of another shape (\(first.key) is \(first.found), "
          + "expected \(first.expected))")
    }
    return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
  }

  private static func examples(_ keys: [String]) -> String {
    keys.prefix(2).joined(separator: ", ") + (keys.count > 2 ? ", …" : "")
  }
}
