import Foundation

/// What follows from the numbers of a figure before anything is drawn: ranges, ticks, and the
/// corner that is free for the legend.
struct FigureLayout: Sendable, Equatable {
  /// The ends of one axis and, where the tool's own choice would be poor, its ticks.
  struct Extent: Sendable, Equatable {
    enum Ticks: Sendable, Equatable {
      case automatic
      /// Every so many.
      case every(Double)
      /// At these values.
      case at([Double])
      /// At powers of ten.
      case decades
    }

    var low: Double
    var high: Double
    var ticks: Ticks
    let scale: Figure.Axis.Scale

    /// Where a value stands between the ends, from 0 to 1.
    func fraction(_ value: Double) -> Double {
      func place(_ value: Double) -> Double { scale == .logarithmic ? log(value) : value }
      let span = place(high) - place(low)
      return span > 0 ? (place(value) - place(low)) / span : 0.5
    }
  }

  let x: Extent
  let y: Extent
  let y2: Extent?
  /// The legend's place with `automatic` resolved.
  let legend: Figure.Legend

  init(_ figure: Figure) {
    var xs: [Double] = []
    var ys: [Double] = []
    var y2s: [Double] = []
    for series in figure.series {
      let right = series.side == .right && figure.usesRightAxis
      for point in series.points.compactMap({ figure.drawable($0, side: series.side) }) {
        let values = [point.y, point.low, point.high].compactMap { $0 }
        guard !values.isEmpty else { continue }
        xs.append(point.x)
        if right { y2s += values } else { ys += values }
      }
    }
    x = Self.extent(of: xs, axis: figure.x, hugsData: true)
    y = Self.extent(of: ys.isEmpty ? y2s : ys, axis: figure.y, hugsData: false)
    y2 = figure.y2.flatMap {
      figure.usesRightAxis ? Self.extent(of: y2s, axis: $0, hugsData: false) : nil
    }
    legend = Self.legend(figure, x: x, y: y, y2: y2)
  }

  /// - Parameter hugsData: the axis ends where the data do (x), not at the next tick (y).
  private static func extent(of values: [Double], axis: Figure.Axis, hugsData: Bool) -> Extent {
    let isLogarithmic = axis.scale == .logarithmic
    var low = values.min() ?? (isLogarithmic ? 0.1 : 0)
    var high = values.max() ?? 1
    if low == high {
      let reach = hugsData && axis.isWhole ? 1 : abs(low) > 0 ? abs(low) * 0.1 : 1
      (low, high) = isLogarithmic ? (low / 2, high * 2) : (low - reach, high + reach)
    }
    func usable(_ end: Double?) -> Double? {
      end.flatMap { $0.isFinite && (!isLogarithmic || $0 > 0) ? $0 : nil }
    }
    let (minimum, maximum) = (usable(axis.minimum), usable(axis.maximum))
    (low, high) = (minimum ?? low, maximum ?? high)
    if low >= high {
      // Ends the wrong way round, or a wish beyond all data.
      if minimum != nil && maximum != nil && low > high {
        (low, high) = (high, low)
      } else if maximum != nil && minimum == nil {
        low = isLogarithmic ? high / 10 : high - max(1, abs(high))
      } else {
        high = isLogarithmic ? low * 10 : low + max(1, abs(low))
      }
    }

    var ticks = Extent.Ticks.automatic
    if isLogarithmic {
      ticks = logarithmicTicks(low, high)
      if !hugsData {
        // Round ends: powers of ten far apart, or a little room around short data.
        let isShort = ticks != .decades
        if minimum == nil { low = isShort ? low / 1.15 : pow(10, log10(low).rounded(.down)) }
        if maximum == nil { high = isShort ? high * 1.15 : pow(10, log10(high).rounded(.up)) }
        (low, high) = (rounded(low), rounded(high))
      }
    } else {
      let step = axis.isWhole ? wholeStep(high - low) : roundStep(high - low, intervals: 7)
      if !hugsData {
        if minimum == nil { low = rounded((low / step).rounded(.down) * step) }
        if maximum == nil { high = rounded((high / step).rounded(.up) * step) }
      }
      if axis.isWhole || !hugsData { ticks = .every(step) }
    }
    return Extent(low: low, high: high, ticks: ticks, scale: axis.scale)
  }

  /// Without the noise of binary fractions: 0.30000000000000004 is 0.3.
  private static func rounded(_ value: Double) -> Double {
    Double(String(format: "%.12g", value)) ?? value
  }

  /// The smallest of 1, 2, 2.5 and 5 times a power of ten that cuts a span into at most so many
  /// intervals.
  static func roundStep(_ span: Double, intervals: Int) -> Double {
    guard span > 0, span.isFinite else { return 1 }
    let rough = span / Double(intervals)
    let exponent = Int(log10(rough).rounded(.down))
    let steps = ["1e\(exponent)", "2e\(exponent)", "2.5e\(exponent)", "5e\(exponent)"]
    return steps.lazy.compactMap { Double($0) }.first { $0 >= rough }
      ?? pow(10, Double(exponent + 1))
  }

  /// The smallest of 1, 2, 5, 10, 20, … that gives at most ten ticks.
  static func wholeStep(_ span: Double) -> Double {
    var decade = 1.0
    while decade < 1e15 {
      for factor in [1.0, 2, 5] where span / (factor * decade) <= 10 { return factor * decade }
      decade *= 10
    }
    return decade
  }

  /// Short logarithmic axes get ticks at 1, 2 and 5; long ones at powers of ten.
  static func logarithmicTicks(_ low: Double, _ high: Double) -> Extent.Ticks {
    guard low > 0, high > low, log10(high / low) < 3 else { return .decades }
    let decades = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
    let short = log10(high / low) < 0.6
    let factors: [Double] = short ? [1, 1.5, 2, 3, 4, 5, 6, 8] : [1, 2, 5]
    let values = decades.flatMap { decade in
      // Parsed, not multiplied: 5 * 10^-3 is not the number that prints as 0.005.
      factors.compactMap { Double("\($0)e\(decade)") }
    }
    let reach = 1.2
    return .at(values.filter { $0 >= low / reach && $0 <= high * reach })
  }

  private static func legend(
    _ figure: Figure, x: Extent, y: Extent, y2: Extent?
  ) -> Figure.Legend {
    guard figure.legend == .automatic else { return figure.legend }
    let named = figure.series.filter { !$0.name.isEmpty }
    if named.isEmpty { return .none }
    if named.count > 6 { return .outside }
    // The corner with the least ink: how far points reach into a box of its size.
    let height = min(0.5, 0.1 + 0.07 * Double(named.count))
    var ink: [Figure.Legend: Int] = [:]
    for series in figure.series {
      let extent = series.side == .right ? y2 ?? y : y
      for point in series.points.compactMap({ figure.drawable($0, side: series.side) }) {
        guard let value = point.y else { continue }
        let (across, up) = (x.fraction(point.x), extent.fraction(value))
        let isTop = up > 1 - height
        let isBottom = up < height
        if across > 0.6 && isTop { ink[.topRight, default: 0] += 1 }
        if across > 0.6 && isBottom { ink[.bottomRight, default: 0] += 1 }
        if across < 0.4 && isTop { ink[.topLeft, default: 0] += 1 }
        if across < 0.4 && isBottom { ink[.bottomLeft, default: 0] += 1 }
      }
    }
    let corners: [Figure.Legend] = [.topRight, .bottomRight, .topLeft, .bottomLeft]
    return corners.min { ink[$0, default: 0] < ink[$1, default: 0] } ?? .topRight
  }
}
