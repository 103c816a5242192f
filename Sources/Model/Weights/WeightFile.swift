public import Foundation

/// The kinds of files that weights are read from.
public enum WeightContainer: String, Sendable, CaseIterable {
  case safeTensors = "safetensors"
  case safeTensorsShards = "safetensors (sharded)"
  case torchZip = "PyTorch (zip)"
  case torchLegacy = "PyTorch (legacy pickle)"
  case numpyArchive = "NumPy archive (npz)"
  case numpyArray = "NumPy (npy)"
  case tensorFlow = "TensorFlow checkpoint"
  case hdf5 = "HDF5"
}

/// Named tensors in a file, or in several that belong together, opened for reading.
///
/// Opening reads and checks names, types and shapes only; the numbers are read when they are asked
/// for, straight from the mapped file where the format allows it. What the names mean is the matter
/// of a `NamingScheme`.
public final class WeightFile: Sendable {
  /// The file, or the one that leads to the others.
  public let url: URL
  /// The kind of file.
  public let container: WeightContainer
  /// The tensors, by place in the file.
  public let tensors: [WeightTensor]
  /// Free text by name, of formats that have it.
  public let metadata: [String: String]
  /// What was chosen where the file holds several things, such as `'state_dict_ema' was taken`.
  public let notes: [String]
  private let indices: [String: Int]

  init(
    _ url: URL, _ container: WeightContainer, _ tensors: [WeightTensor],
    metadata: [String: String] = [:], notes: [String] = []
  ) throws(ContainerProblem) {
    self.url = url
    self.container = container
    self.tensors = tensors
    self.metadata = metadata
    self.notes = notes
    var indices: [String: Int] = [:]
    for (index, tensor) in tensors.enumerated() {
      guard indices.updateValue(index, forKey: tensor.name) == nil else {
        throw .duplicateName(tensor.name)
      }
    }
    self.indices = indices
  }

  /// The tensor of a name.
  public subscript(name: String) -> WeightTensor? { indices[name].map { tensors[$0] } }

  /// The SHA-256 of the file that holds the numbers or, where there are several, leads to them.
  ///
  /// - Parameter store: digests that are known already.
  /// - Throws: `DataError.unreadable`.
  public func sha256(knownBy store: (any DigestStore)? = nil) throws -> String {
    guard let store else { return try Model.sha256(of: url) }
    return try Model.sha256(of: url, knownBy: store)
  }

  /// How the network of these weights pools, where the checkpoint or the `config.json` beside it says
  /// so.
  public var pooling: GlobalPooling? {
    guard Checkpoint.isCheckpoint(metadata) else { return HubConfiguration(beside: url)?.pooling }
    return (try? Checkpoint.state(of: url))?.pooling
  }

  /// The channels of the images that a variant with these weights takes; nil where the file does not
  /// have its first filters.
  public func inputChannels(of variant: Variant) -> Int? {
    (RecognizedScheme(self) ?? RecognizedScheme(assuming: .timm)).inputChannels(of: self, variant)
  }

  /// The elements of a floating-point tensor in row-major order of the file's dimensions.
  ///
  /// - Throws: `WeightError.damagedContainer` when the numbers turn out to be damaged.
  public func floats(_ tensor: WeightTensor) throws -> [Float] {
    var scratch: [Float] = []
    return try withFloats(tensor, scratch: &scratch) {
      Array(UnsafeBufferPointer(start: $0, count: tensor.count))
    }
  }

  /// Gives the elements of a floating-point tensor: where they lie in the mapped file if they are
  /// floats there, otherwise converted in the scratch, which grows as needed.
  ///
  /// - Throws: `WeightError.damagedContainer` when the numbers turn out to be damaged.
  func withFloats<Result>(
    _ tensor: WeightTensor, scratch: inout [Float], _ body: (UnsafePointer<Float>) -> Result
  ) throws -> Result {
    precondition(tensor.type.isReadableAsFloat, "the tensor holds no floating-point numbers")
    return try reading { () throws(ContainerProblem) in
      try tensor.withContiguousBytes { source throws(ContainerProblem) in
        let isAligned = Int(bitPattern: source.baseAddress) % MemoryLayout<Float>.alignment == 0
        if tensor.type == .float32, !tensor.isBigEndian, isAligned, !source.isEmpty {
          return source.withMemoryRebound(to: Float.self) { values in
            // SAFETY: the buffer is not empty, so it has a base.
            body(values.baseAddress.unsafelyUnwrapped)
          }
        }
        if scratch.count < max(1, tensor.count) {
          scratch = [Float](repeating: 0, count: max(1, tensor.count))
        }
        return scratch.withUnsafeMutableBufferPointer { target in
          // SAFETY: the scratch is never empty.
          let base = target.baseAddress.unsafelyUnwrapped
          tensor.type.convert(
            source, to: base, count: tensor.count, isBigEndian: tensor.isBigEndian)
          return body(UnsafePointer(base))
        }
      }
    }
  }

  /// The elements of a tensor of whole numbers, in row-major order.
  ///
  /// - Throws: `WeightError.damagedContainer` when the numbers turn out to be damaged.
  func integers(_ tensor: WeightTensor) throws -> [Int64] {
    try reading { () throws(ContainerProblem) in
      try tensor.withContiguousBytes { source throws(ContainerProblem) in
        [Int64](unsafeUninitializedCapacity: tensor.count) { target, count in
          if let base = target.baseAddress {
            tensor.type.convert(
              source, to: base, count: tensor.count, isBigEndian: tensor.isBigEndian)
          }
          count = tensor.count
        }
      }
    }
  }

  /// The single number of a counter. What is no integer is rounded, what is none at all is zero.
  ///
  /// - Throws: `WeightError.damagedContainer` when the number turns out to be damaged.
  func integer(_ tensor: WeightTensor) throws -> Int64 {
    precondition(tensor.count == 1)
    if tensor.type.isReadableAsInteger { return try integers(tensor)[0] }
    return Int64(exactly: try floats(tensor)[0].rounded()) ?? 0
  }

  private func reading<Result>(
    _ body: () throws(ContainerProblem) -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch {
      throw WeightError.damagedContainer(url.path, container, error)
    }
  }
}
