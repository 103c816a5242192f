import Foundation

/// A line chart made of characters alone, for a terminal without gnuplot.
///
/// Where the terminal shows Unicode and colors (or there is one series only), braille dots give
/// two by four points per character; otherwise each series has a letter of its own.
struct TextPlot: Sendable {
  /// The chart as whole lines, each ended by a newline.
  let text: String

  /// - Parameter size: the most it may take.
  init(
    _ figure: Figure, size: TerminalDevice.Size, isColored: Bool, showsUnicode: Bool,
    theme: PlotTheme = .light
  ) {
    let figure = figure.sanitized
    let layout = FigureLayout(figure)
    let style = Style(isColored: isColored)
    let isBraille = showsUnicode && (isColored || figure.series.count == 1)
    let inks = figure.series.indices.map { Ink(index: $0, isBraille: isBraille) }

    let cut: Character = showsUnicode ? "…" : "~"
    var head: [String] = []
    if !figure.title.isEmpty {
      let title = figure.title.truncated(to: size.columns, mark: cut)
      let indent = String(repeating: " ", count: (size.columns - title.displayWidth) / 2)
      head.append(indent + style(title, .strong))
    }
    head.append(figure.y.text.truncated(to: size.columns, mark: cut))
    let legend = Self.legend(
      figure, layout: layout, inks: inks, style: style, columns: size.columns, cut: cut)

    // Head, axis, tick labels, x label and legend stand around the canvas.
    let height = max(4, size.rows - head.count - 3 - legend.count)
    let ticks = Self.ticks(layout.y, count: max(2, height / 3))
    let gutter = (ticks.map { Self.label($0).count }.max() ?? 1) + 1
    let width = max(10, size.columns - gutter - 2)

    var canvas = TextCanvas(columns: width, rows: height, isBraille: isBraille)
    for (index, series) in figure.series.enumerated() {
      let extent = series.side == .right ? layout.y2 ?? layout.y : layout.y
      canvas.draw(
        series.points.compactMap { figure.drawable($0, side: series.side) },
        x: layout.x, y: extent, style: series.style, ink: inks[index])
    }

    let (corner, side, floor) = showsUnicode ? ("└", "│", "─") : ("+", "|", "-")
    var rows = canvas.lines(style: style).map { ("", $0) }
    for tick in ticks {
      let fraction = layout.y.fraction(tick)
      guard fraction >= 0, fraction <= 1 else { continue }
      let row = Int((1 - fraction) * Double(height - 1) + 0.5)
      rows[row].0 = Self.label(tick)
    }
    var lines = head
    lines += rows.map { "\($0.0.padded(to: gutter, .right))\(side)\($0.1)" }
    lines.append(
      String(repeating: " ", count: gutter) + corner + String(repeating: floor, count: width))
    lines.append(Self.xLabels(layout.x, gutter: gutter, width: width))
    let label = figure.x.text.truncated(to: width, mark: cut)
    lines.append(
      String(repeating: " ", count: gutter + 1 + (width - label.displayWidth) / 2) + label)
    lines += legend
    text = lines.map { $0 + "\n" }.joined()
  }

  /// How a series is told from the others.
  struct Ink: Sendable {
    let symbol: Character
    let role: Style.Role?

    init(index: Int, isBraille: Bool) {
      let symbols: [Character] = ["*", "+", "o", "x", "#", "@", "%", "="]
      let roles: [Style.Role] = [.source, .error, .success, .accent, .warning, .faint, .strong]
      symbol = isBraille ? "━" : symbols[index % symbols.count]
      role = roles[index % roles.count]
    }
  }

  // MARK: Pieces

  private static func legend(
    _ figure: Figure, layout: FigureLayout, inks: [Ink], style: Style, columns: Int,
    cut: Character
  ) -> [String] {
    guard layout.legend != .none else { return [] }
    let entries = zip(figure.series, inks).filter { !$0.0.name.isEmpty }.map { series, ink in
      let mark = ink.role.map { style("\(ink.symbol)\(ink.symbol)", $0) } ?? "\(ink.symbol)"
      let range = series.side == .right ? layout.y2 : nil
      let right = range.map { " (right: \(label($0.low)) to \(label($0.high)))" } ?? ""
      return "\(mark) \((series.name + right).truncated(to: max(8, columns - 6), mark: cut))"
    }
    var lines: [String] = []
    for entry in entries {
      if let line = lines.last, line.displayWidth + entry.displayWidth + 3 <= columns {
        lines[lines.count - 1] += "   " + entry
      } else {
        lines.append("  " + entry)
      }
    }
    return lines
  }

