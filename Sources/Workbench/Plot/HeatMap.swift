/// A square map of numbers, drawn as coloured cells: the features of a picture.
struct HeatMap: Sendable, Equatable {
  let title: String
  /// What a number means, beside the colour scale.
  let label: String
  /// The rows from top to bottom, each as long as the others.
  let rows: [[Float]]

  /// The map as text: a darker character for a larger number, two columns a cell.
  var text: String {
    let shades = Array(" .:-=+*#%@")
    let values = rows.joined().filter(\.isFinite)
    guard let low = values.min(), let high = values.max() else { return "" }
    let lines = rows.map { row in
      row.map { value -> String in
        guard value.isFinite, high > low else { return "  " }
        let shade = shades[Int((value - low) / (high - low) * Float(shades.count - 1) + 0.5)]
        return String(repeating: shade, count: 2)
      }.joined()
    }
    let scale =
      "\(NumberText.significant(Double(low), 3)) to \(NumberText.significant(Double(high), 3))"
    return "\(title): \(label), \(scale)\n" + lines.map { $0 + "\n" }.joined()
  }
}

extension HeatMap: PlotSubject {
  /// Viridis (Smith and van der Walt, 2015): even steps of lightness, safe for colour-blind readers.
  private static let palette =
    "0 '#440154', 0.25 '#3b528b', 0.5 '#21918c', 0.75 '#5ec962', 1 '#fde725'"

  func checkDrawable() throws(PlotError) {
    guard rows.joined().contains(where: \.isFinite) else {
      throw .nothingToPlot("no value is a number")
    }
  }

  var csv: String {
    rows.map { row in
      row.map { ReportValue.real(Double($0)).csv }.joined(separator: ",") + "\n"
    }.joined()
  }

  func script(target: GnuplotScript.Target, theme: PlotTheme) -> String {
    var lines: [String] = []
    if let name = target.scriptName {
      lines.append("# Redraw with: gnuplot \(name)    (everything is in this file: edit at will)")
    }
    lines.append("set encoding utf8")
    if target.terminal == "dumb" {
      lines.append("set terminal dumb size \(target.size.columns),\(target.size.rows) mono")
    } else {
      let surface = PlotTheme.surface(for: target.terminal)
      let font = GnuplotScript.quoted("\(theme.font),\(surface.fontSize)")
      lines.append(
        "set terminal \(target.terminal) enhanced size \(surface.size) font \(font) "
          + "background rgb '\(theme.background)'")
    }
    if let output = target.output {
      lines.append("set output \(GnuplotScript.quotedPath(output))")
    }
    lines.append("$map << END")
    // gnuplot's images have two points a side at least: every cell is four points.
    for row in rows {
      let line = row.map { value -> String in
        let text = value.isFinite ? ReportValue.shortest(Double(value)) : "nan"
        return "\(text) \(text)"
      }.joined(separator: " ")
      lines += [line, line]
    }
    lines.append("END")
    let width = rows.first?.count ?? 0
    lines += [
      "set title \(GnuplotScript.quoted(title)) noenhanced textcolor rgb '\(theme.foreground)'",
      "set cblabel \(GnuplotScript.quoted(label)) noenhanced",
      "set palette defined (\(Self.palette))",
      "set size ratio -1",
      "set xrange [-0.5:\(width).0 - 0.5]",
      "set yrange [\(rows.count).0 - 0.5:-0.5]",
      "unset key",
      "set tics out nomirror",
      max(width, rows.count) <= 20 ? "set xtics 1; set ytics 1" : "",
      "plot $map matrix using (($1 - 0.5) / 2):(($2 - 0.5) / 2):3 with image",
    ]
    return lines.map { $0 + "\n" }.joined()
  }
}
