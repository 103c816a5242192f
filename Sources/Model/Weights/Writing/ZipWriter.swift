internal import CZlib
internal import Glibc

/// Writes a zip archive of stored entries, one after the other, to an open file.
///
/// Contents begin at multiples of 64 bytes, so that readers can map them. Sums are put into an
/// entry's header when its contents have passed.
struct ZipWriter {
  private struct Entry {
    let name: [UInt8]
    let checksum: UInt32
    let size: Int
    let header: Int
  }

  private let descriptor: Int32
  private let path: String
  private var position = 0
  private var entries: [Entry] = []

  /// The archive's directory has 32 bits for places and sizes.
  private static let limit = Int(UInt32.max)
  private static let alignment = 64

  init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  /// Adds an entry of known contents.
  /// - Throws: `AtomicFile.Failure`.
  mutating func add(_ name: String, _ contents: [UInt8]) throws {
    try add(name, size: contents.count) { write in try contents.withUnsafeBytes { try write($0) } }
  }

  /// Adds an entry whose contents come in pieces, `size` bytes in all.
  /// - Throws: `AtomicFile.Failure`, `WeightError.tooLargeToWrite`, and what `body` throws.
  mutating func add(
    _ name: String, size: Int, _ body: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    guard position + size + (1 << 20) < Self.limit, entries.count < 0xFFFF else {
      throw WeightError.tooLargeToWrite(path)
    }
    let header = position
    let name = Array(name.utf8)
    let data = roundUp(header + 30 + name.count + 4, to: Self.alignment)
    let padding = data - header - 30 - name.count
    var start = ZipRecord()
    start.add(0x0403_4B50 as UInt32)
    start.addCommon(checksum: 0, size: size, nameCount: name.count)
    start.add(UInt16(padding))
    start.bytes += name
    // An extra field of zeros, with PyTorch's mark for it.
    start.bytes += [UInt8(ascii: "F"), UInt8(ascii: "B")]
    start.add(UInt16(padding - 4))
    start.bytes += [UInt8](repeating: 0, count: padding - 4)
    try append(start.bytes)

    var checksum: UInt = 0
    var written = 0
    let (descriptor, path) = (descriptor, path)
    try body { piece in
      if let base = piece.baseAddress?.assumingMemoryBound(to: UInt8.self) {
        checksum = crc32_z(checksum, base, piece.count)
      }
      written += piece.count
      try AtomicFile.append(piece, to: descriptor, path: path)
    }
    precondition(written == size, "an entry has the size that it was announced with")
    position += size
    var sum = UInt32(truncatingIfNeeded: checksum).littleEndian
    guard pwrite(descriptor, &sum, 4, off_t(header + 14)) == 4 else {
      throw AtomicFile.Failure("write", path)
    }
    entries.append(
      Entry(
        name: name, checksum: UInt32(truncatingIfNeeded: checksum), size: size, header: header))
  }

  /// Writes the directory.
  /// - Throws: `AtomicFile.Failure`.
  mutating func finish() throws {
    let start = position
    for entry in entries {
      var record = ZipRecord()
      record.add(0x0201_4B50 as UInt32)
      record.add(20 as UInt16)
      record.addCommon(
        checksum: entry.checksum, size: entry.size, nameCount: entry.name.count)
      // No extra field, no comment, the first disk, no attributes.
      record.bytes += [UInt8](repeating: 0, count: 12)
      record.add(UInt32(entry.header))
      record.bytes += entry.name
      try append(record.bytes)
    }
    var end = ZipRecord()
    end.add(0x0605_4B50 as UInt32)
    end.add(0 as UInt32)
    end.add(UInt16(entries.count))
    end.add(UInt16(entries.count))
    end.add(UInt32(position - start))
    end.add(UInt32(start))
    end.add(0 as UInt16)
    try append(end.bytes)
  }

  private mutating func append(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try AtomicFile.append($0, to: descriptor, path: path) }
    position += bytes.count
  }
}

/// Bytes of a record under construction.
private struct ZipRecord {
  var bytes: [UInt8] = []

  mutating func add(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
  }

  /// What an entry's header and its record in the directory have in common.
  mutating func addCommon(checksum: UInt32, size: Int, nameCount: Int) {
    add(20 as UInt16)
    add(0x0800 as UInt16)  // names are UTF-8
    add(0 as UInt16)  // stored
    add(0 as UInt16)  // midnight
    add(0x0021 as UInt16)  // 1 January 1980, so that equal contents give equal files
    add(checksum)
    add(UInt32(size))
    add(UInt32(size))
    add(UInt16(nameCount))
  }
}
