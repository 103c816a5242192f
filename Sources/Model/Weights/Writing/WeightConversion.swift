public import Foundation

/// Rewrites weight files in another format, tensor by tensor.
public enum WeightConversion {
  /// What a conversion did.
  public struct Report: Sendable {
    /// The kind of the file that was read.
    public let container: WeightContainer
    /// Whose names it used; nil for names that are nobody's, which were kept.
    public let scheme: String?
    /// The variants whose tensors they are, exactly.
    public let variants: [String]
    /// How many tensors were written.
    public let tensorCount: Int
    /// The tensors that were left out because their elements are of no type that is written.
    public let leftOut: [String]
    /// What was chosen where the file left a choice.
    public let notes: [String]
  }

  /// Writes the tensors of any file that can be read to a file of another format, under timm's names
  /// when they are those of a known network, else under their own. One tensor is in memory at a
  /// time.
  ///
  /// - Throws: `WeightError`, `AtomicFile.Failure`.
  public static func convert(_ input: URL, to output: URL) throws -> Report {
    let format = try WeightFormat(of: output)
    let file = try WeightFile.open(input)
    let contents = WeightContents(file)
    let tensors: [SafeTensors.Source]
    if let recognized = contents.recognized, let variant = contents.fits.first {
      let match = try WeightMatch(variant, file, recognized, head: .keep)
      tensors = sources(match)
    } else {
      tensors = file.tensors.compactMap { source($0, in: file) }
    }
    guard !tensors.isEmpty else {
      throw WeightError.damagedContainer(
        input.path, file.container, .noTensors("none of a type that is written"))
    }
    try WeightWriter.write(tensors, to: output, as: format)
    return Report(
      container: file.container, scheme: contents.variants.isEmpty ? nil : contents.scheme,
      variants: contents.variants, tensorCount: tensors.count,
      leftOut: file.tensors.filter { !isWritten($0) }.map(\.name), notes: file.notes)
  }

  /// Every tensor of a network, under timm's name, from a file that has all of them.
  private static func sources(_ match: WeightMatch) -> [SafeTensors.Source] {
    let pairs = Dictionary(uniqueKeysWithValues: match.pairs.map { ($0.info.path, $0) })
    return WeightWriter.inFileOrder(match.blueprint.parameters.entries).map { info in
      let values: SafeTensors.Source.Values
      switch (info.storage, pairs[info.path]) {
      case (.counters, let pair?):
        values = .integers { [try match.file.integer(pair.tensors[0])] }
      case (.counters, nil): values = .integer(0)
      case (_, let pair?):
        values = .floats { target in
          var scratch: [Float] = []
          try withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, info.count)) {
            buffer in
            // SAFETY: the buffer has room for the tensor, which is never empty.
            let base = buffer.baseAddress.unsafelyUnwrapped
            try match.read(pair, to: base, scratch: &scratch)
            info.layout.toTimm(base, to: target, shape: info.shape)
          }
        }
      case (_, nil): preconditionFailure("a file that fits has every tensor")
      }
      return SafeTensors.Source(name: info.path, shape: info.timmShape, values: values)
    }
  }

  private static func isWritten(_ tensor: WeightTensor) -> Bool {
    tensor.type.isReadableAsFloat || tensor.type.isReadableAsInteger
  }

  /// A tensor under its own name; nil when it is of no type that is written.
  private static func source(_ tensor: WeightTensor, in file: WeightFile) -> SafeTensors.Source? {
    guard isWritten(tensor) else { return nil }
    let values: SafeTensors.Source.Values =
      tensor.type.isReadableAsInteger
      ? .integers { try file.integers(tensor) }
      : .floats { target in
        var scratch: [Float] = []
        try file.withFloats(tensor, scratch: &scratch) { source in
          target.update(from: source, count: tensor.count)
        }
      }
    return SafeTensors.Source(name: tensor.name, shape: tensor.shape, values: values)
  }
}
