internal import CZlib
internal import Synchronization

/// The directory of a zip archive in a mapped file, and the contents of its entries.
///
/// Nothing is unpacked before it is asked for, and what is unpacked has the size that the directory
/// states, which deflate's greatest possible ratio bounds. Names are only compared: no file is
/// written.
final class ZipArchive: Sendable {
  struct Entry: Sendable {
    let name: String
    let isDeflated: Bool
    /// Where the packed bytes lie.
    let packed: Range<Int>
    /// How many bytes there are when unpacked.
    let size: Int
    let checksum: UInt32
    /// The place in the directory.
    let index: Int
  }

  let file: MappedFile
  /// By place in the directory.
  let entries: [Entry]
  private let indices: [String: Int]
  /// Which entries have been compared with their checksum.
  private let verified: Mutex<Set<Int>> = Mutex([])

  /// Reads the directory of an archive.
  init(_ file: MappedFile) throws(ContainerProblem) {
    self.file = file
    var directory = try Directory(file)
    var entries: [Entry] = []
    var indices: [String: Int] = [:]
    while let entry = try directory.next() {
      guard indices.updateValue(entries.count, forKey: entry.name) == nil else {
        throw .duplicateName(entry.name)
      }
      entries.append(entry)
    }
    self.entries = entries
    self.indices = indices
  }

  /// The entry of a name.
  subscript(name: String) -> Entry? { indices[name].map { entries[$0] } }

  /// Gives the contents of an entry, after comparing them with their checksum.
  func withContents<Result>(
    of entry: Entry, _ body: (UnsafeRawBufferPointer) throws(ContainerProblem) -> Result
  ) throws(ContainerProblem) -> Result {
    let packed = try file.part(entry.packed.lowerBound, entry.packed.count)
    guard entry.isDeflated else {
      try verify(entry, packed)
      return try body(packed)
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(1, entry.size), alignment: 64)
    defer { buffer.deallocate() }
    guard Self.unpack(packed, to: buffer, count: entry.size) == 1 else {
      throw .malformed("'\(entry.name)' cannot be unpacked", offset: entry.packed.lowerBound)
    }
    let contents = UnsafeRawBufferPointer(rebasing: buffer[..<entry.size])
    try verify(entry, contents)
    return try body(contents)
  }

  /// The contents of a small entry, or the beginning of a large one.
  func prefix(_ count: Int, of entry: Entry) throws(ContainerProblem) -> [UInt8] {
    let packed = try file.part(entry.packed.lowerBound, entry.packed.count)
    let count = min(count, entry.size)
    guard entry.isDeflated else { return Array(packed.prefix(count)) }
    var result = [UInt8](repeating: 0, count: max(1, count))
    let status = result.withUnsafeMutableBytes { Self.unpack(packed, to: $0, count: count) }
    guard status >= 0 else {
      throw .malformed("'\(entry.name)' cannot be unpacked", offset: entry.packed.lowerBound)
    }
    return Array(result.prefix(count))
  }

  private func verify(
    _ entry: Entry, _ contents: UnsafeRawBufferPointer
  ) throws(ContainerProblem) {
    if verified.withLock({ $0.contains(entry.index) }) { return }
    let start = contents.baseAddress?.assumingMemoryBound(to: UInt8.self)
    let sum = contents.isEmpty ? 0 : crc32_z(0, start, contents.count)
    // PyTorch can be told not to sum, and then writes zero.
    guard entry.checksum == 0 || UInt32(truncatingIfNeeded: sum) == entry.checksum else {
      throw .checksum("'\(entry.name)'")
    }
    verified.withLock { _ = $0.insert(entry.index) }
  }

  /// 1 when all is unpacked, 0 when there is more, negative when the stream is damaged.
  private static func unpack(
    _ packed: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, count: Int
  ) -> Int32 {
    zlib_unpack(
      packed.baseAddress?.assumingMemoryBound(to: UInt8.self), packed.count,
      target.baseAddress?.assumingMemoryBound(to: UInt8.self), count, 0)
  }
}

extension ZipArchive {
  /// Walks over the directory at the end of an archive (PKWARE's APPNOTE 4.3, with the 64-bit
  /// records).
  private struct Directory {
    private let file: MappedFile
    private var cursor: Int
    private let end: Int
    private let count: Int
    private var index = 0

