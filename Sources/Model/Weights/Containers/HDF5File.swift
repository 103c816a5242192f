/// Finds the data sets of numbers in an HDF5 file, as h5py and Keras write them: the first version of
/// the format (superblock 0 or 1, symbol tables), data sets in one piece
/// (<https://docs.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html>).
///
/// The HDF Group's own library is not used: on damaged files it can loop for ever, and it copies what
/// this reads where it lies.
struct HDF5File {
  private let file: MappedFile
  private var tensors: [WeightTensor] = []
  /// The groups whose tables have been read: a damaged file could lead round in circles.
  private var visited: Set<Int> = []
  /// How many nodes and messages may still be looked at.
  private var patience = 1 << 20

  private static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
  private static let undefined = UInt64.max

  private init(_ file: MappedFile) { self.file = file }

  /// Every data set of numbers by its path, without a `:0` at its end. Keras repeats the name of a
  /// layer's group in the names of the layer's variables; it is left out once.
  static func tensors(_ file: MappedFile) throws(ContainerProblem) -> [WeightTensor] {
    var reader = HDF5File(file)
    let root = try reader.rootHeader()
    try reader.read(root, path: [])
    guard !reader.tensors.isEmpty else { throw .noTensors("only groups") }
    return reader.tensors
  }

  private func rootHeader() throws(ContainerProblem) -> Int {
    guard file.bytes.starts(with: Self.signature) else {
      throw .malformed("no mark of HDF5", offset: 0)
    }
    let version = try file.number(8, UInt8.self)
    guard version < 2 else {
      throw .unsupported(
        "it uses version \(version) of the format; only the first one is read, which h5py writes "
          + "unless it is told libver='latest'")
    }
    guard try file.number(13, UInt16.self) == 0x0808 else {
      throw .unsupported("its addresses have other sizes than 8 bytes")
    }
    // Version 1 has one more field before the addresses.
    let addresses = version == 0 ? 24 : 28
    guard try file.number(addresses, UInt64.self) == 0 else {
      throw .unsupported("something stands before it in the file")
    }
    return try address(addresses + 40)
  }

  private func address(_ offset: Int) throws(ContainerProblem) -> Int {
    let value = try file.number(offset, UInt64.self)
    guard value < UInt64(file.bytes.count) else {
      throw .malformed("an address outside of the file", offset: offset)
    }
    return Int(value)
  }

  // MARK: Objects

  /// A message of an object's header: what sort, and where its contents are.
  private struct Message {
    let type: Int
    let range: Range<Int>
  }

  /// The messages of an object's header, which may stand in several places.
  private mutating func messages(_ header: Int) throws(ContainerProblem) -> [Message] {
    guard try file.number(header, UInt8.self) == 1 else {
      throw .unsupported("it has an object of a later version of the format")
    }
    let size = Int(try file.number(header + 8, UInt32.self))
    var blocks = [(header + 16)..<(header + 16 + size)]
    var messages: [Message] = []
    var place = 0
    while place < blocks.count {
      let block = blocks[place]
      _ = try file.part(block.lowerBound, block.count)
      var cursor = block.lowerBound
      while cursor + 8 <= block.upperBound {
        try spend(at: cursor)
        let type = Int(try file.number(cursor, UInt16.self))
        let size = Int(try file.number(cursor + 2, UInt16.self))
        let range = (cursor + 8)..<(cursor + 8 + size)
        guard range.upperBound <= block.upperBound else {
          throw .malformed("a message longer than its block", offset: cursor)
        }
        messages.append(Message(type: type, range: range))
        if type == 0x10, size >= 16 {
          let length = try file.number(range.lowerBound + 8, UInt64.self)
          guard length < UInt64(file.bytes.count) else {
            throw .malformed("a block of absurd size", offset: cursor)
          }
          let start = try address(range.lowerBound)
          blocks.append(start..<(start + Int(length)))
        }
        cursor = range.upperBound
      }
      place += 1
    }
    return messages
  }

  private mutating func read(_ header: Int, path: [String]) throws(ContainerProblem) {
    let messages = try messages(header)
    func contents(_ type: Int) -> Range<Int>? { messages.first { $0.type == type }?.range }
    if let table = contents(0x11) {
      guard table.count >= 16 else { throw .malformed("no symbol table", offset: header) }
      guard path.count < 32, visited.insert(header).inserted else {
        throw .malformed("groups nested in circles", offset: header)
      }
      let names = try heap(try address(table.lowerBound + 8))
      try readTree(try address(table.lowerBound), names: names, path: path)
    } else if let space = contents(1), let type = contents(3), let layout = contents(8) {
      let name = Self.name(path)
      guard let elements = try elementType(type) else { return }
      let shape = try dimensions(space)
      guard let count = elementCount(shape) else {
        throw .impossibleTensor(name, reason: "has impossible dimensions \(shape)")
      }
      let bytes = try place(of: name, layout, size: count * elements.type.byteCount)
      tensors.append(
        try WeightTensor(name, elements.type, shape, bytes, isBigEndian: elements.isBigEndian))
    }
  }

  private static func name(_ path: [String]) -> String {
    var parts: [String] = []
    for part in path where part != parts.last { parts.append(part) }
    let name = parts.joined(separator: "/")
    return name.hasSuffix(":0") ? String(name.dropLast(2)) : name
  }

  // MARK: Groups

