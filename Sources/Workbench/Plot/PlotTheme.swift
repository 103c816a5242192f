/// The looks of every figure: fonts, sizes, colors and strokes, defined here and nowhere else.
///
/// The palette is Okabe and Ito's ("Color Universal Design", 2008), which readers with any common
/// color blindness can tell apart, ordered by contrast on white and without its yellow.
struct PlotTheme: Sendable, Equatable {
  /// A drawing surface: its size in the terminal's own unit and the font size that fits it.
  struct Surface: Sendable, Equatable {
    var size: String
    var fontSize: Int
    var strokeScale: Double
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

  /// Dark ink on white, for screens and paper.
  static let light = PlotTheme(
    background: "#ffffff", foreground: "#222222", faint: "#555555", grid: "#d9d9d9",
    band: "#f0f0f0",
    palette: [
      "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000",
    ],
    font: "Arial", lineWidth: 1.8, pointSize: 0.6)

  /// gnuplot's point shapes, in the order of the palette: filled circle, square, triangles,
  /// diamond, pentagon, then an open circle.
  static let pointTypes = [7, 5, 9, 11, 13, 15, 6]

  /// gnuplot's dash types for series beyond one round of the palette.
  static let dashTypes = ["solid", "(7,4)", "(2,3)", "(8,3,2,3)"]

  /// The surface for a terminal.
  static func surface(for terminal: String) -> Surface {
    switch terminal {
    case "svg": Surface(size: "800,500", fontSize: 14, strokeScale: 1)
    case "pdfcairo", "pdf": Surface(size: "16cm,10cm", fontSize: 10, strokeScale: 1)
    default: Surface(size: "1600,1000", fontSize: 26, strokeScale: 2)
    }
  }
}
