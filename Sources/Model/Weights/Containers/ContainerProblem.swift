/// What can be wrong with the contents of a weight file other than safetensors.
public enum ContainerProblem: Error, Sendable, Equatable {
  /// The file ends before its contents do.
  case truncated(needed: Int, present: Int)
  /// Something is not as the format wants it, at this byte of the file or of the entry.
  case malformed(String, offset: Int)
  /// A part of the file that another part refers to is not there.
  case absent(String)
  /// A checksum in the file disagrees with the bytes.
  case checksum(String)
  /// A sound file that uses what is not read here.
  case unsupported(String)
  /// A tensor whose dimensions, strides and place make no sense together.
  case impossibleTensor(String, reason: String)
  /// Two tensors or entries have the same name.
  case duplicateName(String)
  case pickle(PickleError)
  /// A sound file without a tensor.
  case noTensors(String)
}

extension ContainerProblem {
  /// What is wrong, as the end of a sentence.
  var phrase: String {
    switch self {
    case .truncated(let needed, let present): "it has \(present) of at least \(needed) bytes"
    case .malformed(let what, let offset): "\(what), at byte \(offset)"
    case .absent(let what): "\(what) is not there"
    case .checksum(let what): "the checksum of \(what) does not match its bytes"
    case .unsupported(let what): what
    case .impossibleTensor(let name, let reason): "'\(name)' \(reason)"
    case .duplicateName(let name): "it names '\(name)' twice"
    case .pickle(let error): error.message
    case .noTensors(let what): "it holds no tensors, \(what)"
    }
  }
}

extension MappedFile {
  /// The bytes of a part, if they are there.
  func part(_ start: Int, _ count: Int) throws(ContainerProblem) -> UnsafeRawBufferPointer {
    guard start >= 0, count >= 0, start <= bytes.count, count <= bytes.count - start else {
      let (needed, overflow) = start.addingReportingOverflow(count)
      throw .truncated(needed: overflow ? .max : needed, present: bytes.count)
    }
    return UnsafeRawBufferPointer(rebasing: bytes[start..<(start + count)])
  }

  /// A number that is stored lowest byte first.
  func number<Number: FixedWidthInteger>(
    _ offset: Int, _: Number.Type
  ) throws(ContainerProblem) -> Number {
    Number(
      littleEndian: try part(offset, MemoryLayout<Number>.size).loadUnaligned(as: Number.self))
  }
}
