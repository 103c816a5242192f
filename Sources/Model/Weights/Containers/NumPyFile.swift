/// Opens `.npy` and `.npz` files.
enum NumPyFile {
  /// An array's description at the start of its file
  /// (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).
  struct Header {
    let type: Kind
    let isFortranOrder: Bool
    let shape: [Int]
    /// Where the elements begin.
    let dataStart: Int

    enum Kind {
      case numbers(NumPyType)
      /// Python objects, pickled.
      case objects
    }
  }

  /// The longest header that is read, in bytes: NumPy's own limit is 10 000 characters.
  static let headerLimit = 1 << 16

  /// An array of numbers, whose name is the empty text, or a pickled dictionary of arrays.
  static func array(_ file: MappedFile) throws(ContainerProblem) -> [WeightTensor] {
    let header = try Header(Array(file.bytes.prefix(headerLimit)))
    switch header.type {
    case .numbers(let type):
      let data = TensorBytes.mapped(file, header.dataStart..<file.bytes.count)
      return [try tensor("", type, header, data)]
    case .objects:
      return try pickled(file, at: header.dataStart)
    }
  }

  /// A zip archive of arrays, each with its name.
  static func archive(_ archive: ZipArchive) throws(ContainerProblem) -> [WeightTensor] {
    var tensors: [WeightTensor] = []
    for entry in archive.entries where entry.name.hasSuffix(".npy") {
      let header = try Header(try archive.prefix(headerLimit, of: entry))
      guard case .numbers(let type) = header.type else { continue }
      guard header.dataStart <= entry.size else {
        throw .truncated(needed: header.dataStart, present: entry.size)
      }
      let data = TensorBytes.zipped(archive, entry, header.dataStart..<entry.size)
      tensors.append(try tensor(String(entry.name.dropLast(4)), type, header, data))
    }
    guard !tensors.isEmpty else { throw .noTensors("no .npy file of numbers") }
    return tensors
  }

  private static func tensor(
    _ name: String, _ type: NumPyType, _ header: Header, _ data: TensorBytes
  ) throws(ContainerProblem) -> WeightTensor {
    guard let count = elementCount(header.shape), count * type.size == data.count else {
      throw .impossibleTensor(
        name, reason: "has the dimensions \(header.shape) but \(data.count) bytes of numbers")
    }
    return try WeightTensor(
      name, type.elements, header.shape, data,
      strides: header.isFortranOrder ? columnMajorStrides(header.shape) : nil,
      isBigEndian: type.isBigEndian)
  }

  /// `numpy.save` of a dictionary: an array without dimensions whose one element is an object.
  private static func pickled(
    _ file: MappedFile, at start: Int
  ) throws(ContainerProblem) -> [WeightTensor] {
    var offset = start
    let document: PickleDocument
    do throws(PickleError) {
      document = try PickleReader.read(
        file.bytes, at: &offset,
        rules: PickleRules(allowed: PickleGlobal.numpy.union([orderedDictionary])),
        limit: 1_000_000)
    } catch {
      throw .pickle(error)
    }
    guard let node = document.node(dictionary(in: document)), !node.keys.isEmpty else {
      throw .noTensors("its pickle is no dictionary of arrays")
    }
    var tensors: [WeightTensor] = []
    for (key, value) in zip(node.keys, node.values) {
      guard let name = document.text(key), let array = NumPyArray(value, in: document) else {
        continue
      }
      tensors.append(
        try WeightTensor(
          name, array.type.elements, array.shape, .memory(array.bytes),
          strides: array.isFortranOrder ? columnMajorStrides(array.shape) : nil,
          isBigEndian: array.type.isBigEndian))
    }
    return tensors
  }

  private static let orderedDictionary = PickleGlobal("collections", "OrderedDict")

  /// The dictionary of a pickled array of one object, in which it is the state's one item.
  private static func dictionary(in document: PickleDocument) -> PickleValue {
    guard case .object(let id) = document.root,
      let state = document.sequence(document.nodes[id].state), let items = state.last,
      let item = document.sequence(items)?.first
    else { return document.root }
    return item
  }
}

/// The strides of a tensor whose first dimension is contiguous.
func columnMajorStrides(_ shape: [Int]) -> [Int] {
  var strides = [Int](repeating: 1, count: shape.count)
  for axis in shape.indices.dropFirst() { strides[axis] = strides[axis - 1] * shape[axis - 1] }
  return strides
}

