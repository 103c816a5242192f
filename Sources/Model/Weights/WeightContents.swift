/// What a weight file holds, without its numbers.
public struct WeightContents: Sendable {
  /// The file.
  public let file: WeightFile
  /// Whose names it uses; nil when they are nobody's.
  public var scheme: String? { recognized?.scheme.name }
  /// What stands before every name.
  public var prefix: String { recognized?.prefix ?? "" }
  /// The variants of the table that have exactly these tensors, as `load` takes them.
  public var variants: [String] { fits.map(\.loadText) }
  let fits: [Variant]
  let recognized: RecognizedScheme?

  /// Looks at the names and shapes of a file.
  public init(_ file: WeightFile) {
    self.file = file
    recognized = RecognizedScheme(file)
    fits = recognized.map { WeightLoader.variants(fitting: file, $0) } ?? []
  }

  /// The numbers of all floating-point tensors together.
  public var elementCount: Int {
    file.tensors.filter(\.type.isReadableAsFloat).reduce(0) { $0 + $1.count }
  }
}
