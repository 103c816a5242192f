/// A figure as a value: what is to be seen, without a word on how it is drawn.
///
/// Everything that draws (gnuplot through ``GnuplotScript``, the built-in ``TextPlot``) and
/// everything that writes data (``FigureData``) starts from here. Text in a figure is plain text:
/// no character in it has a meaning to the tool that draws.
struct Figure: Sendable, Equatable {
  /// What one axis shows.
  struct Axis: Sendable, Equatable {
    enum Scale: Sendable { case linear, logarithmic }

    /// The quantity: `train loss`.
    var label: String
    /// Its unit, shown in brackets: `%`, `s`.
    var unit: String?
    var scale: Scale
    /// The ends of the axis; `nil` follows the data.
    var minimum: Double?
    var maximum: Double?
    /// Ticks at whole numbers only (epochs, classes).
    var isWhole: Bool

    init(
      _ label: String, unit: String? = nil, scale: Scale = .linear, minimum: Double? = nil,
      maximum: Double? = nil, isWhole: Bool = false
    ) {
      self.label = label
      self.unit = unit
      self.scale = scale
      self.minimum = minimum
      self.maximum = maximum
      self.isWhole = isWhole
    }

    /// The label with its unit: `time (s)`.
    var text: String {
      guard let unit, !unit.isEmpty else { return label }
      return label.isEmpty ? unit : "\(label) (\(unit))"
    }
  }

  /// One value of a series.
  struct Point: Sendable, Equatable {
    var x: Double
    /// `nil`: nothing was measured here, the line goes on to the next value. Not finite: a gap,
    /// at which the line is interrupted.
    var y: Double?
    /// The ends of the uncertainty around `y` (several seeds), drawn as a band.
    var low: Double?
    var high: Double?

    init(_ x: Double, _ y: Double?, low: Double? = nil, high: Double? = nil) {
      self.x = x
      self.y = y
      self.low = low
      self.high = high
    }
  }

  /// A named sequence of points.
  struct Series: Sendable, Equatable {
    enum Style: String, Sendable, CaseIterable {
      case lines, points, linesAndPoints, steps
      /// Filled boxes from the axis up.
      case bars
    }
    enum Side: Sendable { case left, right }

    var name: String
    var points: [Point]
    var style: Style
    /// The axis it is measured against.
    var side: Side
    /// Its place in the palette; `nil` takes the next in order. Series of one run share a color.
    var color: Int?
    /// Drawn with a broken line (training beside evaluation of the same run).
    var isDashed: Bool
    /// Drawn thin and pale: the raw values behind a smoothed line.
    var isFaint: Bool

    init(
      _ name: String, _ points: [Point], style: Style = .lines, side: Side = .left,
      color: Int? = nil, isDashed: Bool = false, isFaint: Bool = false
    ) {
      self.name = name
      self.points = points
      self.style = style
      self.side = side
      self.color = color
      self.isDashed = isDashed
      self.isFaint = isFaint
    }

    /// A series of one value per whole step, counted from `start` (epochs).
    init(_ name: String, values: [Double?], from start: Int = 1, style: Style = .lines) {
      self.init(
        name, values.enumerated().map { Point(Double(start + $0.offset), $0.element) },
        style: style)
    }
  }

  /// A point worth pointing at (the best epoch), with a few words.
  struct Mark: Sendable, Equatable {
    var x: Double
    var y: Double
    var label: String
    var side: Series.Side
    /// The palette place of the series it belongs to.
    var color: Int?

    init(x: Double, y: Double, label: String, side: Series.Side = .left, color: Int? = nil) {
      self.x = x
      self.y = y
      self.label = label
      self.side = side
      self.color = color
    }
  }

  /// A shaded range of x (a stage of progressive learning).
  struct Band: Sendable, Equatable {
    var from: Double
    var to: Double
    var label: String
    /// Of bands side by side, every other one is shaded.
    var isShaded: Bool

    init(from: Double, to: Double, label: String = "", isShaded: Bool = true) {
      self.from = from
      self.to = to
      self.label = label
      self.isShaded = isShaded
    }
  }

