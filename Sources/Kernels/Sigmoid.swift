/// e to the power of x, relative error below 2e-7, for x limited to -87 ... 87; NaN stays NaN.
@inline(__always)
func exponential<L: Lanes>(_ x: L) -> L {
  let parts = exponentialParts(ofNegated: L(splat: 0) - x)
  return parts.fraction * parts.power
}

/// e to the power of -x as fraction * power, where the power is one of two.
///
/// Range reduction by ln 2 in two parts; 1 + r + r² q(r) with the q that has the smallest relative
/// error (4e-9). The polynomial is summed in pairs: the processor waits for a chain of operations
/// longer than it works on them.
@inline(__always)
private func exponentialParts<L: Lanes>(ofNegated argument: L) -> (fraction: L, power: L) {
  let x = argument.limited(-87, 87)
  // 1.5 * 2^23 rounds to integers; the exponent's bias is in it already.
  let magic = L(splat: 12_582_912 + 127)
  let shifted = L.fma(x, L(splat: -1.442_695_04), magic)
  let n = shifted - magic
  // What is left of x, for e^-r: odd powers are negative.
  var r = L.fma(n, L(splat: 0.693_359_375), x)
  r = L.fma(n, L(splat: -2.121_944_4e-4), r)
  let square = r * r
  let low = L.fma(r, L(splat: -0.166_665_21), L(splat: 0.499_999_94))
  let middle = L.fma(r, L(splat: -8.368_711e-3), L(splat: 4.166_838_9e-2))
  let high = L.fma(square, L(splat: 1.381_461_2e-3), middle)
  let fraction = L.fma(L.fma(high, square, low), square, L(splat: 1) - r)
  return (fraction, shifted.powerOfTwo)
}

/// 1 + e^-x.
@inline(__always)
private func logisticDenominator<L: Lanes>(_ x: L) -> L {
  let parts = exponentialParts(ofNegated: x)
  return L.fma(parts.fraction, parts.power, L(splat: 1))
}

/// 1 / (1 + e^-x). A division takes as long as the multiply-adds of Newton's steps would, but the units
/// for those work on the next numbers meanwhile.
@inline(__always)
func sigmoid<L: Lanes>(_ x: L) -> L { L(splat: 1) / logisticDenominator(x) }

/// x / (1 + e^-x); beside its derivative it is rounded once more.
@inline(__always)
func silu<L: Lanes>(_ x: L) -> L { x / logisticDenominator(x) }
