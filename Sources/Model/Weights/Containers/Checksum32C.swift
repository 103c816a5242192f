/// CRC-32C (Castagnoli), with which TensorFlow's checkpoints and LevelDB's tables are summed.
enum Checksum32C {
  private static let tables: [[UInt32]] = {
    var tables = [[UInt32]](repeating: [UInt32](repeating: 0, count: 256), count: 8)
    for byte in 0..<256 {
      tables[0][byte] = (0..<8).reduce(UInt32(byte)) { value, _ in
        value >> 1 ^ (value & 1 == 1 ? 0x82F6_3B78 : 0)
      }
    }
    for slice in 1..<8 {
      for byte in 0..<256 {
        let before = tables[slice - 1][byte]
        tables[slice][byte] = before >> 8 ^ tables[0][Int(before & 0xFF)]
      }
    }
    return tables
  }()

  /// The checksum of bytes that follow others with the checksum `start`.
  static func of(_ bytes: UnsafeRawBufferPointer, start: UInt32 = 0) -> UInt32 {
    var value = ~start
    let flat = tables.flatMap { $0 }
    flat.withUnsafeBufferPointer { table in
      var index = 0
      // Eight bytes at a time, a table for each.
      while index + 8 <= bytes.count {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        let mixed = word ^ UInt64(value)
        value = 0
        for slice in 0..<8 {
          value ^= table[(7 - slice) * 256 + Int(truncatingIfNeeded: mixed >> (8 * slice) & 0xFF)]
        }
        index += 8
      }
      while index < bytes.count {
        value = value >> 8 ^ table[Int((value ^ UInt32(bytes[index])) & 0xFF)]
        index += 1
      }
    }
    return ~value
  }

  /// The checksum in the form that is stored, turned so that a sum over sums is of use.
  static func masked(_ bytes: UnsafeRawBufferPointer, start: UInt32 = 0) -> UInt32 {
    let value = of(bytes, start: start)
    return (value >> 15 | value << 17) &+ 0xA282_EAD8
  }
}
