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

/// 1 / x for 1 <= x < 2^126, relative error below 1.2e-7; NaN stays NaN.
///
/// Where a division of a wide register would take one unit of the processor for long, from 5 % with
/// the cube and then the square of the error to the rounding.
@inline(__always)
private func reciprocal<L: Lanes>(_ x: L) -> L {
  if !hasWideRegisters { return L(splat: 1) / x }
  var y = x.roughReciprocal
  let error = L.fnma(x, y, L(splat: 1))
  y = L.fma(y, L.fma(error, error, error), y)
  return L.fma(y, L.fnma(x, y, L(splat: 1)), y)
}

/// 1 / (1 + e^-x).
@inline(__always)
func sigmoid<L: Lanes>(_ x: L) -> L {
  let parts = exponentialParts(ofNegated: x)
  return reciprocal(L.fma(parts.fraction, parts.power, L(splat: 1)))
}
