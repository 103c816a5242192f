public import Foundation

extension SafeTensors {
  /// A file opened for reading: the header is checked, the numbers are mapped into memory and read
  /// when they are asked for.
  ///
  /// SAFETY: nothing in it changes after `init`.
  public final class File: @unchecked Sendable {
    /// Where the file is.
    public let url: URL
    /// The tensors by their place in the file.
    public let tensors: [Tensor]
    /// Free text by name; PyTorch's tools write `format`: `pt`.
    public let metadata: [String: String]

    let mapping: MappedFile
    private let dataStart: Int
    private let indices: [String: Int]

    /// Opens a file and checks its header: that it is well formed, and that the tensors fill the
    /// rest of the file without holes and overlaps.
    ///
    /// - Throws: `WeightError`.
    public init(contentsOf url: URL) throws {
      self.url = url
      let path = url.path
      do throws(MappedFile.Failure) {
        mapping = try MappedFile(url)
      } catch .isDirectory {
        throw WeightError.directory(path, contents: ForeignFormat.contents(of: url))
      } catch {
        throw WeightError.unreadable(path, reason: error.reason)
      }
      guard !mapping.bytes.isEmpty else { throw WeightError.empty(path) }
      do throws(Problem) {
        let header = try Header(mapping.bytes)
        try header.check(size: mapping.bytes.count)
        tensors = header.tensors
        metadata = header.metadata
        dataStart = header.dataStart
      } catch {
        if let format = ForeignFormat(mapping.bytes, name: url.lastPathComponent) {
          throw WeightError.foreignFormat(path, format)
        }
        throw WeightError.damaged(path, error)
      }
      indices = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
    }

    /// The tensor of a name.
    public subscript(name: String) -> Tensor? { indices[name].map { tensors[$0] } }

    /// The elements of a floating-point tensor, in the file's order; narrower and wider types are
    /// converted, wider ones by rounding to the nearest.
    public func floats(_ tensor: Tensor) -> [Float] {
      var scratch: [Float] = []
      var values: [Float] = []
      withFloats(tensor, scratch: &scratch) {
        values = Array(UnsafeBufferPointer(start: $0, count: tensor.count))
      }
      return values
    }

    /// Gives the elements of a floating-point tensor: where they lie in the mapped file if they are
    /// floats there, otherwise converted in the scratch, which grows as needed.
    func withFloats(
      _ tensor: Tensor, scratch: inout [Float], _ body: (UnsafePointer<Float>) -> Void
    ) {
      precondition(tensor.type.isReadableAsFloat, "the tensor holds no floating-point numbers")
      let source = bytes(tensor)
      let isAligned =
        Int(bitPattern: source.baseAddress) % MemoryLayout<Float>.alignment == 0
      if tensor.type == .float32, isAligned, !source.isEmpty {
        source.withMemoryRebound(to: Float.self) { values in
          if let base = values.baseAddress { body(base) }
        }
      } else {
        if scratch.count < max(1, tensor.count) {
          scratch = [Float](repeating: 0, count: max(1, tensor.count))
        }
        scratch.withUnsafeMutableBufferPointer { target in
          guard let base = target.baseAddress else { return }
          tensor.type.convert(source, to: base, count: tensor.count)
          body(UnsafePointer(base))
        }
      }
    }

    /// The single number of a counter. What is no integer is rounded, what is none at all is zero.
    func integer(_ tensor: Tensor) -> Int64 {
      precondition(tensor.count == 1)
      let source = bytes(tensor)
      switch tensor.type {
      case .int64: return source.loadUnaligned(as: Int64.self)
      case .int32: return Int64(source.loadUnaligned(as: Int32.self))
      default:
        guard let value = floats(tensor).first else { return 0 }
        return Int64(exactly: value.rounded()) ?? 0
      }
    }

    /// A tensor's bytes in the mapped file.
    private func bytes(_ tensor: Tensor) -> UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(rebasing: mapping.bytes[place(tensor)])
    }

    /// Where a tensor's bytes lie in the whole file.
    func place(_ tensor: Tensor) -> Range<Int> {
      (dataStart + tensor.range.lowerBound)..<(dataStart + tensor.range.upperBound)
    }
  }
}
