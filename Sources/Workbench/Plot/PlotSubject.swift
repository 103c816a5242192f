import Foundation

/// Something that gnuplot can draw into a file: curves, a heat map, bars, a sheet of pictures.
protocol PlotSubject: Sendable {
  /// Refuses what would give an empty picture.
  func checkDrawable() throws(PlotError)
  /// The numbers behind the picture, as CSV.
  var csv: String { get }
  /// The whole gnuplot script, data included, but for the attachments.
  func script(target: GnuplotScript.Target, theme: PlotTheme) -> String
  /// Files that the script reads and that stay beside it, by name.
  ///
  /// - Parameter base: the picture's name without its ending.
  func attachments(base: String, theme: PlotTheme) throws(PlotError) -> [PlotAttachment]
  /// The picture as text for a terminal so many columns wide.
  func text(columns: Int, style: Style) -> String
}

extension PlotSubject {
  func attachments(base: String, theme: PlotTheme) -> [PlotAttachment] { [] }
}

/// A file beside a picture, which its script reads.
struct PlotAttachment: Sendable, Equatable {
  var name: String
  var data: Data
}

extension Figure: PlotSubject {
  var csv: String { FigureData(self).csv }

  func script(target: GnuplotScript.Target, theme: PlotTheme) -> String {
    GnuplotScript(self, target: target, theme: theme).text
  }

  func text(columns: Int, style: Style) -> String {
    let size = TerminalDevice.Size(columns: columns, rows: max(12, columns * 3 / 8))
    return TextPlot(
      self, size: size, isColored: style.isColored, showsUnicode: TerminalDevice.showsUnicode()
    ).text
  }
}
