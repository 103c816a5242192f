internal import CProcessor

/// e to the power of x, relative error below 2e-7, for x limited to -87 ... 87; NaN stays NaN.
@inline(__always)
func exponential<L: Lanes>(_ x: L) -> L {
  let parts = exponentialParts(ofNegated: L(splat: 0) - x.limited(-87, 87))
  return L.fnma(parts.power, parts.less, parts.power)
}

/// The powers of two that `Lanes.powerOfTwo` gives to a whole one.
@inline(__always) var powerSteps: Float { Float(processor_power_steps) }

/// e to the power of -x as power * (1 - less), for x in -87 ... 87, where the power is one of two.
///
/// Range reduction by ln 2 in two parts; with r left, less = r - r² q(r) with the q that has the
/// smallest relative error. Where the power is one of a sixteenth, q has two terms (error of the whole
/// 2e-9), else five (4e-9), summed in pairs: the processor waits for a chain of operations longer than
/// it works on them.
@inline(__always)
private func exponentialParts<L: Lanes>(ofNegated x: L) -> (power: L, less: L) {
  // 1.5 * 2^23 rounds to integers, a sixteenth of it to sixteenths; the exponent's bias is in it
  // already.
  let magic = L(splat: 12_582_912 / powerSteps + 127)
  let shifted = L.fma(x, L(splat: -1.442_695_04), magic)
  let n = shifted - magic
  var r = L.fma(n, L(splat: 0.693_359_375), x)
  r = L.fma(n, L(splat: -2.121_944_4e-4), r)
  let square = r * r
  let q: L
  if powerSteps > 1 {
    q = L.fma(r, L(splat: -0.166_666_67), L(splat: 0.500_016_2))
  } else {
    let low = L.fma(r, L(splat: -0.166_665_21), L(splat: 0.499_999_94))
    let middle = L.fma(r, L(splat: -8.368_711e-3), L(splat: 4.166_838_9e-2))
    let high = L.fma(square, L(splat: 1.381_461_2e-3), middle)
    q = L.fma(high, square, low)
  }
  return (shifted.powerOfTwo, L.fnma(q, square, r))
}

/// 1 + e^-x, for x in -87 ... 87.
@inline(__always)
private func logisticDenominator<L: Lanes>(_ x: L) -> L {
  let parts = exponentialParts(ofNegated: x)
  return L.fnma(parts.power, parts.less, parts.power + L(splat: 1))
}

/// 1 / (1 + e^-x); NaN stays NaN. A division takes as long as the multiply-adds of Newton's steps
/// would, but the units for those work on the next numbers meanwhile.
@inline(__always)
func sigmoid<L: Lanes>(_ x: L) -> L { L(splat: 1) / logisticDenominator(x.limited(-87, 87)) }

/// 1 / (1 + e^-x); NaN may become any number.
@inline(__always)
func sigmoidOfNumber<L: Lanes>(_ x: L) -> L { L(splat: 1) / logisticDenominator(x.limited(87)) }

/// x / (1 + e^-x); beside its derivative it is rounded once more.
@inline(__always)
func silu<L: Lanes>(_ x: L) -> L { x / logisticDenominator(x.limited(87)) }
