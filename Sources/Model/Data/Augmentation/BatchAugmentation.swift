/// What happens to a batch after its pictures are augmented one by one.
public struct BatchAugmentation: Sendable, Equatable {
  /// How many versions of every picture a batch holds: the first with crop and flips alone, the others
  /// with all augmentation.
  var splits = 1
  /// Images mixed with each other, in bytes.
  var mixing = BatchMixing()
  /// Rectangles removed from the normalised images, after the mixing.
  var erasing = Erasing()

  /// Batches that stay as they are.
  public init() {}
}
