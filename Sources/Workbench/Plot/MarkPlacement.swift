/// On which side of its mark a label stands.
struct MarkPlacement: Equatable {
  var isLeft: Bool
  var isBelow: Bool
}

/// A rectangle of the plotting area; both edges of the area are 0 and 1.
private struct PlotBox {
  var x: ClosedRange<Double>
  var y: ClosedRange<Double>

  /// The words of a mark at a place of the area. The figures are those of the usual picture: a line
  /// is a 26th of its height, a character an 80th of its width.
  init(_ placement: MarkPlacement, at place: (x: Double, y: Double), characters: Int) {
    let (line, character) = (1.0 / 26, 1.0 / 80)
    let (near, far) = (0.6 * character, (2.0 + Double(characters)) * character)
    x =
      placement.isLeft ? (place.x - far)...(place.x - near) : (place.x + near)...(place.x + far)
    let (low, high) = (0.6 * line, 2.2 * line)
    y = placement.isBelow ? (place.y - high)...(place.y - low) : (place.y + low)...(place.y + high)
  }

  var isWithinPlot: Bool {
    x.lowerBound >= 0 && x.upperBound <= 1 && y.lowerBound >= 0 && y.upperBound <= 1
  }

  func overlaps(_ other: PlotBox) -> Bool { x.overlaps(other.x) && y.overlaps(other.y) }

  func contains(_ point: (x: Double, y: Double)) -> Bool {
    x.contains(point.x) && y.contains(point.y)
  }

  /// Whether the straight line between two points runs through the box.
  func isCrossed(from start: (x: Double, y: Double), to end: (x: Double, y: Double)) -> Bool {
    // The part of the line, from 0 to 1, that lies between the edges (Liang and Barsky 1984).
    var (first, last) = (0.0, 1.0)
    for (from, to, range) in [(start.x, end.x, x), (start.y, end.y, y)] {
      let length = to - from
      guard length != 0 else {
        if !range.contains(from) { return false }
        continue
      }
      let entry = (range.lowerBound - from) / length
      let exit = (range.upperBound - from) / length
      first = max(first, min(entry, exit))
      last = min(last, max(entry, exit))
    }
    return first <= last
  }
}

extension FigureLayout {
  /// Where the labels of a figure's marks cover the least: points first, then lines and each other.
  func markPlacements(in figure: Figure) -> [MarkPlacement] {
    var taken: [PlotBox] = []
    return figure.marks.map { mark in
      let place = self.place(x: mark.x, y: mark.y, mark.side)
      // Without a reason the words point to the middle of the plot.
      let (isLeft, isBelow) = (place.x > 0.5, place.y > 0.5)
      let candidates = [
        (isLeft, isBelow), (isLeft, !isBelow), (!isLeft, isBelow), (!isLeft, !isBelow),
      ]
      .map { MarkPlacement(isLeft: $0.0, isBelow: $0.1) }
      func box(_ placement: MarkPlacement) -> PlotBox {
        PlotBox(placement, at: place, characters: mark.label.count)
      }
      let costs = candidates.map { placement in
        let box = box(placement)
        return ink(under: box, figure) + taken.count { $0.overlaps(box) } * 3
          + (box.isWithinPlot ? 0 : 1000)
      }
      let best = costs.indices.min { costs[$0] < costs[$1] } ?? 0
      taken.append(box(candidates[best]))
      return candidates[best]
    }
  }

  /// How much of the curves a box hides: three for a point, one for a line.
  private func ink(under box: PlotBox, _ figure: Figure) -> Int {
    var ink = 0
    for series in figure.series {
      let hasPoints = series.style == .points || series.style == .linesAndPoints
      let hasLines = series.style != .points
      var last: (x: Double, y: Double)?
      for point in series.points.compactMap({ figure.drawable($0, side: series.side) }) {
        let place = point.y.map { self.place(x: point.x, y: $0, series.side) }
        if let place {
          if hasPoints, box.contains(place) { ink += 3 }
          if hasLines, let last, box.isCrossed(from: last, to: place) { ink += 1 }
        }
        last = place
      }
    }
    return ink
  }

  private func place(x: Double, y: Double, _ side: Figure.Series.Side) -> (x: Double, y: Double) {
    (self.x.fraction(x), (side == .right ? y2 ?? self.y : self.y).fraction(y))
  }
}
