import Foundation
import Model
import Testing

@testable import Workbench

/// What a browser without a window makes of a report. Only where one is installed: nothing else in
/// the program needs it.
@Suite(.serialized) struct BrowserTests {
  static let browser: URL? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let places = folders.flatMap { folder in
      ["chromium", "google-chrome", "chrome"].map { "\(folder)/\($0)" }
    }
    return places.first(where: FileManager.default.isExecutableFile).map {
      URL(fileURLWithPath: $0)
    }
  }()

  /// What the page says of itself once it is laid out.
  private struct Findings: Decodable {
    let pictures: [Int]
    let fetched: [String]
    let overhang: Int
  }

  private static let session = """
    data digits limit=16
    load tf_efficientnetv2_b0
    set input-size=32 batch-size=8 epochs=1 warmup-epochs=0 cooldown-epochs=0
    train name=a
    plot loss > loss.png
    plot lr > lr.svg
    export report.html
    """

  /// Runs in the page: every picture's width, what came from elsewhere, what sticks out sideways.
  private static let probe = """
    <script>addEventListener("load", () => {
      const found = {
        pictures: [...document.images].map(image => image.naturalWidth),
        fetched: performance.getEntriesByType("resource").map(entry => entry.name)
          .filter(name => !name.startsWith("data:")),
        overhang: Math.max(0, document.documentElement.scrollWidth - innerWidth),
      };
      document.title = "FOUND" + JSON.stringify(found) + "END";
    });</script>
    """

  private func browse(_ arguments: [String], in folder: TestFolder) throws -> String {
    let process = Process()
    process.executableURL = Self.browser
    process.arguments =
      [
        "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--force-color-profile=srgb", "--user-data-dir=\(folder.url.path)/profile",
      ] + arguments
    let output = folder.url.appending(path: "browser.out")
    try Data().write(to: output)
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return try String(contentsOf: output, encoding: .utf8)
  }

  @Test(.enabled(if: browser != nil, "no browser is installed"))
  func aReportOpensAlone() throws {
    let folder = try TestFolder()
    let made = try BuiltProgram.run([], in: folder.url, input: Self.session)
    #expect(made.status == 0, "\(made.errors)")
    // Elsewhere than its files, so that nothing of them can be used.
    let away = try TestFolder()
    try away.write(try folder.text("report.html") + Self.probe, to: "report.html")
    let page = away.url.appending(path: "report.html").absoluteString
    let dom = try browse(["--window-size=700,900", "--dump-dom", page], in: away)
    let json = dom.split(separator: "FOUND").dropFirst().first?.split(separator: "END").first ?? ""
    let text = json.replacing("&quot;", with: "\"").replacing("&amp;", with: "&")
    let found = try JSONDecoder().decode(Findings.self, from: Data(text.utf8))
    #expect(found.pictures.count == 2 && found.pictures.allSatisfy { $0 > 100 })
    #expect(found.fetched.isEmpty)
    #expect(found.overhang == 0)

    let picture = away.url.appending(path: "page.png")
    _ = try browse(["--window-size=900,3000", "--screenshot=\(picture.path)", page], in: away)
    let image = try ImageCodec.decode(contentsOf: picture)
    #expect(image.width == 900)
    #expect(PictureTests.count(image, 0x00, 0x72, 0xb2) > 50, "the curves' blue is on the page")

    let printed = away.url.appending(path: "page.pdf")
    _ = try browse(["--print-to-pdf=\(printed.path)", page], in: away)
    let bytes = try Data(contentsOf: printed)
    #expect(bytes.prefix(5) == Data("%PDF-".utf8) && bytes.count > 10_000)
  }
}
