/// The looks of every figure: fonts, sizes, colors and strokes, defined here and nowhere else.
///
/// The palette is Okabe and Ito's ("Color Universal Design", 2008), which readers with any common
/// color blindness can tell apart, ordered by contrast on the background and without its yellow.
struct PlotTheme: Sendable, Equatable {
  /// A drawing surface: its size in the terminal's own unit and the font size that fits it.
  struct Surface: Sendable, Equatable {
    var width: Double
    var height: Double
    /// What gnuplot writes behind both: nothing for pixels, `cm`.
    var unit = ""
    var fontSize: Int
    var strokeScale: Double

    /// The size as gnuplot takes it.
    var size: String {
      "\(ReportValue.shortest(width))\(unit),\(ReportValue.shortest(height))\(unit)"
    }

    /// As wide, and so many times as high as wide.
    func shaped(_ aspect: Double) -> Surface {
      var surface = self
      let height = width * aspect
      surface.height = unit.isEmpty ? height.rounded() : (height * 10).rounded() / 10
      return surface
    }
  }

  var background: String
  var foreground: String
  var faint: String
  var grid: String
  var band: String
  var palette: [String]
  /// Present or aliased everywhere: Linux draws Liberation Sans in its place, at the same widths.
  var font: String
  var lineWidth: Double
  var pointSize: Double
  /// Whether figures are as wide as a column of print.
  var isNarrow = false

  /// Dark ink on white, for screens and paper.
  static let light = PlotTheme(
    background: "#ffffff", foreground: "#222222", faint: "#555555", grid: "#d9d9d9",
    band: "#f0f0f0",
    palette: [
      "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000",
    ],
    font: "Arial", lineWidth: 1.8, pointSize: 0.9)

  /// Light ink on near black.
  static let dark = PlotTheme(
    background: "#16181d", foreground: "#e6e6e6", faint: "#a8a8a8", grid: "#3a3d44",
    band: "#23262d",
    palette: [
      "#56b4e9", "#e69f00", "#2fc79a", "#e08fc0", "#f07c32", "#4aa0e0", "#ffffff",
    ],
    font: "Arial", lineWidth: 1.8, pointSize: 0.9)

  /// A column of a printed paper: 8.5 cm wide, the serif font of the text, thin strokes.
  static let paper = PlotTheme(
    background: "#ffffff", foreground: "#000000", faint: "#444444", grid: "#e2e2e2",
    band: "#eeeeee", palette: light.palette, font: "Times", lineWidth: 1.2, pointSize: 0.6,
    isNarrow: true)

  /// The themes by the name that `style=` takes.
  static let named: [(name: String, theme: PlotTheme)] = [
    ("light", light), ("dark", dark), ("paper", paper),
  ]

  /// gnuplot's point shapes, in the order of the palette: filled circle, square, triangles,
  /// diamond, pentagon, then an open circle.
  static let pointTypes = [7, 5, 9, 11, 13, 15, 6]

  /// The same shapes hollow, for dashed lines: some terminals (sixelgd) draw every line solid.
  static let hollowPointTypes = [6, 4, 8, 10, 12, 14, 7]

  /// gnuplot's dash types for series beyond one round of the palette.
  static let dashTypes = ["solid", "(7,4)", "(2,3)", "(8,3,2,3)"]

  /// The surface for a terminal.
  func surface(for terminal: String) -> Surface {
    switch terminal {
    case "svg":
      isNarrow
        ? Surface(width: 420, height: 280, fontSize: 11, strokeScale: 1)
        : Surface(width: 800, height: 500, fontSize: 14, strokeScale: 1)
    case "pdfcairo", "pdf":
      isNarrow
        ? Surface(width: 8.5, height: 5.6, unit: "cm", fontSize: 8, strokeScale: 0.8)
        : Surface(width: 16, height: 10, unit: "cm", fontSize: 10, strokeScale: 1)
    case "sixelgd": Surface(width: 800, height: 500, fontSize: 12, strokeScale: 1)
    default:
      isNarrow
        ? Surface(width: 1020, height: 680, fontSize: 23, strokeScale: 2)
        : Surface(width: 1600, height: 1000, fontSize: 26, strokeScale: 2)
    }
  }
}
