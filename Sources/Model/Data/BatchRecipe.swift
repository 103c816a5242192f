/// How the images of a batch are made: each by itself, then all together.
public struct BatchRecipe: Sendable {
  /// What is done to each picture.
  public let transform: any ImageTransform
  /// What is done to the batch as a whole.
  public let augmentation: BatchAugmentation

  /// Pairs the two.
  public init(_ transform: any ImageTransform, _ augmentation: BatchAugmentation = .init()) {
    self.transform = transform
    self.augmentation = augmentation
  }
}

/// The recipes of an epoch and which batch follows which; they differ in size and strength.
public struct BatchRecipes: Sendable {
  /// The recipes; all make the same number of versions of a picture, with the same normalisation.
  let all: [BatchRecipe]
  private let choice: @Sendable (Int) -> Int

  /// One recipe for all batches.
  public init(_ recipe: BatchRecipe) { self.init([recipe]) { _ in 0 } }

  /// Several recipes; `choice` gives the place of a batch's recipe, as a pure function.
  public init(_ recipes: [BatchRecipe], choice: @escaping @Sendable (_ batch: Int) -> Int) {
    precondition(Set(recipes.map(\.augmentation.splits)).count == 1)
    all = recipes
    self.choice = choice
  }

  /// The recipe of a batch of the epoch.
  func recipe(ofBatch batch: Int) -> BatchRecipe { all[choice(batch)] }
}

extension ImageTransform {
  /// Bytes of an image that the transform makes.
  var imageBytes: Int { 3 * size * size }
}
