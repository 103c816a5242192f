import Foundation
import Model

/// Pictures side by side with a few words below each: a batch, filters, a picture and what was found
/// in it.
struct PictureSheet: Sendable, Equatable {
  /// One picture.
  struct Tile: Sendable, Equatable {
    var image: ImageRGB
    var caption = ""
  }

  var title: String
  /// All of one size.
  var tiles: [Tile]
  var columns: Int
  /// The least edge of a drawn picture in pixels: small ones are enlarged by whole factors.
  var leastEdge = 96

  /// Where everything stands in one large picture, in its pixels.
  struct Arrangement {
    let scale: Int
    let edge: (width: Int, height: Int)
    let gap: Int
    let caption: Int
    let columns: Int
    let rows: Int

    var width: Int { columns * (edge.width + gap) + gap }
    var height: Int { rows * (edge.height + caption + gap) + gap }

    /// The upper left corner of a picture.
    func corner(_ index: Int) -> (x: Int, y: Int) {
      (
        gap + index % columns * (edge.width + gap),
        gap + index / columns * (edge.height + caption + gap)
      )
    }
  }

  var arrangement: Arrangement {
    let image = tiles.first?.image
    let (width, height) = (image?.width ?? 1, image?.height ?? 1)
    let scale = max(1, (leastEdge + width - 1) / width)
    let edge = (width: width * scale, height: height * scale)
    let columns = max(1, min(columns, tiles.count))
    // Captions are as high as an eighth of what they have for their width.
    let hasCaptions = tiles.contains { !$0.caption.isEmpty }
    let line = max(edge.width / 6, edge.width * columns / 45)
    return Arrangement(
      scale: scale, edge: edge, gap: max(2, edge.width / 16), caption: hasCaptions ? line : 0,
      columns: columns, rows: (tiles.count + columns - 1) / columns)
  }

  /// All pictures in one, on a background.
  ///
  /// - Parameter background: as `#rrggbb`.
  func joined(background: String) -> ImageRGB {
    let place = arrangement
    let paint = Self.bytes(of: background)
    let count = place.width * place.height
    var pixels = [UInt8](repeating: 0, count: 3 * count)
    for index in 0..<count {
      for channel in 0..<3 { pixels[3 * index + channel] = paint[channel] }
    }
    for (index, tile) in tiles.enumerated() {
      let corner = place.corner(index)
      for y in 0..<place.edge.height {
        let source = y / place.scale * tile.image.width
        var target = 3 * ((corner.y + y) * place.width + corner.x)
        for x in 0..<place.edge.width {
          let pixel = 3 * (source + x / place.scale)
          for channel in 0..<3 { pixels[target + channel] = tile.image.pixels[pixel + channel] }
          target += 3
        }
      }
    }
    return ImageRGB(width: place.width, height: place.height, pixels: pixels)
  }

  private static func bytes(of color: String) -> [UInt8] {
    let digits = Array(color.dropFirst())
    return stride(from: 0, to: 6, by: 2).map {
      $0 + 1 < digits.count ? UInt8(String(digits[$0...$0 + 1]), radix: 16) ?? 0 : 0
    }
  }
}

extension PictureSheet: PlotSubject {
  func checkDrawable() throws(PlotError) {
    if tiles.isEmpty { throw .nothingToPlot("there is no picture") }
  }

  var csv: String {
    let header = ["number", "caption"]
    let rows = tiles.enumerated().map {
      ["\($0.offset)", ReportValue.csvField($0.element.caption)]
    }
    return ([header] + rows).map { $0.joined(separator: ",") + "\n" }.joined()
  }

  func attachments(base: String, theme: PlotTheme) throws(PlotError) -> [PlotAttachment] {
    do {
      let bytes = try ImageCodec.encodePNG(joined(background: theme.background))
      return [PlotAttachment(name: Self.pictureName(base), data: Data(bytes))]
    } catch {
      throw .badName("stands for a picture that is too large")
    }
  }

  func text(columns: Int, style: Style) -> String {
    let picture = PixelText.text(joined(background: "#000000"), columns: columns, style: style)
    let words = tiles.map(\.caption)
    let captions = stride(from: 0, to: words.count, by: arrangement.columns).map { start in
      words[start..<min(words.count, start + arrangement.columns)].joined(separator: "  ")
    }
    let key = words.allSatisfy(\.isEmpty) ? "" : captions.map { $0 + "\n" }.joined()
    return "\(style(title, .strong))\n" + picture + key
  }

  func script(target: GnuplotScript.Target, theme: PlotTheme) -> String {
    let place = arrangement
    let top = title.isEmpty ? 0.0 : 0.06
    let aspect = Double(place.height) / Double(place.width)
    var lines = GnuplotScript.preamble(target, theme, aspect: aspect + top)
    let ink = " textcolor rgb '\(theme.foreground)'"
    let surface = theme.surface(for: target.terminal)
    // Captions in letters that fit their line.
    let pixel = surface.width / Double(place.width)
    let points = surface.unit.isEmpty ? pixel : pixel * 28.3
    let widest = tiles.map(\.caption.count).max() ?? 1
    let fitting = 1.7 * Double(place.edge.width) * points / Double(max(4, widest))
    let size = max(
      5, Int(min(Double(place.caption) * points * 0.62, fitting, Double(surface.fontSize))))
    let base = target.scriptName.map { ($0 as NSString).deletingPathExtension } ?? "picture"
    lines += [
      title.isEmpty
        ? "unset title"
        : "set title \(GnuplotScript.quoted(title)) noenhanced font '\(theme.font):Bold,"
          + "\(surface.fontSize)' offset 0,-0.5\(ink)",
      "unset key", "unset border", "unset tics",
      "set lmargin 0; set rmargin 0; set bmargin 0; set tmargin at screen "
        + ReportValue.shortest(((aspect / (aspect + top)) * 1e4).rounded() / 1e4),
      "set xrange [0:\(place.width)]", "set yrange [0:\(place.height)]",
    ]
    for (index, tile) in tiles.enumerated() where !tile.caption.isEmpty {
      let corner = place.corner(index)
      let (x, y) = (
        corner.x + place.edge.width / 2, corner.y + place.edge.height + place.caption / 2
      )
      lines.append(
        "set label \(GnuplotScript.quoted(tile.caption)) at \(x),\(place.height - y) center front "
          + "noenhanced font '\(theme.font),\(size)'\(ink)")
    }
    lines.append(
      "plot \(GnuplotScript.quotedPath(Self.pictureName(base))) binary filetype=png "
        + "origin=(0.5,0.5) with rgbimage")
    return lines.map { $0 + "\n" }.joined()
  }

  /// The file of the joined pictures beside a script.
  private static func pictureName(_ base: String) -> String { "\(base).pixels.png" }
}