extension NumPyFile.Header {
  /// Reads a header: the mark, a version, a length, and a Python dictionary in text.
  init(_ bytes: [UInt8]) throws(ContainerProblem) {
    guard bytes.count >= 12 else { throw .truncated(needed: 12, present: bytes.count) }
    guard bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw .malformed("no mark of NumPy's arrays", offset: 0)
    }
    // Version 1 has a length of two bytes, the later ones of four.
    let isShort = bytes[6] == 1
    let start = isShort ? 10 : 12
    let length =
      isShort
      ? Int(bytes[8]) | Int(bytes[9]) << 8
      : (0..<4).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
    guard (1...3).contains(bytes[6]), length <= NumPyFile.headerLimit else {
      throw .malformed("an unknown version or an absurd header", offset: 6)
    }
    dataStart = start + length
    guard dataStart <= bytes.count else {
      throw .truncated(needed: dataStart, present: bytes.count)
    }
    var parser = PythonLiteral(Array(bytes[start..<dataStart]), offset: start)
    let fields = try parser.fields()
    guard let code = fields.text["descr"], let order = fields.truth["fortran_order"],
      let shape = fields.numbers["shape"]
    else { throw .malformed("a header without 'descr', 'fortran_order' or 'shape'", offset: start) }
    if code == "|O" || code == "O" {
      type = .objects
    } else if let numbers = NumPyType(code: code) {
      type = .numbers(numbers)
    } else {
      throw .unsupported("its elements are of the type '\(code)', which is not known here")
    }
    self.shape = shape
    isFortranOrder = order
  }
}

/// Reads the one form of Python dictionary that NumPy writes: texts, truth values and tuples of
/// whole numbers by name.
private struct PythonLiteral {
  typealias Fields = (text: [String: String], truth: [String: Bool], numbers: [String: [Int]])

  private let bytes: [UInt8]
  private let offset: Int
  private var cursor = 0

  init(_ bytes: [UInt8], offset: Int) {
    self.bytes = bytes
    self.offset = offset
  }

  mutating func fields() throws(ContainerProblem) -> Fields {
    var fields: Fields = ([:], [:], [:])
    try expect("{")
    while !accept("}") {
      let name = try text()
      try expect(":")
      skipSpace()
      switch current {
      case UInt8(ascii: "'"), UInt8(ascii: "\""): fields.text[name] = try text()
      case UInt8(ascii: "("): fields.numbers[name] = try numbers()
      default: fields.truth[name] = try truth()
      }
      if !accept(",") {
        try expect("}")
        break
      }
    }
    return fields
  }

  private mutating func text() throws(ContainerProblem) -> String {
    skipSpace()
    guard let quote = current, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw wanted("a text")
    }
    guard let end = bytes[(cursor + 1)...].firstIndex(of: quote) else { throw wanted("a text") }
    defer { cursor = end + 1 }
    return String(decoding: bytes[(cursor + 1)..<end], as: UTF8.self)
  }

  private mutating func truth() throws(ContainerProblem) -> Bool {
    for (word, value) in [("True", true), ("False", false)]
    where bytes[cursor...].starts(with: word.utf8) {
      cursor += word.utf8.count
      return value
    }
    throw wanted("True or False")
  }

  private mutating func numbers() throws(ContainerProblem) -> [Int] {
    try expect("(")
    var values: [Int] = []
    while !accept(")") {
      skipSpace()
      let digits = bytes[cursor...].prefix { (0x30...0x39).contains($0) }
      guard let value = Int(String(decoding: digits, as: UTF8.self)), values.count < 64 else {
        throw wanted("a whole number")
      }
      values.append(value)
      cursor += digits.count
      // Python 2 marks long numbers.
      _ = accept("L")
      if !accept(",") {
        try expect(")")
        break
      }
    }
    return values
  }

  private var current: UInt8? { cursor < bytes.count ? bytes[cursor] : nil }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A { cursor += 1 }
  }

  private mutating func accept(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard current == UInt8(ascii: character) else { return false }
    cursor += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(ContainerProblem) {
    guard accept(character) else { throw wanted("'\(character)'") }
  }

  private func wanted(_ what: String) -> ContainerProblem {
    .malformed("\(what) was expected in the header", offset: offset + cursor)
  }
}
