/// What to do with the classifier of a file.
public enum HeadPolicy: Sendable, Equatable {
  /// Keeps it, with as many classes as it has.
  case keep
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
  public let fileType: SafeTensors.ElementType
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
}
