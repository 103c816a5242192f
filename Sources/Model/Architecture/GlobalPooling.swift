/// What becomes of each channel of the last maps, by timm's words for `global_pool`.
public enum GlobalPooling: String, Sendable, Codable, CaseIterable {
  /// The mean over all pixels.
  case average = "avg"
  /// The largest value.
  case maximum = "max"
  /// Half the sum of both.
  case averageMaximum = "avgmax"
  /// Both, all means before all largest values.
  case concatenated = "catavgmax"

  /// The words that mean a pooling.
  public static let words = ["avg", "fast", "max", "avgmax", "catavgmax"]

  /// The pooling of a word; timm's `fast` is the mean too.
  public init?(word: String) {
    self.init(rawValue: word == "fast" ? "avg" : word)
  }

  /// Itself but for the mean, which goes without saying.
  public var ifNotMean: GlobalPooling? { self == .average ? nil : self }

  /// The features that come from maps of so many channels.
  func features(of channels: Int) -> Int { self == .concatenated ? 2 * channels : channels }
}

extension Variant {
  /// Whether a classifier of so many features sees each channel of this variant's maps once where
  /// the pooling gives two.
  func doubles(_ features: Int) -> Bool {
    features == headChannels && features != classifierFeatures
  }

  /// The same variant with another pooling of the last maps.
  ///
  /// - Throws: `ArchitectureError.nothingToPool` for a transformer.
  public func pooled(by pooling: GlobalPooling) throws -> Variant {
    guard shape != nil else { throw ArchitectureError.nothingToPool(name) }
    var variant = self
    variant.pooling = pooling
    return variant
  }
}
