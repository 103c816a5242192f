import Foundation

/// The gnuplot text of a figure: a pure function, data included, so that the text alone redraws it.
///
/// Every word of the user's stands in single quotes with enhanced mode off, every column is a
/// number: gnuplot interprets nothing of it.
struct GnuplotScript {
  /// Where and how to draw.
  struct Target: Sendable, Equatable {
    /// gnuplot's terminal: `pngcairo`, `svg`, `dumb`, …
    var terminal: String
    /// The file to write; `nil` is gnuplot's standard output.
    var output: String?
    /// The size of `dumb`, in characters.
    var size = TerminalDevice.Size(columns: 79, rows: 21)
    /// Whether `dumb` may use color sequences.
    var isColored = false
    /// The script's own name, for its heading.
    var scriptName: String?
  }

  let text: String

  init(_ figure: Figure, target: Target, theme: PlotTheme = .light) {
    var writer = ScriptWriter(figure: figure, target: target, theme: theme)
    text = writer.write()
  }

  /// The beginning of every script: how to redraw it, the encoding, the terminal, the output.
  ///
  /// - Parameter aspect: how many times as high as wide the picture is; nil for the theme's own.
  static func preamble(_ target: Target, _ theme: PlotTheme, aspect: Double? = nil) -> [String] {
    var lines: [String] = []
    if let name = target.scriptName {
      lines.append("# Redraw with: gnuplot \(name)    (everything is in this file: edit at will)")
    }
    lines.append("set encoding utf8")
    let kind = target.terminal
    if kind == "dumb" {
      let color = target.isColored ? "ansi256" : "mono"
      lines.append(
        "set terminal dumb size \(target.size.columns),\(target.size.rows) nofeed \(color)")
    } else {
      let own = theme.surface(for: kind)
      let surface = aspect.map(own.shaped) ?? own
      let font = quoted("\(theme.font),\(surface.fontSize)")
      let enhanced = kind == "sixelgd" ? "truecolor enhanced" : "enhanced"
      let truecolor = kind == "png" ? " truecolor" : ""
      lines.append(
        "set terminal \(kind) \(enhanced) size \(surface.size) font \(font)"
          + " linewidth \(ReportValue.shortest(surface.strokeScale))\(truecolor)"
          + " background rgb '\(theme.background)'")
    }
    if let output = target.output { lines.append("set output \(quotedPath(output))") }
    return lines
  }

  /// Text as one of gnuplot's single-quoted strings, which have no escapes but the doubled quote.
  /// Line breaks and other control characters would end the statement: they become spaces.
  static func quoted(_ text: String) -> String {
    let line = Figure.oneLine(text)
    // gnuplot takes two quotes at the very start for an empty string, whatever follows.
    let start = line.hasPrefix("'") ? "' " : "'"
    return start
      + line.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: "''") + "'"
  }

  /// A file name as gnuplot takes it literally: a leading `|` or `<` would start a command.
  static func quotedPath(_ path: String) -> String {
    quoted(["|", "<", "'"].contains(path.prefix(1)) ? "./" + path : path)
  }
}

/// Builds the text, part by part.
private struct ScriptWriter {
  let figure: Figure
  let target: GnuplotScript.Target
  let theme: PlotTheme
  let layout: FigureLayout
  let data: FigureData
  var lines: [String] = []

  init(figure: Figure, target: GnuplotScript.Target, theme: PlotTheme) {
    let figure = figure.sanitized
    self.figure = figure
    self.target = target
    self.theme = theme
    self.layout = FigureLayout(figure)
    self.data = FigureData(figure)
  }

  var isText: Bool { target.terminal == "dumb" }
  var hasBandLabels: Bool { figure.bands.contains { !$0.label.isEmpty } }

  mutating func write() -> String {
    lines = GnuplotScript.preamble(target, theme)
    dataBlock()
    decoration()
    axes()
    legend()
    bands()
    marks()
    plot()
    return lines.map { $0 + "\n" }.joined()
  }

  // MARK: Parts

  private mutating func dataBlock() {
    lines.append("set datafile separator comma")
    let names = data.header.enumerated().map { "\($0.offset + 1) \($0.element)" }
    lines.append("# columns: " + names.joined(separator: ", "))
    lines.append("$data << end_of_data")
    lines += data.rows.map { $0.joined(separator: ",") }
    lines.append("end_of_data")
  }