    init(_ file: MappedFile) throws(ContainerProblem) {
      self.file = file
      let record = try Self.endRecord(file)
      var count = Int(try file.number(record + 10, UInt16.self))
      var size = Int(try file.number(record + 12, UInt32.self))
      var start = Int(try file.number(record + 16, UInt32.self))
      if count == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF, record >= 20,
        try file.number(record - 20, UInt32.self) == 0x0706_4B50
      {
        let place = Int(truncatingIfNeeded: try file.number(record - 12, UInt64.self))
        guard try file.number(place, UInt32.self) == 0x0606_4B50 else {
          throw .malformed("no 64-bit record of the archive's end", offset: place)
        }
        count = Int(truncatingIfNeeded: try file.number(place + 32, UInt64.self))
        size = Int(truncatingIfNeeded: try file.number(place + 40, UInt64.self))
        start = Int(truncatingIfNeeded: try file.number(place + 48, UInt64.self))
      }
      _ = try file.part(start, size)
      cursor = start
      end = start + size
      self.count = count
    }

    /// Where the record stands that ends every archive; a comment may follow it.
    private static func endRecord(_ file: MappedFile) throws(ContainerProblem) -> Int {
      let size = file.bytes.count
      var place = size - 22
      while place >= 0, place >= size - 22 - 0xFFFF {
        if try file.number(place, UInt32.self) == 0x0605_4B50,
          place + 22 + Int(try file.number(place + 20, UInt16.self)) == size
        {
          return place
        }
        place -= 1
      }
      throw .malformed("the archive's directory is missing, as of a file cut short", offset: size)
    }

    mutating func next() throws(ContainerProblem) -> Entry? {
      guard index < count else { return nil }
      let start = cursor
      guard start + 46 <= end, try file.number(start, UInt32.self) == 0x0201_4B50 else {
        throw .malformed("no entry of the archive's directory", offset: start)
      }
      let flags = try file.number(start + 8, UInt16.self)
      let method = try file.number(start + 10, UInt16.self)
      let nameCount = Int(try file.number(start + 28, UInt16.self))
      let extraCount = Int(try file.number(start + 30, UInt16.self))
      let commentCount = Int(try file.number(start + 32, UInt16.self))
      cursor = start + 46 + nameCount + extraCount + commentCount
      guard cursor <= end else {
        throw .malformed("an entry of the archive's directory is cut short", offset: start)
      }
      let name = String(decoding: try file.part(start + 46, nameCount), as: UTF8.self)
      var sizes = [
        Int(try file.number(start + 24, UInt32.self)),
        Int(try file.number(start + 20, UInt32.self)),
        Int(try file.number(start + 42, UInt32.self)),
      ]
      try widen(&sizes, extra: (start + 46 + nameCount)..<(start + 46 + nameCount + extraCount))
      guard flags & 1 == 0 else { throw .unsupported("'\(name)' is encrypted") }
      guard method == 0 || method == 8 else {
        throw .unsupported("'\(name)' is packed by method \(method); only deflate is read")
      }
      let (size, packedSize, header) = (sizes[0], sizes[1], sizes[2])
      guard try file.number(header, UInt32.self) == 0x0403_4B50 else {
        throw .malformed("'\(name)' does not begin where the directory says", offset: header)
      }
      let data =
        header + 30 + Int(try file.number(header + 26, UInt16.self))
        + Int(try file.number(header + 28, UInt16.self))
      _ = try file.part(data, packedSize)
      // Deflate packs at most 1032 bytes into one.
      guard method == 8 ? size / 1032 <= packedSize : size == packedSize else {
        throw .malformed("'\(name)' cannot have the size that it states", offset: start)
      }
      defer { index += 1 }
      return Entry(
        name: name, isDeflated: method == 8, packed: data..<(data + packedSize), size: size,
        checksum: try file.number(start + 16, UInt32.self), index: index)
    }

    /// Takes the sizes that do not fit into 32 bits from the extra field that has them.
    private func widen(_ sizes: inout [Int], extra: Range<Int>) throws(ContainerProblem) {
      var place = extra.lowerBound
      while place + 4 <= extra.upperBound {
        let kind = try file.number(place, UInt16.self)
        let length = Int(try file.number(place + 2, UInt16.self))
        if kind == 1 {
          var field = place + 4
          for index in sizes.indices where sizes[index] == 0xFFFF_FFFF {
            guard field + 8 <= min(place + 4 + length, extra.upperBound) else { break }
            guard let size = Int(exactly: try file.number(field, UInt64.self)) else {
              throw .malformed("an absurd size in the archive's directory", offset: field)
            }
            sizes[index] = size
            field += 8
          }
          return
        }
        place += 4 + length
      }
    }
  }
}
