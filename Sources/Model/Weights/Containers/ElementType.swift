/// How an element of a tensor is stored in a file; the raw values are the names of safetensors.
public enum ElementType: String, Sendable, CaseIterable {
  case bool = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case float8e4m3 = "F8_E4M3"
  case float8e5m2 = "F8_E5M2"
  case int16 = "I16"
  case uint16 = "U16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int32 = "I32"
  case uint32 = "U32"
  case float32 = "F32"
  case int64 = "I64"
  case uint64 = "U64"
  case float64 = "F64"

  /// The bytes of one element.
  public var byteCount: Int {
    switch self {
    case .bool, .uint8, .int8, .float8e4m3, .float8e5m2: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }

  /// Whether the elements can be read as floats.
  public var isReadableAsFloat: Bool {
    switch self {
    case .float32, .float16, .bfloat16, .float64: true
    default: false
    }
  }

  /// Whether the elements are integers that are read here.
  public var isReadableAsInteger: Bool { self == .int64 || self == .int32 }
}

extension ElementType {
  /// Reads floating-point elements, which need not be aligned; wider ones are rounded to the
  /// nearest.
  func convert(
    _ source: UnsafeRawBufferPointer, to target: UnsafeMutablePointer<Float>, count: Int,
    isBigEndian: Bool = false
  ) {
    precondition(source.count == count * byteCount)
    func bits<Bits: FixedWidthInteger>(_ index: Int, _: Bits.Type) -> Bits {
      let raw = source.loadUnaligned(
        fromByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self)
      return isBigEndian ? Bits(bigEndian: raw) : Bits(littleEndian: raw)
    }
    switch self {
    case .float32 where !isBigEndian:
      UnsafeMutableRawBufferPointer(start: target, count: source.count).copyMemory(from: source)
    case .float32:
      for index in 0..<count { target[index] = Float(bitPattern: bits(index, UInt32.self)) }
    case .float16:
      for index in 0..<count { target[index] = float(half: bits(index, UInt16.self)) }
    case .bfloat16:
      for index in 0..<count {
        target[index] = Float(bitPattern: UInt32(bits(index, UInt16.self)) << 16)
      }
    case .float64:
      for index in 0..<count { target[index] = Float(Double(bitPattern: bits(index, UInt64.self))) }
    default: preconditionFailure("no floating-point type")
    }
  }

  /// Reads whole numbers of 32 or 64 bits.
  func convert(
    _ source: UnsafeRawBufferPointer, to target: UnsafeMutablePointer<Int64>, count: Int,
    isBigEndian: Bool = false
  ) {
    precondition(isReadableAsInteger && source.count == count * byteCount)
    for index in 0..<count {
      if self == .int64 {
        let raw = source.loadUnaligned(fromByteOffset: 8 * index, as: Int64.self)
        target[index] = isBigEndian ? Int64(bigEndian: raw) : raw
      } else {
        let raw = source.loadUnaligned(fromByteOffset: 4 * index, as: Int32.self)
        target[index] = Int64(isBigEndian ? Int32(bigEndian: raw) : raw)
      }
    }
  }
}

/// The value of an IEEE 754 number of half precision, exactly.
func float(half bits: UInt16) -> Float {
  let sign = UInt32(bits & 0x8000) << 16
  let exponent = UInt32(bits >> 10) & 0x1F
  let fraction = UInt32(bits & 0x3FF)
  switch exponent {
  case 0:
    let magnitude = Float(fraction) * 0x1p-24
    return Float(bitPattern: magnitude.bitPattern | sign)
  case 0x1F: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
  default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }
}
