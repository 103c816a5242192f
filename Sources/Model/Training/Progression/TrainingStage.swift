/// What holds for a part of training: the size of the images and what grows with it.
public struct TrainingStage: Sendable, Equatable {
  /// The stage, counted from 1.
  public let number: Int
  /// How many stages there are.
  public let count: Int
  /// The epochs, counted from 0, in which it holds; under `spread` all of them.
  public let epochs: Range<Int>
  /// The side of the training images in pixels.
  public let inputSize: Int
  /// Images per step.
  public let batchSize: Int
  /// What the network sees in a batch: its images in all versions (`aug-splits`), or half of them,
  /// each mixed with one of the other half (`mixup-mode=half`).
  public let rows: Int
  /// What the loader prepares for a batch: its images in all versions.
  let loadedRows: Int
  /// The share of features that dropout sets to 0.
  public let dropout: Double
  /// RandAugment's magnitude; nil for that of `aa`.
  public let magnitude: Double?
  /// The strength of mixup.
  public let mixup: Double
  /// The strength of CutMix.
  public let cutmix: Double
}

/// The rules that the key `progressive` can name.
public enum ProgressionRule: String, Sendable, CaseIterable {
  case none, paper, google, spread

  /// Whether stages follow each other and change more than the size.
  var ramps: Bool { self == .paper || self == .google }
}
