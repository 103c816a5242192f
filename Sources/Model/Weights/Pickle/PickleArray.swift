extension PickleGlobal {
  /// What arrays, scalars and byte strings need, under the names of NumPy 1 and 2 and of Python 2
  /// and 3.
  public static let numpy: Set<PickleGlobal> = [
    PickleGlobal("numpy", "ndarray"), PickleGlobal("numpy", "dtype"),
    PickleGlobal("numpy.core.multiarray", "_reconstruct"),
    PickleGlobal("numpy._core.multiarray", "_reconstruct"),
    PickleGlobal("numpy.core.multiarray", "scalar"),
    PickleGlobal("numpy._core.multiarray", "scalar"),
    PickleGlobal("numpy.core.numeric", "_frombuffer"),
    PickleGlobal("numpy._core.numeric", "_frombuffer"),
    PickleGlobal("_codecs", "encode"),
    PickleGlobal("__builtin__", "bytes"), PickleGlobal("builtins", "bytes"),
    PickleGlobal("__builtin__", "bytearray"), PickleGlobal("builtins", "bytearray"),
  ]
}

/// The element type of a NumPy array: numbers and truth values.
struct NumPyType: Equatable {
  /// What an element is.
  let elements: ElementType
  let isBigEndian: Bool

  /// Bytes of an element: 1, 2, 4 or 8.
  var size: Int { elements.byteCount }
  private var isSigned: Bool { [.int8, .int16, .int32, .int64].contains(elements) }

  /// Reads a type in NumPy's spelling, such as `<f4`; nil for other types.
  init?(code: String, order stated: Character? = nil) {
    var code = code
    var order: Character = "="
    if let first = code.first, "<>=|".contains(first) { order = code.removeFirst() }
    if let stated { order = stated }
    guard let elements = Self.types[code] else { return nil }
    self.elements = elements
    isBigEndian = order == ">"
  }

  private static let types: [String: ElementType] = [
    "b1": .bool, "u1": .uint8, "i1": .int8, "u2": .uint16, "i2": .int16, "u4": .uint32,
    "i4": .int32, "u8": .uint64, "i8": .int64, "f2": .float16, "f4": .float32, "f8": .float64,
    // JAX writes bfloat16 as anonymous bytes.
    "V2": .bfloat16,
  ]

  /// Reads `numpy.dtype('u1', ...)` with its state; nil for other types.
  init?(_ value: PickleValue?, in document: PickleDocument) {
    guard case .object(let id) = value else { return nil }
    let node = document.nodes[id]
    guard node.constructor == PickleGlobal("numpy", "dtype"),
      let code = document.text(node.arguments.first)
    else { return nil }
    var order: Character?
    if let state = document.sequence(node.state), state.count > 1 {
      order = document.text(state[1])?.first
    }
    self.init(code: code, order: order)
  }

  /// The whole number in `size` bytes; nil when it does not fit, or is no whole number.
  func integer(_ bytes: ArraySlice<UInt8>) -> Int? {
    if elements == .bfloat16 || elements.isReadableAsFloat { return nil }
    var bits: UInt64 = 0
    for byte in isBigEndian ? bytes : ArraySlice(bytes.reversed()) {
      bits = bits << 8 | UInt64(byte)
    }
    if isSigned {
      let shift = UInt64(64 - 8 * size)
      return Int(truncatingIfNeeded: Int64(bitPattern: bits << shift) >> Int64(shift))
    }
    return Int(exactly: bits)
  }
}

/// A NumPy array of numbers in a pickle.
struct NumPyArray {
  let shape: [Int]
  let type: NumPyType
  /// The elements in memory order.
  let bytes: ArraySlice<UInt8>
  /// Whether the first index runs fastest.
  let isFortranOrder: Bool

  var count: Int { bytes.count / type.size }

  /// Reads an array as `_reconstruct` and a state (protocols 0 to 4) or as `_frombuffer` (5).
  ///
  /// - Returns: nil when the value is no array of numbers, or one whose bytes do not fill its
  ///   shape.
  init?(_ value: PickleValue?, in document: PickleDocument) {
    guard case .object(let id) = value else { return nil }
    let node = document.nodes[id]
    let parts: (shape: PickleValue, type: PickleValue, fortran: Bool, bytes: PickleValue)
    switch node.constructor?.name {
    case "_reconstruct":
      guard var state = document.sequence(node.state) else { return nil }
      if state.count == 5 { state.removeFirst() }  // the version
      guard state.count == 4, let fortran = document.integer(state[2]) else { return nil }
      parts = (state[0], state[1], fortran != 0, state[3])
    case "_frombuffer":
      guard node.arguments.count == 4, let order = document.text(node.arguments[3]) else {
        return nil
      }
      parts = (node.arguments[2], node.arguments[1], order == "F", node.arguments[0])
    default:
      return nil
    }
    guard let type = NumPyType(parts.type, in: document),
      let bytes = document.bytes(parts.bytes), let extents = document.sequence(parts.shape)
    else { return nil }
    var shape: [Int] = []
    var size = type.size
    for extent in extents {
      guard let extent = document.integer(extent), extent >= 0 else { return nil }
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      if overflow { return nil }
      size = product
      shape.append(extent)
    }
    guard size == bytes.count else { return nil }
    self.shape = shape
    self.type = type
    self.bytes = bytes
    isFortranOrder = parts.fortran
  }

  /// The elements of a one-dimensional array; nil when one does not fit.
  var integers: [Int]? {
    guard shape.count == 1 else { return nil }
    var result: [Int] = []
    result.reserveCapacity(count)
    for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: type.size) {
      guard let number = type.integer(bytes[start..<(start + type.size)]) else { return nil }
      result.append(number)
    }
    return result
  }

  /// The rows of a two-dimensional array of bytes one after the other; nil for other arrays.
  var rows: ArraySlice<UInt8>? {
    guard shape.count == 2, type.elements == .uint8 || type.elements == .bool else { return nil }
    if !isFortranOrder { return bytes }
    let source = Array(bytes)
    var result = [UInt8](repeating: 0, count: source.count)
    for row in 0..<shape[0] {
      for column in 0..<shape[1] {
        result[row * shape[1] + column] = source[column * shape[0] + row]
      }
    }
    return result[...]
  }
}
