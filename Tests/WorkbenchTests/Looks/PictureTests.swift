import Foundation
import Model
import Testing

@testable import Workbench

/// Pictures other than curves: their scripts are recorded, the files are opened and looked at.
@Suite(.serialized) struct PictureTests {
  static let bars = BarChart(
    title: "accuracy of 'each' class", axis: .init("top-1", unit: "%", maximum: 100),
    bars: [
      .init(name: "air plane", parts: [40], note: "4/10"), .init(name: "it's", parts: [90]),
    ], reference: (65, "all 65"))

  static let parts = BarChart(
    title: "time", axis: .init("time", unit: "ms"), partNames: ["forward", "backward"],
    bars: [.init(name: "stem", parts: [1, 2]), .init(name: "block", parts: [3, 0.5])])

  static let matrix = HeatMap(
    title: "what is taken for what", label: "share (%)", rows: [[90, 10], [0, 100]],
    names: ["cat", "dog"], rowLabel: "class", columnLabel: "taken for",
    cells: [["9", "1"], ["", "10"]], palette: .ink)

  static func sheet(_ count: Int = 3) -> PictureSheet {
    let colors: [[UInt8]] = [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    return PictureSheet(
      title: "three colours",
      tiles: (0..<count).map { index in
        let pixels = (0..<16).flatMap { _ in colors[index % 3] }
        return .init(
          image: ImageRGB(width: 4, height: 4, pixels: pixels), caption: "tile '\(index)'")
      }, columns: 2)
  }

  static let subjects: [(name: String, subject: any PlotSubject)] = [
    ("bars", bars), ("parts", parts), ("matrix", matrix), ("sheet", sheet()),
  ]

  @Test(arguments: subjects.map(\.name)) func recordedScripts(name: String) throws {
    let subject = try #require(Self.subjects.first { $0.name == name }?.subject)
    let target = GnuplotScript.Target(
      terminal: "pngcairo", output: "\(name).png", scriptName: "\(name).gp")
    try expectSnapshot(subject.script(target: target, theme: .light), "\(name).gp")
  }

  /// How many pixels of a picture are nearly of a colour.
  static func count(_ image: ImageRGB, _ red: Int, _ green: Int, _ blue: Int) -> Int {
    stride(from: 0, to: image.pixels.count, by: 3).count { place in
      abs(Int(image.pixels[place]) - red) < 12 && abs(Int(image.pixels[place + 1]) - green) < 12
        && abs(Int(image.pixels[place + 2]) - blue) < 12
    }
  }

  private let sink = GnuplotSink(process: PlotRenderTests.process())

  private func draw(
    _ subject: any PlotSubject, _ folder: ScratchFolder, theme: PlotTheme = .light
  ) throws -> ImageRGB {
    let files = try sink.write(subject, to: folder.file("picture.png"), theme: theme)
    return try ImageCodec.decode(contentsOf: files.output)
  }

  @Test func barsAreAsLongAsTheirValues() throws {
    let image = try draw(Self.bars, ScratchFolder())
    #expect(image.width == 1600)
    // The longest run of the palette's first colour in each row: 40 and 90 of the same axis.
    var lengths: [Int] = []
    for y in 0..<image.height {
      let row = (0..<image.width).count { x in
        let place = 3 * (y * image.width + x)
        return image.pixels[place] == 0 && image.pixels[place + 1] == 0x72
          && image.pixels[place + 2] == 0xB2
      }
      if row > 50, lengths.last.map({ abs($0 - row) > 30 }) ?? true { lengths.append(row) }
    }
    #expect(lengths.count == 2)
    #expect(abs(Double(lengths[0]) / Double(lengths[1]) - 40.0 / 90) < 0.02, "\(lengths)")
    let stacked = try draw(Self.parts, ScratchFolder())
    #expect(Self.count(stacked, 0x00, 0x72, 0xB2) > 2000)
    #expect(Self.count(stacked, 0xD5, 0x5E, 0x00) > 2000)
  }

  @Test func theMatrixIsColouredByItsShares() throws {
    let image = try draw(Self.matrix, ScratchFolder())
    // One cell of the full colour, one nearly so, and two that are nearly white.
    let full = Self.count(image, 0x00, 0x72, 0xB2)
    #expect(full > image.width * image.height / 20)
    #expect(Self.count(image, 0x19, 0x80, 0xB9) > full / 2)
    #expect(Self.count(image, 255, 255, 255) > full)
  }

  @Test func aSheetHoldsItsPicturesUpright() throws {
    let folder = try ScratchFolder()
    let image = try draw(Self.sheet(), folder)
    for color in [(255, 0, 0), (0, 255, 0), (0, 0, 255)] {
      #expect(Self.count(image, color.0, color.1, color.2) > 20_000, "\(color)")
    }
    // Red is above blue and left of green.
    func place(_ red: Int, _ green: Int, _ blue: Int) -> (x: Int, y: Int)? {
      for y in 0..<image.height {
        for x in 0..<image.width {
          let pixel = 3 * (y * image.width + x)
          if abs(Int(image.pixels[pixel]) - red) < 12,
            abs(Int(image.pixels[pixel + 1]) - green) < 12,
            abs(Int(image.pixels[pixel + 2]) - blue) < 12
          {
            return (x, y)
          }
        }
      }
      return nil
    }
    let (red, green, blue) = (place(255, 0, 0), place(0, 255, 0), place(0, 0, 255))
    #expect((red?.y ?? 0) < (blue?.y ?? 0) && (red?.x ?? 0) < (green?.x ?? 0))
    #expect(
      folder.names == ["picture.csv", "picture.gp", "picture.pixels.png", "picture.png"])
    // gnuplot alone draws it again from what lies beside it.
    let first = try Data(contentsOf: folder.file("picture.png"))
    try FileManager.default.removeItem(at: folder.file("picture.png"))
    _ = try PlotRenderTests.process(["gnuplot"]).run(
      "", arguments: ["picture.gp"], directory: folder.url.path)
    #expect(try Data(contentsOf: folder.file("picture.png")) == first)
  }