  private static func xLabels(
    _ extent: FigureLayout.Extent, gutter: Int, width: Int
  ) -> String {
    var cells = [Character](repeating: " ", count: gutter + width + 2)
    var free = 0
    for tick in ticks(extent, count: max(2, width / 12)) {
      let fraction = extent.fraction(tick)
      guard fraction >= 0, fraction <= 1 else { continue }
      let text = label(tick)
      let middle = gutter + 1 + Int(fraction * Double(width - 1) + 0.5)
      let start = min(max(middle - text.count / 2, 0), cells.count - text.count)
      guard start >= free else { continue }
      cells.replaceSubrange(start..<start + text.count, with: Array(text))
      free = start + text.count + 1
    }
    while cells.last == " " { cells.removeLast() }
    return String(cells)
  }

  /// Round values between the ends of an axis.
  static func ticks(_ extent: FigureLayout.Extent, count: Int) -> [Double] {
    switch extent.ticks {
    case .at(let values): return values
    case .decades:
      let decades = Int(log10(extent.low).rounded(.up))...Int(log10(extent.high).rounded(.up))
      return decades.map { pow(10, Double($0)) }
    case .automatic, .every:
      let span = extent.high - extent.low
      guard span > 0, span.isFinite else { return [extent.low] }
      var step = FigureLayout.roundStep(span, intervals: max(1, count))
      if case .every(let whole) = extent.ticks { step = max(step, whole) }
      let first = (extent.low / step).rounded(.up)
      let last = (extent.high / step).rounded(.down)
      guard last >= first, last - first < 1000 else { return [extent.low, extent.high] }
      return stride(from: first, through: last, by: 1).map { $0 * step }
    }
  }

  private static func label(_ value: Double) -> String {
    NumberText.significant(abs(value) < 1e-12 ? 0 : value, 4)
  }
}

/// A field of characters that lines are drawn into.
private struct TextCanvas {
  let columns: Int
  let rows: Int
  let isBraille: Bool
  private var dots: [UInt8]
  private var symbols: [Character]
  private var roles: [Style.Role?]

  init(columns: Int, rows: Int, isBraille: Bool) {
    (self.columns, self.rows, self.isBraille) = (columns, rows, isBraille)
    dots = Array(repeating: 0, count: columns * rows)
    symbols = Array(repeating: " ", count: columns * rows)
    roles = Array(repeating: nil, count: columns * rows)
  }

  private var width: Int { isBraille ? columns * 2 : columns }
  private var height: Int { isBraille ? rows * 4 : rows }

  mutating func draw(
    _ points: [Figure.Point], x: FigureLayout.Extent, y: FigureLayout.Extent,
    style: Figure.Series.Style, ink: TextPlot.Ink
  ) {
    var last: (Int, Int)?
    for point in points {
      guard let value = point.y else {
        last = nil
        continue
      }
      let across = x.fraction(point.x) * Double(width - 1)
      let down = (1 - y.fraction(value)) * Double(height - 1)
      // Far outside the field (the user chose the range): nothing to draw there.
      guard abs(across) < 1e5, abs(down) < 1e5 else {
        last = nil
        continue
      }
      let here = (Int(across.rounded()), Int(down.rounded()))
      if let last, style != .points {
        if style == .steps {
          line(last, (here.0, last.1), ink)
          line((here.0, last.1), here, ink)
        } else {
          line(last, here, ink)
        }
      }
      set(here.0, here.1, ink)
      last = here
    }
  }

  private mutating func line(_ from: (Int, Int), _ to: (Int, Int), _ ink: TextPlot.Ink) {
    let steps = max(abs(to.0 - from.0), abs(to.1 - from.1), 1)
    for step in 0...steps {
      set(
        from.0 + Int((Double((to.0 - from.0) * step) / Double(steps)).rounded()),
        from.1 + Int((Double((to.1 - from.1) * step) / Double(steps)).rounded()), ink)
    }
  }

  private mutating func set(_ x: Int, _ y: Int, _ ink: TextPlot.Ink) {
    guard 0..<width ~= x, 0..<height ~= y else { return }
    let cell = isBraille ? (y / 4) * columns + x / 2 : y * columns + x
    roles[cell] = ink.role
    if isBraille {
      let bits: [[UInt8]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]
      dots[cell] |= bits[y % 4][x % 2]
      symbols[cell] = Unicode.Scalar(0x2800 + UInt32(dots[cell])).map { Character($0) } ?? "*"
    } else {
      symbols[cell] = ink.symbol
    }
  }

  /// The rows, without the blanks at their ends; neighbours of one color share a sequence.
  func lines(style: Style) -> [String] {
    (0..<rows).map { row in
      var out = ""
      var run = ""
      var role: Style.Role?
      func flush() {
        out += role.map { style(run, $0) } ?? run
        run = ""
      }
      let range = row * columns..<(row + 1) * columns
      let last = range.last { symbols[$0] != " " } ?? (range.lowerBound - 1)
      for cell in range where cell <= last {
        if roles[cell] != role {
          flush()
          role = roles[cell]
        }
        run.append(symbols[cell])
      }
      flush()
      return out
    }
  }
}
