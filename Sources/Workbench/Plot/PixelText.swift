import Model

/// A picture as characters: two pixels a character where the terminal has colours, else shades.
enum PixelText {
  /// - Parameter columns: the most characters of a line.
  static func text(_ image: ImageRGB, columns: Int, style: Style) -> String {
    let width = max(1, min(columns, image.width))
    let height = max(1, image.height * width / image.width)
    func color(_ x: Int, _ y: Int) -> (Int, Int, Int) {
      mean(
        image,
        x * image.width / width..<max(x * image.width / width + 1, (x + 1) * image.width / width),
        y * image.height
          / height..<max(
            y * image.height / height + 1, (y + 1) * image.height / height))
    }
    let isUnicode = TerminalDevice.showsUnicode()
    return stride(from: 0, to: height, by: 2).map { y -> String in
      let cells = (0..<width).map { x -> String in
        let upper = color(x, y)
        let lower = y + 1 < height ? color(x, y + 1) : upper
        guard style.isColored, isUnicode else { return shade(upper, lower) }
        return "\u{1B}[38;5;\(index(upper));48;5;\(index(lower))m▀"
      }
      return cells.joined() + (style.isColored && isUnicode ? "\u{1B}[0m" : "") + "\n"
    }.joined()
  }

  private static func mean(
    _ image: ImageRGB, _ columns: Range<Int>, _ rows: Range<Int>
  ) -> (Int, Int, Int) {
    var sum = (0, 0, 0)
    for y in rows {
      for x in columns {
        let place = 3 * (y * image.width + x)
        sum.0 += Int(image.pixels[place])
        sum.1 += Int(image.pixels[place + 1])
        sum.2 += Int(image.pixels[place + 2])
      }
    }
    let count = columns.count * rows.count
    return (sum.0 / count, sum.1 / count, sum.2 / count)
  }

  /// The place in the 6x6x6 cube of the 256 colours that terminals have.
  private static func index(_ color: (Int, Int, Int)) -> Int {
    func level(_ value: Int) -> Int { value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40 }
    return 16 + 36 * level(color.0) + 6 * level(color.1) + level(color.2)
  }

  private static func shade(_ upper: (Int, Int, Int), _ lower: (Int, Int, Int)) -> String {
    let shades = Array(" .:-=+*#%@")
    func light(_ color: (Int, Int, Int)) -> Int { 299 * color.0 + 587 * color.1 + 114 * color.2 }
    let value = (light(upper) + light(lower)) / 2
    return String(shades[min(shades.count - 1, value * shades.count / 255_001)])
  }
}
