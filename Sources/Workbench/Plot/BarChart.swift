import Foundation

/// Horizontal bars with names beside them, each of one part or of several.
struct BarChart: Sendable, Equatable {
  /// One bar.
  struct Bar: Sendable, Equatable {
    var name: String
    /// The lengths of its parts, one behind the other, none below 0.
    var parts: [Double]
    /// What stands behind it.
    var note = ""

    var length: Double { parts.reduce(0, +) }
  }

  var title: String
  /// What a length means.
  var axis: Figure.Axis
  /// What the parts are; empty for bars of one part.
  var partNames: [String] = []
  /// From top to bottom.
  var bars: [Bar]
  /// A value to compare with, marked across all bars.
  var reference: (value: Double, label: String)?

  static func == (first: BarChart, second: BarChart) -> Bool {
    first.csv == second.csv && first.title == second.title && first.axis == second.axis
      && first.reference?.value == second.reference?.value
  }

  fileprivate var extent: Double {
    axis.maximum ?? max(bars.map(\.length).max() ?? 0, reference?.value ?? 0)
  }
}

extension BarChart: PlotSubject {
  func checkDrawable() throws(PlotError) {
    guard bars.contains(where: { $0.length.isFinite && $0.length > 0 }) else {
      throw .nothingToPlot("every bar would be empty")
    }
  }

  var csv: String {
    let header = ["name"] + (partNames.isEmpty ? [axis.text] : partNames)
    let rows = bars.map { bar in
      [ReportValue.csvField(bar.name)] + bar.parts.map { ReportValue.real($0).csv }
    }
    return ([header.map(ReportValue.csvField)] + rows).map { $0.joined(separator: ",") + "\n" }
      .joined()
  }

  func text(columns: Int, style: Style) -> String {
    let names = bars.map { $0.name.truncated(to: 24) }
    let gutter = names.map(\.displayWidth).max() ?? 0
    let notes = bars.map(\.note.displayWidth).max() ?? 0
    let width = max(10, columns - gutter - notes - 4)
    let (inks, roles): ([Character], [Style.Role]) =
      TerminalDevice.showsUnicode()
      ? (["█", "▒", "░"], [.source, .warning, .success])
      : (["#", "=", "-"], [.source, .warning, .success])
    var lines = ["\(style(title, .strong)): \(axis.text)"]
    for (bar, name) in zip(bars, names) {
      var line = name.padded(to: gutter, .left) + " "
      for (index, part) in bar.parts.enumerated() {
        let cells = Int((part / extent * Double(width)).rounded())
        line += style(
          String(repeating: inks[index % inks.count], count: max(0, cells)),
          roles[index % roles.count])
      }
      lines.append(bar.note.isEmpty ? line : line + " " + bar.note)
    }
    if !partNames.isEmpty {
      let key = partNames.enumerated().map { "\(inks[$0.offset % inks.count]) \($0.element)" }
      lines.append(key.joined(separator: "   "))
    }
    return lines.map { $0 + "\n" }.joined()
  }

  func script(target: GnuplotScript.Target, theme: PlotTheme) -> String {
    let count = bars.count
    let aspect = min(max(0.14 + 0.032 * Double(count), 0.3), 2.2)
    var lines = GnuplotScript.preamble(target, theme, aspect: aspect)
    let ink = " textcolor rgb '\(theme.foreground)'"
    let size = theme.surface(for: target.terminal).fontSize
    let shrunk = max(7, min(size, size * 28 / max(28, count)))
    let small = " font '\(theme.font),\(max(7, shrunk * 7 / 8))'"
    let names = bars.enumerated().map { "\(GnuplotScript.quoted($0.element.name)) \($0.offset)" }
    lines += [
      "set title \(GnuplotScript.quoted(title)) noenhanced font '\(theme.font):Bold,\(size)'"
        + "\(reference == nil ? "" : " offset 0,0.5")\(ink)",
      "set xlabel \(GnuplotScript.quoted(axis.text)) noenhanced\(ink)",
      "set border 3 linecolor rgb '\(theme.foreground)' linewidth 0.8",
      "set tics nomirror out scale 0.4\(ink)",
      "set ytics (\(names.joined(separator: ", "))) noenhanced\(small)",
      "set grid xtics back linetype 1 linecolor rgb '\(theme.grid)' linewidth 0.6",
      // Room for the words behind the longest bar.
      "set xrange [0:\(ReportValue.shortest(extent * (axis.maximum == nil ? 1.12 : 1.08)))]",
      "set yrange [\(count).0 - 0.4:-0.6]",
      partNames.isEmpty
        ? "unset key"
        : "set key outside top right horizontal noenhanced samplen 1.2\(ink)",
    ]
    if reference != nil { lines.append("set tmargin \(title.isEmpty ? 2.2 : 3.6)") }
    if axis.maximum == 100 { lines.append("set xtics 20") }
    if let reference {
      let x = ReportValue.shortest(reference.value)
      lines.append(
        "set arrow from first \(x), graph 0 to first \(x), graph 1 nohead front dashtype (6,4) "
          + "linecolor rgb '\(theme.faint)' linewidth 1")
      lines.append(
        "set label \(GnuplotScript.quoted(reference.label)) at first \(x), graph 1 center "
          + "offset character 0,0.6 noenhanced\(small) textcolor rgb '\(theme.faint)'")
    }
    for (index, bar) in bars.enumerated() where !bar.note.isEmpty {
      lines.append(
        "set label \(GnuplotScript.quoted(bar.note)) at first \(ReportValue.shortest(bar.length)), "
          + "first \(index) left offset character 0.6,0 noenhanced\(small)\(ink)")
    }
    lines += plot(theme)
    return lines.map { $0 + "\n" }.joined()
  }

  private func plot(_ theme: PlotTheme) -> [String] {
    let parts = bars.map(\.parts.count).max() ?? 0
    var lines = [
      "# columns: bar, then the beginning and the end of each part", "$bars << end_of_data",
    ]
    for (index, bar) in bars.enumerated() {
      var end = 0.0
      let ends = bar.parts.flatMap { part -> [String] in
        defer { end += part }
        return [ReportValue.shortest(end), ReportValue.shortest(end + part)]
      }
      lines.append(([String(index)] + ends).joined(separator: " "))
    }
    lines += ["end_of_data", "set style fill solid noborder"]
    let elements = (0..<parts).map { part -> String in
      let (low, high) = (2 + 2 * part, 3 + 2 * part)
      let name = partNames.isEmpty ? "notitle" : "title \(GnuplotScript.quoted(partNames[part]))"
      return "$bars using \(low):1:\(low):\(high):($1 - 0.38):($1 + 0.38) with boxxyerror "
        + "fillcolor rgb '\(theme.palette[part % theme.palette.count])' \(name)"
    }
    return lines + ["plot " + elements.joined(separator: ", \\\n  ")]
  }
}
