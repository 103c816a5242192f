/// The checked header of a safetensors file.
struct SafeTensorsHeader {
  let tensors: [SafeTensors.Tensor]
  let metadata: [String: String]
  /// The offset of the first tensor's bytes in the file.
  let dataStart: Int

  init(_ file: UnsafeRawBufferPointer) throws(SafeTensorsProblem) {
    guard file.count >= 8 else { throw .tooShort(bytes: file.count) }
    let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
    guard length <= SafeTensors.headerLimit else { throw .headerTooLarge(bytes: length) }
    guard length <= UInt64(file.count - 8) else {
      throw .headerBeyondEnd(bytes: length, file: file.count)
    }
    dataStart = 8 + Int(length)
    let root = try HeaderJSON.parse(UnsafeRawBufferPointer(rebasing: file[8..<dataStart]))
    guard case .object(let entries) = root else {
      throw .invalidJSON(offset: 0, expected: "'{'")
    }
    var tensors: [SafeTensors.Tensor] = []
    var metadata: [String: String] = [:]
    for (name, value) in entries {
      if name == "__metadata__" {
        metadata = try Self.metadata(value)
      } else {
        tensors.append(try Self.tensor(name, value))
      }
    }
    tensors.sort { first, second in
      (first.range.lowerBound, first.range.upperBound, first.name)
        < (second.range.lowerBound, second.range.upperBound, second.name)
    }
    try Self.checkExtent(tensors, bytes: file.count - dataStart)
    self.tensors = tensors
    self.metadata = metadata
  }

  /// The tensors must fill the data from its first byte to its last.
  private static func checkExtent(
    _ tensors: [SafeTensors.Tensor], bytes: Int
  ) throws(SafeTensorsProblem) {
    var end = 0
    var previous = ""
    for tensor in tensors {
      if tensor.range.lowerBound < end { throw .overlap(previous, tensor.name) }
      if tensor.range.lowerBound > end { throw .gap(before: tensor.name) }
      end = tensor.range.upperBound
      previous = tensor.name
    }
    if end > bytes { throw .truncated(expected: end, bytes: bytes) }
    if end < bytes { throw .trailingBytes(bytes - end) }
  }

  private static func metadata(
    _ node: HeaderJSON.Node
  ) throws(SafeTensorsProblem) -> [String: String] {
    guard case .object(let members) = node else { throw .notATensor("__metadata__") }
    var result: [String: String] = [:]
    for (name, value) in members {
      guard case .string(let text) = value else { throw .notATensor("__metadata__") }
      result[name] = text
    }
    return result
  }

  private static func tensor(
    _ name: String, _ node: HeaderJSON.Node
  ) throws(SafeTensorsProblem) -> SafeTensors.Tensor {
    guard case .object(let members) = node else { throw .notATensor(name) }
    var fields: [String: HeaderJSON.Node] = [:]
    for member in members { fields[member.name] = member.value }
    guard case .string(let typeName)? = fields["dtype"],
      case .array(let dimensions)? = fields["shape"],
      case .array(let offsets)? = fields["data_offsets"], offsets.count == 2
    else { throw .notATensor(name) }
    guard let type = SafeTensors.ElementType(rawValue: typeName) else {
      throw .unknownType(tensor: name, type: typeName)
    }
    guard dimensions.count <= 16 else { throw .badShape(tensor: name) }
    var shape: [Int] = []
    var bytes = type.size
    for node in dimensions {
      guard let dimension = natural(node) else { throw .badShape(tensor: name) }
      let (product, overflow) = bytes.multipliedReportingOverflow(by: dimension)
      guard !overflow else { throw .badShape(tensor: name) }
      shape.append(dimension)
      bytes = product
    }
    guard let start = natural(offsets[0]), let end = natural(offsets[1]), start <= end else {
      throw .badOffsets(tensor: name)
    }
    guard end - start == bytes else {
      throw .wrongSize(tensor: name, bytes: end - start, expected: bytes)
    }
    return SafeTensors.Tensor(name: name, type: type, shape: shape, range: start..<end)
  }

  /// A non-negative integer below 2^62, so that sums of two cannot overflow.
  private static func natural(_ node: HeaderJSON.Node) -> Int? {
    guard case .number(let text) = node, let value = Int(text), value >= 0, value < 1 << 62
    else { return nil }
    return value
  }
}
