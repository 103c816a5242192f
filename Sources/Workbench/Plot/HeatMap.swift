import Foundation

/// A map of numbers, drawn as coloured cells: the features of a picture, a confusion matrix.
struct HeatMap: Sendable, Equatable {
  /// From which colour to which the numbers go.
  enum Palette: Sendable {
    /// Viridis (Smith and van der Walt, 2015): even steps of lightness, safe for colour-blind readers.
    case viridis
    /// From the background to the first colour of the theme, for maps that are mostly empty.
    case ink
  }

  let title: String
  /// What a number means, beside the colour scale.
  let label: String
  /// The rows from top to bottom, each as long as the others.
  let rows: [[Float]]
  /// What the rows and the columns stand for; empty where they are but places.
  var names: [String] = []
  var rowLabel = ""
  var columnLabel = ""
  /// What stands in each cell; nil for nothing.
  var cells: [[String]]?
  var palette = Palette.viridis

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
  func checkDrawable() throws(PlotError) {
    guard rows.joined().contains(where: \.isFinite) else {
      throw .nothingToPlot("no value is a number")
    }
  }

  var csv: String {
    let lines = rows.enumerated().map { index, row in
      (names.isEmpty ? [] : [ReportValue.csvField(names[index])])
        + row.map { ReportValue.real(Double($0)).csv }
    }
    let header = names.isEmpty ? [] : [["class"] + names.map(ReportValue.csvField)]
    return (header + lines).map { $0.joined(separator: ",") + "\n" }.joined()
  }

  func text(columns: Int, style: Style) -> String { text }

  func script(target: GnuplotScript.Target, theme: PlotTheme) -> String {
    let (width, height) = (rows.first?.count ?? 0, rows.count)
    // Squares, and room for the title, the names and the colour scale.
    let aspect = 0.85 * Double(height) / Double(max(1, width))
    var lines = GnuplotScript.preamble(target, theme, aspect: min(max(aspect, 0.4), 1.2))
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
    let ink = " textcolor rgb '\(theme.foreground)'"
    lines += [
      "set title \(GnuplotScript.quoted(title)) noenhanced font '\(theme.font):Bold,"
        + "\(theme.surface(for: target.terminal).fontSize)'\(ink)",
      "set cblabel \(GnuplotScript.quoted(label)) noenhanced\(ink)",
      "set palette defined (\(colors(theme)))",
      "set size ratio -1",
      "set border linecolor rgb '\(theme.foreground)' linewidth 0.8",
      "set xrange [-0.5:\(width).0 - 0.5]",
      "set yrange [\(height).0 - 0.5:-0.5]",
      "unset key",
      "set tics out nomirror scale 0.4\(ink)",
    ]
    if !columnLabel.isEmpty {
      lines.append("set xlabel \(GnuplotScript.quoted(columnLabel)) noenhanced\(ink)")
      lines.append("set ylabel \(GnuplotScript.quoted(rowLabel)) noenhanced\(ink)")
    }
    lines += ticks(max(width, height))
    let image = "$map matrix using (($1 - 0.5) / 2):(($2 - 0.5) / 2):3 with image"
    lines += cellLines(theme, image: image)
    return lines.map { $0 + "\n" }.joined()
  }

  private func colors(_ theme: PlotTheme) -> String {
    switch palette {
    case .viridis: "0 '#440154', 0.25 '#3b528b', 0.5 '#21918c', 0.75 '#5ec962', 1 '#fde725'"
    case .ink: "0 '\(theme.background)', 1 '\(theme.palette[0])'"
    }
  }

  private func ticks(_ count: Int) -> [String] {
    guard !names.isEmpty, count <= 40 else {
      return count <= 20 ? ["set xtics 1", "set ytics 1"] : []
    }
    let list = names.enumerated().map { "\(GnuplotScript.quoted($0.element)) \($0.offset)" }
      .joined(separator: ", ")
    let isLong = names.contains { $0.count > 3 }
    return [
      "set xtics \(isLong ? "rotate by 45 right " : "")(\(list)) noenhanced",
      "set ytics (\(list)) noenhanced",
    ]
  }

  /// The plot, with the words of the cells in an ink that can be read on their colour.
  private func cellLines(_ theme: PlotTheme, image: String) -> [String] {
    guard let cells else { return ["plot \(image)"] }
    let largest = rows.joined().max() ?? 1
    var blocks: [Bool: [String]] = [true: [], false: []]
    for (row, words) in cells.enumerated() {
      for (column, word) in words.enumerated() where !word.isEmpty {
        let isStrong = rows[row][column] > 0.5 * largest
        blocks[isStrong, default: []].append("\(column) \(row) \"\(word)\"")
      }
    }
    let strongInk = palette == .ink ? "#ffffff" : "#000000"
    let weakInk = palette == .ink ? theme.foreground : "#ffffff"
    var lines: [String] = []
    var elements = [image]
    for (name, isStrong, ink) in [("strong", true, strongInk), ("weak", false, weakInk)] {
      guard let block = blocks[isStrong], !block.isEmpty else { continue }
      lines += ["$\(name) << END"] + block + ["END"]
      elements.append("$\(name) using 1:2:3 with labels textcolor rgb '\(ink)'")
    }
    return lines + ["plot " + elements.joined(separator: ", \\\n  ")]
  }
}
