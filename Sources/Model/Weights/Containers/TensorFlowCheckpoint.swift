/// Reads the index of a TensorFlow checkpoint V2 and finds the tensors in its data files
/// (`tensorflow/core/util/tensor_bundle`).
struct TensorFlowCheckpoint {
  private let index: MappedFile
  /// Opens the data file of a number; nil when it is not there.
  private let shard: (_ number: Int, _ count: Int) throws(ContainerProblem) -> MappedFile?
  private var shards: [Int: MappedFile] = [:]

  init(
    index: MappedFile,
    shard: @escaping (_ number: Int, _ count: Int) throws(ContainerProblem) -> MappedFile?
  ) {
    self.index = index
    self.shard = shard
  }

  /// One value of the index (`BundleEntryProto`).
  private struct Entry {
    var type = 0
    var shape: [Int] = []
    var shard = 0
    var offset = 0
    var size = 0
    var checksum: UInt32 = 0
    var isSliced = false
  }

  /// The tensors, by name. Those of an object graph have the names that their variables were
  /// made with.
  mutating func tensors() throws(ContainerProblem) -> [WeightTensor] {
    var shardCount = 1
    var isBigEndian = false
    var found: [(name: String, entry: Entry)] = []
    for (key, value) in try SortedTable.entries(index) {
      if key.isEmpty {
        (shardCount, isBigEndian) = try Self.header(value)
      } else {
        found.append((key, try Self.entry(value)))
      }
    }
    guard (1...10_000).contains(shardCount) else {
      throw .malformed("\(shardCount) data files", offset: 0)
    }
    let names = try variableNames(found, shardCount)
    var tensors: [WeightTensor] = []
    for (key, entry) in found {
      guard let type = Self.types[entry.type], let name = names[key] ?? Self.plainName(key) else {
        continue
      }
      guard !entry.isSliced else { throw .unsupported("'\(key)' is stored in slices") }
      let file = try data(of: entry, key, shardCount)
      _ = try file.part(entry.offset, entry.size)
      let bytes = TensorBytes.summed(
        file, entry.offset..<(entry.offset + entry.size), checksum: entry.checksum)
      guard let count = elementCount(entry.shape), count * type.byteCount == entry.size else {
        throw .impossibleTensor(
          name, reason: "has the dimensions \(entry.shape) but \(entry.size) bytes")
      }
      tensors.append(
        try WeightTensor(name, type, entry.shape, bytes, isBigEndian: isBigEndian))
    }
    guard !tensors.isEmpty else { throw .noTensors("only other kinds of values") }
    return tensors
  }

  /// `DataType` of TensorFlow's types.proto.
  private static let types: [Int: ElementType] = [
    1: .float32, 2: .float64, 3: .int32, 4: .uint8, 5: .int16, 6: .int8, 9: .int64, 10: .bool,
    14: .bfloat16, 17: .uint16, 19: .float16, 22: .uint32, 23: .uint64,
  ]
  private static let textType = 7
  private static let graphKey = "_CHECKPOINTABLE_OBJECT_GRAPH"
  private static let attribute = "/.ATTRIBUTES/"

  /// A key that is a variable's name already; nil for parts of an object graph that are none.
  private static func plainName(_ key: String) -> String? {
    guard let range = key.firstRange(of: attribute) else { return key }
    guard key[range.upperBound...] == "VARIABLE_VALUE" else { return nil }
    return String(key[..<range.lowerBound])
  }

  private mutating func data(
    of entry: Entry, _ key: String, _ count: Int
  ) throws(ContainerProblem) -> MappedFile {
    if let open = shards[entry.shard] { return open }
    guard (0..<count).contains(entry.shard), let file = try shard(entry.shard, count) else {
      throw .absent("data file \(entry.shard) of \(count), which holds '\(key)',")
    }
    shards[entry.shard] = file
    return file
  }

  // MARK: Messages