  /// Where the names of the series stand.
  enum Legend: Sendable {
    /// Outside if there are many, else inside; none for a single series without a name.
    case automatic
    case topRight, topLeft, bottomRight, bottomLeft, outside, none
    /// Above the figure, where it covers nothing.
    case above
  }

  var title: String
  var x: Axis
  var y: Axis
  /// The axis on the right, for the series that ask for it.
  var y2: Axis?
  var series: [Series]
  var marks: [Mark]
  var bands: [Band]
  var legend: Legend
  var showsGrid: Bool

  init(
    title: String = "", x: Axis, y: Axis, y2: Axis? = nil, series: [Series], marks: [Mark] = [],
    bands: [Band] = [], legend: Legend = .automatic, showsGrid: Bool = true
  ) {
    self.title = title
    self.x = x
    self.y = y
    self.y2 = y2
    self.series = series
    self.marks = marks
    self.bands = bands
    self.legend = legend
    self.showsGrid = showsGrid
  }

  /// Text on one line, without anything a terminal or a plotting tool might obey.
  static func oneLine(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: out += " "
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// The figure with every text on one line.
  var sanitized: Figure {
    var figure = self
    figure.title = Self.oneLine(title)
    for axis in [\Figure.x, \Figure.y] {
      figure[keyPath: axis].label = Self.oneLine(self[keyPath: axis].label)
      figure[keyPath: axis].unit = self[keyPath: axis].unit.map(Self.oneLine)
    }
    figure.y2?.label = Self.oneLine(y2?.label ?? "")
    figure.y2?.unit = y2?.unit.map(Self.oneLine)
    for index in series.indices { figure.series[index].name = Self.oneLine(series[index].name) }
    for index in marks.indices { figure.marks[index].label = Self.oneLine(marks[index].label) }
    for index in bands.indices { figure.bands[index].label = Self.oneLine(bands[index].label) }
    return figure
  }

  /// Whether anything is measured against the right axis.
  var usesRightAxis: Bool { y2 != nil && series.contains { $0.side == .right } }

  /// The axis a series is measured against.
  func axis(of side: Series.Side) -> Axis {
    side == .right ? y2 ?? y : y
  }

  /// A point as it can be drawn: a gap (`y` is `nil`) where its value is not finite or has no
  /// place on a logarithmic axis. `nil` if nothing was measured or its x has no place.
  func drawable(_ point: Point, side: Series.Side) -> Point? {
    func place(_ value: Double?, _ axis: Axis) -> Double? {
      guard let value, value.isFinite, axis.scale == .linear || value > 0 else { return nil }
      return value
    }
    guard point.y != nil, let x = place(point.x, x) else { return nil }
    let axis = axis(of: side)
    let (low, high) = (place(point.low, axis), place(point.high, axis))
    let band = low != nil && high != nil
    return Point(x, place(point.y, axis), low: band ? low : nil, high: band ? high : nil)
  }

  /// The style in which all of a series can be seen: a line through a lone point, between gaps or
  /// because there is no other, would show nothing.
  func visibleStyle(of series: Series) -> Series.Style {
    guard series.style == .lines || series.style == .steps else { return series.style }
    let drawn = series.points.compactMap { drawable($0, side: series.side) }
    let runs = drawn.split(omittingEmptySubsequences: true) { $0.y == nil }.map(\.count)
    guard runs.contains(1) else { return series.style }
    return runs.allSatisfy { $0 == 1 } ? .points : .linesAndPoints
  }

  /// Throws ``PlotError/nothingToPlot(_:)`` if no point of any series can be drawn.
  func checkDrawable() throws(PlotError) {
    let all = series.flatMap { series in
      series.points.map { (point: $0, drawable: drawable($0, side: series.side)) }
    }
    if all.contains(where: { $0.drawable?.y != nil }) { return }
    let hasValues = all.contains { ($0.point.y ?? .nan).isFinite }
    throw .nothingToPlot(
      hasValues
        ? "every value is zero or less, which a logarithmic axis cannot show"
        : series.isEmpty ? "no series was chosen" : "no value has been recorded yet")
  }
}
