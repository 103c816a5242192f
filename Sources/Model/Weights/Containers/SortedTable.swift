/// The keys and values of a table file of LevelDB
/// (<https://github.com/google/leveldb/blob/main/doc/table_format.md>), which TensorFlow's index
/// files are.
enum SortedTable {
  typealias Entry = (key: String, value: ArraySlice<UInt8>)

  private static let magic: UInt64 = 0xDB47_7524_8B80_FB57

  /// Every entry, in the order of the keys.
  static func entries(_ file: MappedFile) throws(ContainerProblem) -> [Entry] {
    let size = file.bytes.count
    guard size >= 48, try file.number(size - 8, UInt64.self) == magic else {
      throw .malformed("the mark of a table is missing, as of a file cut short", offset: size)
    }
    let footer = Array(try file.part(size - 48, 40))[...]
    var cursor = footer.startIndex
    _ = try handle(footer, &cursor)
    let index = try block(file, try handle(footer, &cursor))
    var entries: [Entry] = []
    for (_, value) in index {
      var cursor = value.startIndex
      entries += try block(file, try handle(value, &cursor))
      // Blocks may not be used twice, so the entries cannot outgrow the file.
      guard entries.count <= size else { throw .malformed("too many entries", offset: 0) }
    }
    return entries
  }

  /// Where a block lies.
  private static func handle(
    _ bytes: ArraySlice<UInt8>, _ cursor: inout Int
  ) throws(ContainerProblem) -> Range<Int> {
    let offset = try ProtocolBuffer.variable(bytes, &cursor)
    let size = try ProtocolBuffer.variable(bytes, &cursor)
    guard offset < 1 << 40, size < 1 << 31 else {
      throw .malformed("an absurd place of a block", offset: cursor)
    }
    return Int(offset)..<Int(offset + size)
  }

  /// The entries of a block. Keys leave out what they share with the one before.
  private static func block(
    _ file: MappedFile, _ range: Range<Int>
  ) throws(ContainerProblem) -> [Entry] {
    // After the contents stand the way of packing and a checksum of both.
    let stored = try file.part(range.lowerBound, range.count + 5)
    let sum = try file.number(range.upperBound + 1, UInt32.self)
    let summed = UnsafeRawBufferPointer(rebasing: stored[..<(range.count + 1)])
    guard Checksum32C.masked(summed) == sum else { throw .checksum("a block of the index") }
    guard stored[range.count] == 0 else {
      throw .unsupported("its index is packed (by Snappy), which is not read")
    }
    let bytes = Array(stored.prefix(range.count))[...]
    guard bytes.count >= 4 else { throw .malformed("an empty block", offset: range.lowerBound) }
    let restarts = Int(try file.number(range.upperBound - 4, UInt32.self))
    guard restarts <= (bytes.count - 4) / 4 else {
      throw .malformed("a block with absurd restarts", offset: range.lowerBound)
    }
    let end = bytes.count - 4 - 4 * restarts
    let contents = bytes[..<end]
    var entries: [Entry] = []
    var key: [UInt8] = []
    var cursor = 0
    while cursor < end {
      let shared = try ProtocolBuffer.variable(contents, &cursor)
      let rest = try ProtocolBuffer.variable(contents, &cursor)
      let size = try ProtocolBuffer.variable(contents, &cursor)
      guard shared <= UInt64(key.count), rest <= UInt64(end - cursor),
        size <= UInt64(end - cursor) - rest
      else {
        throw .malformed("an entry leads out of its block", offset: range.lowerBound + cursor)
      }
      key = Array(key.prefix(Int(shared)) + contents[cursor..<(cursor + Int(rest))])
      guard key.count <= 1024, entries.count < 1 << 18 else {
        throw .malformed("absurd names", offset: range.lowerBound + cursor)
      }
      cursor += Int(rest)
      entries.append(
        (String(decoding: key, as: UTF8.self), contents[cursor..<(cursor + Int(size))]))
      cursor += Int(size)
    }
    return entries
  }
}