  private mutating func decoration() {
    if !figure.title.isEmpty {
      let size = theme.surface(for: target.terminal).fontSize
      // In text the row below the title belongs to the labels of the vertical axes.
      let higher = hasBandLabels ? " offset 0,0.9" : ""
      let place = isText ? " offset 0,1" : " font '\(theme.font):Bold,\(size)'\(higher)"
      lines.append("set title \(GnuplotScript.quoted(figure.title)) noenhanced\(place)\(ink)")
    }
    if isText {
      lines.append("set border 3")
      lines.append("set tmargin \(figure.title.isEmpty ? 1 : 3)")
    } else {
      lines.append(
        "set border \(layout.y2 == nil ? 3 : 11) linecolor rgb '\(theme.foreground)' linewidth 0.8")
    }
    if hasBandLabels && !isText { lines.append("set tmargin \(figure.title.isEmpty ? 2.4 : 4.4)") }
    lines.append("set tics nomirror out scale 0.6\(ink)")
    if figure.showsGrid && !isText {
      lines.append("set grid back linetype 1 linecolor rgb '\(theme.grid)' linewidth 0.6")
    }
  }

  private mutating func axes() {
    axis("x", figure.x, layout.x)
    axis("y", figure.y, layout.y)
    if let right = figure.y2, let extent = layout.y2 { axis("y2", right, extent) }
  }

  private mutating func axis(_ name: String, _ axis: Figure.Axis, _ extent: FigureLayout.Extent) {
    if !axis.text.isEmpty {
      let label = GnuplotScript.quoted(axis.text)
      if isText && name != "x" {
        // Text cannot be turned: the quantity stands above its axis.
        let place =
          name == "y"
          ? "graph 0, graph 1 left offset character -4,1"
          : "graph 1, graph 1 right offset character 0,1"
        lines.append("set label \(label) at \(place) noenhanced")
      } else {
        lines.append("set \(name)label \(label) noenhanced\(ink)")
      }
    }
    if axis.scale == .logarithmic { lines.append("set logscale \(name) 10") }
    lines.append("set \(name)range [\(number(extent.low)):\(number(extent.high))]")
    switch extent.ticks {
    case .automatic:
      if name == "y2" { lines.append("set y2tics") }
    case .every(let step):
      lines.append("set \(name)tics \(number(step))")
    case .at(let values):
      lines.append("set \(name)tics (" + values.map(number).joined(separator: ", ") + ")")
    case .decades:
      if name == "y2" { lines.append("set y2tics") }
      lines.append("set format \(name) '\(isText ? "%.0e" : "10^{%L}")'")
    }
  }

  private mutating func legend() {
    let place: String
    switch layout.legend {
    case .none:
      lines.append("unset key")
      return
    case .topLeft: place = "inside left top"
    case .bottomRight: place = "inside right bottom"
    case .bottomLeft: place = "inside left bottom"
    case .above: place = isText ? "below" : "outside center top horizontal"
    case .outside: place = isText ? "below" : "outside right top"
    case .topRight, .automatic: place = "inside right top"
    }
    let looks =
      isText
      ? "" : " opaque Left reverse samplen 2.6 spacing 1.15 textcolor rgb '\(theme.foreground)'"
    lines.append("set key \(place) noenhanced\(looks)")
  }

  private mutating func bands() {
    for (index, band) in figure.bands.enumerated() {
      let (from, to) = (number(band.from), number(band.to))
      if isText {
        lines.append("set arrow from first \(from), graph 0 to first \(from), graph 0.9 nohead")
      } else if band.isShaded {
        lines.append(
          "set object \(index + 1) rectangle from first \(from), graph 0 to first \(to), graph 1 "
            + "behind fillcolor rgb '\(theme.band)' fillstyle solid noborder")
      }
      guard !band.label.isEmpty else { continue }
      let middle =
        figure.x.scale == .logarithmic
        ? (max(band.from, layout.x.low) * band.to).squareRoot()
        : (max(band.from, layout.x.low) + min(band.to, layout.x.high)) / 2
      let look = isText ? "" : " textcolor rgb '\(theme.faint)'"
      // Above the field, where no curve and no legend is.
      let height = isText ? "0.97" : "1.035"
      lines.append(
        "set label \(GnuplotScript.quoted(band.label)) at first \(number(middle)), graph \(height) "
          + "center noenhanced\(look)")
    }
  }

