public import Kernels

/// A numbered collection of labelled pictures that never changes.
///
/// Every member may be called from any thread.
public protocol Dataset: AnyObject, Sendable {
  /// What the data set is called in output, e.g. `cifar10 train`.
  var name: String { get }
  /// The name of each class; the index is the label. Empty when the pictures have no labels.
  var classNames: [String] { get }
  /// The number of pictures.
  var count: Int { get }
  /// The class of a picture, or -1 when it is not known.
  func label(_ index: Int) -> Int
  /// A picture as the data set has it, in its own size.
  ///
  /// - Throws: `DataError` when the picture lies in a file that cannot be read or decoded.
  func image(_ index: Int) throws -> ImageRGB
  /// Lends the pixels of a picture to `body`, without a copy where the data set is in memory.
  ///
  /// - Throws: what `image` throws.
  func withPixels(_ index: Int, _ body: (PixelView) -> Void) throws
  /// The picture's file within the data set; nil where it has none of its own.
  func file(_ index: Int) -> String?
  /// The SHA-256 of the picture's file; nil where it has none of its own.
  ///
  /// - Throws: `DataError` when the file cannot be read.
  func digest(_ index: Int) throws -> String?
}

extension Dataset {
  /// None.
  public func file(_ index: Int) -> String? { nil }
  /// None.
  public func digest(_ index: Int) throws -> String? { nil }
  /// Lends the pixels of `image(index)`.
  public func withPixels(_ index: Int, _ body: (PixelView) -> Void) throws {
    try image(index).withView(body)
  }
}

/// Pictures of one size held in memory.
public final class InMemoryDataset: Dataset {
  /// What the data set is called in output.
  public let name: String
  /// The name of each class.
  public let classNames: [String]
  /// The number of pictures.
  public let count: Int
  /// Columns of every picture.
  public let width: Int
  /// Rows of every picture.
  public let height: Int
  private let labels: [UInt8]
  private let pixels: [UInt8]

  /// Wraps the pixels (picture after picture, HWC) and the label of each picture.
  public init(
    name: String, classNames: [String], width: Int, height: Int, pixels: [UInt8], labels: [UInt8]
  ) {
    precondition(width > 0 && height > 0 && pixels.count == 3 * width * height * labels.count)
    precondition(labels.allSatisfy { Int($0) < classNames.count }, "a label has a class name")
    self.name = name
    self.classNames = classNames
    self.width = width
    self.height = height
    self.pixels = pixels
    self.labels = labels
    count = labels.count
  }

  /// The class of a picture.
  public func label(_ index: Int) -> Int { Int(labels[index]) }

  /// A copy of a picture.
  public func image(_ index: Int) -> ImageRGB {
    precondition(index >= 0 && index < count)
    let size = 3 * width * height
    return ImageRGB(
      width: width, height: height, pixels: Array(pixels[index * size..<(index + 1) * size]))
  }

  /// Lends the pixels of a picture, without a copy.
  public func withPixels(_ index: Int, _ body: (PixelView) -> Void) {
    precondition(index >= 0 && index < count)
    pixels.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { preconditionFailure("a picture has pixels") }
      body(PixelView(base: base + index * 3 * width * height, width: width, height: height))
    }
  }
}

/// A file that a data set was read from.
public struct DataFile: Sendable, Equatable {
  /// The file name, or a description when the data is part of the program.
  public let name: String
  /// The SHA-256 of the contents, 64 hexadecimal digits.
  public let sha256: String

  /// Pairs a name with a digest.
  public init(name: String, sha256: String) {
    self.name = name
    self.sha256 = sha256
  }
}

/// A training set with the sets that judge it.
public struct DataSource: Sendable {
  /// What it is called in output and in the names of runs, e.g. `cifar10`, `flowers`.
  public let name: String
  /// What the user asked for: `cifar10`, `folder`, `tar`, ...
  public let kind: String
  /// The pictures to learn from.
  public let train: any Dataset
  /// The pictures that judge every epoch: `test` where the data has no others.
  public let validation: any Dataset
  /// The pictures that judge in the end; `validation` where the data has no others.
  public let test: any Dataset
  /// The name of each class; the index is the label.
  public let classNames: [String]
  /// What was read, in reading order.
  public let files: [DataFile]
  /// What was left out while reading, one sentence each.
  public let remarks: [String]
  /// The bytes of picture files; nil for a set that lies in few files.
  public let bytes: Int?
  /// The SHA-256 over kind, counts, file digests and the recipe: equal when training sees the same
  /// data.
  public let fingerprint: String
  /// How the sets were made from the files, a line for each step.
  let recipe: String

  /// Joins the sets, which must have the same classes.
  ///
  /// - Parameters:
  ///   - kind: what the user asked for; the name if nil.
  ///   - validation: nil when the test set judges every epoch.
  public init(
    name: String, kind: String? = nil, train: any Dataset, validation: (any Dataset)? = nil,
    test: any Dataset, files: [DataFile], remarks: [String] = [], bytes: Int? = nil,
    recipe: String = ""
  ) {
    precondition(train.classNames == test.classNames)
    self.name = name
    self.kind = kind ?? name
    self.train = train
    self.validation = validation ?? test
    self.test = test
    self.files = files
    self.remarks = remarks
    self.bytes = bytes
    self.recipe = recipe
    classNames = train.classNames
    var text = "\(self.kind) \(train.count) \(test.count)\n"
    for file in files { text += "\(file.sha256)\n" }
    if self.validation !== test { text += "validation \(self.validation.count)\n" }
    fingerprint = Model.sha256(of: Array((text + recipe).utf8))
  }

  /// Whether pictures other than the test set's judge every epoch.
  public var hasSeparateValidation: Bool { validation !== test }

  /// The sets, each once.
  public var sets: [any Dataset] {
    hasSeparateValidation ? [train, validation, test] : [train, test]
  }
}

/// The data sets that the program knows by name.
public enum Datasets {
}
