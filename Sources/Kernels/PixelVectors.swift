// Sixteen bytes at a time in 32-bit lanes. Comparisons of SIMD types are compiled lane by lane;
// these forms use plain arithmetic only.

/// Sixteen bytes from `offset` on.
@inline(__always)
func widenedBytes(_ base: UnsafeRawPointer, _ offset: Int) -> SIMD16<Int32> {
  SIMD16(truncatingIfNeeded: base.loadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self))
}

/// Clips to 0...255.
@inline(__always)
func clippedBytes(_ value: SIMD16<Int32>) -> SIMD16<UInt8> {
  // A shift by 31 makes a mask of the sign: what is negative becomes 0, what is above 255 loses
  // the excess.
  let low = value & ~(value &>> 31)
  let room = 255 &- low
  return SIMD16(truncatingIfNeeded: low &+ (room & (room &>> 31)))
}