  private mutating func marks() {
    if !isText && !figure.marks.isEmpty {
      lines.append(
        "set style textbox opaque margins 0.6,0.4 fillcolor rgb '\(theme.background)' noborder")
    }
    for (mark, placement) in zip(figure.marks, layout.markPlacements(in: figure)) {
      let isRight = mark.side == .right && figure.usesRightAxis
      let (toLeft, down) = (placement.isLeft, placement.isBelow)
      let look: String
      if isText {
        look = " point pointtype 15 offset character \(toLeft ? -2 : 2),\(down ? -1 : 1)"
      } else {
        let color = mark.color.map { theme.palette[$0 % theme.palette.count] } ?? theme.foreground
        look =
          " boxed textcolor rgb '\(theme.foreground)' point pointtype 6 pointsize 1.6 "
          + "linecolor rgb '\(color)' linewidth 1.6 offset character "
          + "\(toLeft ? -1.2 : 1.2),\(down ? -1.4 : 1.4)"
      }
      lines.append(
        "set label \(GnuplotScript.quoted(mark.label)) at first \(number(mark.x)), "
          + "\(isRight ? "second" : "first") \(number(mark.y)) \(toLeft ? "right" : "left") front "
          + "noenhanced\(look)")
    }
  }

  private mutating func plot() {
    var elements: [String] = []
    var order = 0
    for (index, series) in figure.series.enumerated() {
      let columns = data.columns[index]
      let place = series.color ?? order
      if series.color == nil { order += 1 }
      let axes = series.side == .right && figure.usesRightAxis ? " axes x1y2" : ""
      let color = theme.palette[place % theme.palette.count]
      if let low = columns.low, let high = columns.high, !isText {
        elements.append(
          "$data using 1:\(low):\(high)\(axes) with filledcurves fillcolor rgb '\(color)' "
            + "fillstyle transparent solid 0.18 noborder notitle")
      }
      let title =
        series.name.isEmpty ? "notitle" : "title \(GnuplotScript.quoted(series.name))"
      elements.append(
        "$data using 1:\(columns.y)\(axes) with \(looks(series, place: place, color: color)) "
          + title)
    }
    lines.append("plot \\")
    for (index, element) in elements.enumerated() {
      lines.append("  " + element + (index < elements.count - 1 ? ", \\" : ""))
    }
    if target.output != nil { lines.append("set output") }
  }

  private func looks(_ series: Figure.Series, place: Int, color: String) -> String {
    let style = figure.visibleStyle(of: series)
    let name =
      switch style {
      case .lines: "lines"
      case .points: "points"
      case .linesAndPoints: "linespoints"
      case .steps: "steps"
      case .bars: "boxes"
      }
    let round = place / theme.palette.count
    if isText {
      let kind = " linetype \(place % 7 + 1)"
      return name + kind + (target.isColored ? " linecolor rgb '\(color)'" : "")
    }
    if style == .bars {
      let rgb = series.isFaint ? theme.grid : color
      return "boxes fillcolor rgb '\(rgb)' fillstyle solid noborder"
    }
    let alpha = series.isFaint ? "90" : ""
    let rgb = alpha.isEmpty ? color : "#" + alpha + color.dropFirst()
    var out = "\(name) linecolor rgb '\(rgb)'"
    out += " linewidth \(number(series.isFaint ? theme.lineWidth * 0.6 : theme.lineWidth))"
    let dash = PlotTheme.dashTypes[
      series.isDashed ? 1 : round % PlotTheme.dashTypes.count]
    if style != .points { out += " dashtype \(dash)" }
    if style == .points || style == .linesAndPoints {
      let kinds = series.isDashed ? PlotTheme.hollowPointTypes : PlotTheme.pointTypes
      let kind = kinds[place % kinds.count]
      // Points by themselves must be seen; on a line they only mark the places.
      let size = style == .points ? 2 * theme.pointSize : theme.pointSize
      out += " pointtype \(kind) pointsize \(number(size))"
    }
    return out
  }

  // MARK: Pieces

  private var ink: String {
    isText ? "" : " textcolor rgb '\(theme.foreground)'"
  }

  private func number(_ value: Double) -> String {
    ReportValue.shortest(value)
  }
}