  @Test func stylesHaveTheirOwnPaperAndInk() throws {
    let dark = try draw(SampleFigures.loss, ScratchFolder(), theme: .dark)
    #expect(Self.count(dark, 0x16, 0x18, 0x1D) > dark.width * dark.height / 2)
    #expect(Self.count(dark, 0x56, 0xB4, 0xE9) > 1000)
    let paper = try draw(SampleFigures.loss, ScratchFolder(), theme: .paper)
    #expect(paper.width == 1020 && paper.height == 680)
    #expect(Self.count(paper, 255, 255, 255) > paper.width * paper.height / 2)
    for (name, theme) in PlotTheme.named {
      let colors = [theme.background, theme.foreground, theme.faint, theme.grid] + theme.palette
      #expect(colors.allSatisfy { $0.count == 7 && $0.hasPrefix("#") }, "\(name)")
      #expect(Set(theme.palette).count == theme.palette.count)
    }
  }

  @Test func picturesAsTextFitTheirLine() {
    for (name, subject) in Self.subjects where name != "matrix" {
      let plain = subject.text(columns: 40, style: .plain)
      #expect(
        plain.split(separator: "\n").allSatisfy { $0.count <= 40 } && !plain.contains("\u{1B}"),
        "\(name): \(plain)")
    }
    let colored = Self.sheet().text(columns: 40, style: Style(isColored: true))
    #expect(colored.contains("38;5;196") && colored.contains("38;5;46"))
  }

  @Test func aPictureForTheTerminalIsASixelSequence() throws {
    let figure = try sink.sixels(SampleFigures.loss, theme: .light)
    #expect(figure.hasPrefix("\u{1B}P") && figure.contains("\u{1B}\\"))
    let sheet = try sink.sixels(Self.sheet(), theme: .light)
    #expect(sheet.count > 1000)
    #expect(SixelTerminal.hasSixel("\u{1B}[?62;4;6;9c"))
    #expect(!SixelTerminal.hasSixel("\u{1B}[?62;6;9c"))
    #expect(!SixelTerminal.hasSixel("\u{1B}[?4;6c") && !SixelTerminal.hasSixel("4c"))
    #expect(!SixelTerminal.hasSixel(""))
  }

  @Test func heatLiesWhereTheMapIsHigh() {
    let gray = ImageRGB(width: 8, height: 8, pixels: [UInt8](repeating: 100, count: 192))
    let image = HeatOverlay.image([[0, 0], [0, 1]], over: gray)
    func pixel(_ x: Int, _ y: Int) -> [UInt8] {
      Array(image.pixels[3 * (y * 8 + x)..<3 * (y * 8 + x) + 3])
    }
    // Yellow in the lower right corner, the violet of nothing elsewhere.
    #expect(pixel(7, 7)[0] > 180 && pixel(7, 7)[2] < 70)
    #expect(pixel(0, 0)[0] < 100 && pixel(0, 0) == pixel(2, 1))
    let nothing = HeatOverlay.image([[0, 0], [0, 0]], over: gray)
    #expect(Set(nothing.pixels).count <= 3)
  }
}
