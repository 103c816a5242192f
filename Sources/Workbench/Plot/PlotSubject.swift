/// Something that gnuplot can draw into a file: curves, a heat map.
protocol PlotSubject: Sendable {
  /// Refuses what would give an empty picture.
  func checkDrawable() throws(PlotError)
  /// The numbers behind the picture, as CSV.
  var csv: String { get }
  /// The whole gnuplot script, data included.
  func script(target: GnuplotScript.Target, theme: PlotTheme) -> String
}

extension Figure: PlotSubject {
  var csv: String { FigureData(self).csv }

  func script(target: GnuplotScript.Target, theme: PlotTheme) -> String {
    GnuplotScript(self, target: target, theme: theme).text
  }
}