  /// The part of the file with a group's names.
  private func heap(_ start: Int) throws(ContainerProblem) -> Range<Int> {
    guard try file.part(start, 4).elementsEqual("HEAP".utf8) else {
      throw .malformed("no heap of names", offset: start)
    }
    let size = try file.number(start + 8, UInt64.self)
    let data = try address(start + 24)
    guard size <= UInt64(file.bytes.count - data) else {
      throw .malformed("a heap of absurd size", offset: start)
    }
    return data..<(data + Int(size))
  }

  private mutating func readTree(
    _ node: Int, names: Range<Int>, path: [String]
  ) throws(ContainerProblem) {
    var waiting = [node]
    while let node = waiting.popLast() {
      try spend(at: node)
      let mark = try file.part(node, 8)
      if mark.starts(with: "SNOD".utf8) {
        for index in 0..<Int(try file.number(node + 6, UInt16.self)) {
          let entry = node + 8 + 40 * index
          let name = try text(try file.number(entry, UInt64.self), in: names)
          try read(try address(entry + 8), path: path + [name])
        }
      } else if mark.starts(with: "TREE".utf8), mark[4] == 0 {
        let count = Int(try file.number(node + 6, UInt16.self))
        // Children stand between keys; the last to wait is the first to be read.
        for index in (0..<count).reversed() { waiting.append(try address(node + 32 + 16 * index)) }
      } else {
        throw .malformed("no node of a group's tree", offset: node)
      }
    }
  }

  private func text(_ offset: UInt64, in names: Range<Int>) throws(ContainerProblem) -> String {
    guard offset < UInt64(names.count) else {
      throw .malformed("a name outside of its heap", offset: names.lowerBound)
    }
    let bytes = try file.part(names.lowerBound + Int(offset), names.count - Int(offset))
    guard let end = bytes.prefix(1024).firstIndex(of: 0) else {
      throw .malformed("a name without an end", offset: names.lowerBound + Int(offset))
    }
    return String(decoding: bytes[..<end], as: UTF8.self)
  }

  // MARK: Data sets

  private func dimensions(_ message: Range<Int>) throws(ContainerProblem) -> [Int] {
    let version = try file.number(message.lowerBound, UInt8.self)
    let rank = Int(try file.number(message.lowerBound + 1, UInt8.self))
    let start = message.lowerBound + (version == 1 ? 8 : 4)
    guard rank <= 32, start + 8 * rank <= message.upperBound else {
      throw .malformed("a data set of absurd dimensions", offset: message.lowerBound)
    }
    var shape: [Int] = []
    for axis in 0..<rank {
      shape.append(Int(clamping: try file.number(start + 8 * axis, UInt64.self)))
    }
    return shape
  }

  /// The type of the elements; nil for texts and other things that are no numbers.
  private func elementType(
    _ message: Range<Int>
  ) throws(ContainerProblem) -> (type: ElementType, isBigEndian: Bool)? {
    let kind = try file.number(message.lowerBound, UInt8.self) & 15
    let bits = try file.number(message.lowerBound + 1, UInt8.self)
    let size = Int(try file.number(message.lowerBound + 4, UInt32.self))
    let isBigEndian = bits & 1 == 1
    switch kind {
    case 0:
      let isSigned = bits & 8 != 0
      let types: [Int: ElementType] =
        isSigned
        ? [1: .int8, 2: .int16, 4: .int32, 8: .int64]
        : [1: .uint8, 2: .uint16, 4: .uint32, 8: .uint64]
      return types[size].map { ($0, isBigEndian) }
    case 1:
      let exponent = try file.number(message.lowerBound + 13, UInt8.self)
      switch (size, exponent) {
      case (2, 5): return (.float16, isBigEndian)
      case (2, 8): return (.bfloat16, isBigEndian)
      case (4, 8): return (.float32, isBigEndian)
      case (8, 11): return (.float64, isBigEndian)
      default: return nil
      }
    default:
      return nil
    }
  }

  private func place(
    of name: String, _ layout: Range<Int>, size: Int
  ) throws(ContainerProblem) -> TensorBytes {
    let start = layout.lowerBound
    guard try file.number(start, UInt8.self) == 3 else {
      throw .unsupported("'\(name)' is laid out in a way that is not read")
    }
    switch try file.number(start + 1, UInt8.self) {
    case 0:
      let stored = Int(try file.number(start + 2, UInt16.self))
      guard stored == size, start + 4 + size <= layout.upperBound else {
        throw .impossibleTensor(name, reason: "has \(stored) bytes, its dimensions ask for \(size)")
      }
      return .mapped(file, (start + 4)..<(start + 4 + size))
    case 1:
      let stored = try file.number(start + 10, UInt64.self)
      if try file.number(start + 2, UInt64.self) == Self.undefined {
        guard size == 0 else {
          throw .impossibleTensor(name, reason: "was never written")
        }
        return .memory([])
      }
      guard stored == UInt64(size) else {
        throw .impossibleTensor(name, reason: "has \(stored) bytes, its dimensions ask for \(size)")
      }
      let data = try address(start + 2)
      _ = try file.part(data, size)
      return .mapped(file, data..<(data + size))
    default:
      throw .unsupported("'\(name)' is stored in chunks, which are not read")
    }
  }

  private mutating func spend(at offset: Int) throws(ContainerProblem) {
    patience -= 1
    guard patience > 0 else { throw .malformed("a structure without end", offset: offset) }
  }
}