  private static func header(
    _ bytes: ArraySlice<UInt8>
  ) throws(ContainerProblem) -> (shards: Int, isBigEndian: Bool) {
    var message = ProtocolBuffer(bytes)
    var shards = 1
    var isBigEndian = false
    while let (field, value) = try message.next() {
      guard case .number(let number) = value else { continue }
      if field == 1 { shards = Int(truncatingIfNeeded: number) }
      if field == 2 { isBigEndian = number == 1 }
    }
    return (shards, isBigEndian)
  }

  private static func entry(_ bytes: ArraySlice<UInt8>) throws(ContainerProblem) -> Entry {
    var message = ProtocolBuffer(bytes)
    var entry = Entry()
    while let (field, value) = try message.next() {
      switch (field, value) {
      case (1, .number(let number)): entry.type = Int(truncatingIfNeeded: number)
      case (2, .bytes(let shape)): entry.shape = try dimensions(shape)
      case (3, .number(let number)): entry.shard = Int(truncatingIfNeeded: number)
      case (4, .number(let number)): entry.offset = Int(truncatingIfNeeded: number)
      case (5, .number(let number)): entry.size = Int(truncatingIfNeeded: number)
      case (6, .number(let number)): entry.checksum = UInt32(truncatingIfNeeded: number)
      case (7, _): entry.isSliced = true
      default: break
      }
    }
    return entry
  }

  private static func dimensions(_ bytes: ArraySlice<UInt8>) throws(ContainerProblem) -> [Int] {
    var message = ProtocolBuffer(bytes)
    var shape: [Int] = []
    while let (field, value) = try message.next() {
      guard field == 2, case .bytes(let dimension) = value else { continue }
      var size = 0
      var inner = ProtocolBuffer(dimension)
      while let (field, value) = try inner.next() {
        if field == 1, case .number(let number) = value { size = Int(truncatingIfNeeded: number) }
      }
      shape.append(size)
    }
    return shape
  }

  // MARK: Object graphs

  /// The names of the variables behind the keys of an object graph (`TrackableObjectGraph`); empty
  /// for a checkpoint without one.
  private mutating func variableNames(
    _ found: [(name: String, entry: Entry)], _ shardCount: Int
  ) throws(ContainerProblem) -> [String: String] {
    guard let (key, entry) = found.first(where: { $0.name == Self.graphKey }),
      entry.type == Self.textType
    else { return [:] }
    let file = try data(of: entry, key, shardCount)
    let stored = Array(try file.part(entry.offset, entry.size))[...]
    // One text: its length, a checksum of that, itself.
    var cursor = 0
    let count = try ProtocolBuffer.variable(stored, &cursor)
    cursor += 4
    guard cursor <= stored.count, count == UInt64(stored.count - cursor) else {
      throw .malformed("the object graph has another length", offset: entry.offset)
    }
    var names: [String: String] = [:]
    var graph = ProtocolBuffer(stored[cursor...])
    while let (field, value) = try graph.next() {
      guard field == 1, case .bytes(let object) = value else { continue }
      var members = ProtocolBuffer(object)
      while let (field, value) = try members.next() {
        guard field == 2, case .bytes(let attribute) = value else { continue }
        var parts: [Int: String] = [:]
        var fields = ProtocolBuffer(attribute)
        while let (field, value) = try fields.next() {
          if case .bytes(let text) = value { parts[field] = String(decoding: text, as: UTF8.self) }
        }
        // Fields 2 and 3 are the variable's full name and the key in the index.
        if let name = parts[2], !name.isEmpty, let key = parts[3] {
          names[key] = name.hasSuffix(":0") ? String(name.dropLast(2)) : name
        }
      }
    }
    return unique(names)
  }

  /// Names that several keys share say nothing; those keys keep their own.
  private func unique(_ names: [String: String]) -> [String: String] {
    var uses: [String: Int] = [:]
    for name in names.values { uses[name, default: 0] += 1 }
    return names.filter { uses[$0.value] == 1 }
  }
}
