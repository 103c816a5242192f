import Foundation

/// What drawing a figure into a file left on disk.
struct PlotFiles: Sendable, Equatable {
  /// The file that was asked for.
  var output: URL
  /// The gnuplot text that redraws it; `nil` if only data were asked for.
  var script: URL?
  /// The numbers, as CSV.
  var data: URL?
}

/// A figure as text for the terminal.
struct TerminalPlot: Sendable, Equatable {
  /// Whole lines, each ended by a newline.
  var text: String
  /// Something the user should know (`gnuplot is not installed: …`); said once per program run.
  var note: String?
}

/// Something that draws figures.
protocol PlotSink: Sendable {
  /// Draws into a file; its ending chooses the format.
  ///
  /// The file appears complete or not at all. The gnuplot text and the data are put beside it, or
  /// into `plotsFolder` if one is given.
  func write(_ subject: any PlotSubject, to url: URL, plotsFolder: URL?, theme: PlotTheme)
    throws(PlotError) -> PlotFiles

  /// Draws as text that fits a window of the given size, the prompt below it included.
  func draw(_ figure: Figure, window: TerminalDevice.Size, isColored: Bool)
    throws(PlotError) -> TerminalPlot

  /// Draws as the sequence that terminals with sixel graphics show as a picture.
  func sixels(_ subject: any PlotSubject, theme: PlotTheme) throws(PlotError) -> String
}

extension PlotSink {
  /// Draws into a file, script and data beside it.
  func write(_ subject: any PlotSubject, to url: URL, plotsFolder: URL? = nil) throws(PlotError)
    -> PlotFiles
  {
    try write(subject, to: url, plotsFolder: plotsFolder, theme: .light)
  }

  /// Draws into a file, script and data beside it.
  func write(_ subject: any PlotSubject, to url: URL, theme: PlotTheme) throws(PlotError)
    -> PlotFiles
  {
    try write(subject, to: url, plotsFolder: nil, theme: theme)
  }
}

/// Draws through gnuplot; in the terminal, and only there, also without it.
final class GnuplotSink: PlotSink {
  private let process: GnuplotProcess
  private let showsUnicode: Bool
  private let memory = CapabilityMemory()

  init(
    process: GnuplotProcess = GnuplotProcess(), showsUnicode: Bool = TerminalDevice.showsUnicode()
  ) {
    self.process = process
    self.showsUnicode = showsUnicode
  }

  /// What the installed gnuplot can do; asked at the first call.
  func capabilities() throws(PlotError) -> GnuplotCapabilities {
    try memory.capabilities(process)
  }

  /// Whether a figure could be written to this file: the format is known, gnuplot can write it,
  /// the folder takes files. Writes nothing; for `check`.
  func check(_ url: URL) throws(PlotError) {
    let format = try PlotFormat(path: url.path)
    _ = try PlotFileWriter.name(of: url)
    if !format.terminals.isEmpty { _ = try capabilities().terminal(for: format) }
    try PlotFileWriter.checkFolder(url.deletingLastPathComponent())
  }

  func write(_ subject: any PlotSubject, to url: URL, plotsFolder: URL?, theme: PlotTheme)
    throws(PlotError) -> PlotFiles
  {
    let format = try PlotFormat(path: url.path)
    let name = try PlotFileWriter.name(of: url)
    try subject.checkDrawable()
    let folder = url.deletingLastPathComponent()
    let base = url.deletingPathExtension().lastPathComponent
    let side = plotsFolder ?? folder
    let csv = subject.csv
    if format == .csv {
      try PlotFileWriter.write(Data(csv.utf8), to: url)
      return PlotFiles(output: url, script: nil, data: url)
    }

    if format == .txt, !(subject is Figure) {
      // gnuplot's text terminal knows no pictures.
      try PlotFileWriter.write(Data(subject.text(columns: 79, style: .plain).utf8), to: url)
      return PlotFiles(output: url, script: nil, data: nil)
    }

    // A script alone is made for the best picture anyone may have.
    let terminal = format == .gp ? "pngcairo" : try capabilities().terminal(for: format)
    let target = GnuplotScript.Target(
      terminal: terminal, output: format == .gp ? "\(base).png" : name,
      scriptName: "\(base).gp")
    let script = subject.script(target: target, theme: theme)
    // Beside the picture: scripts name them without a folder.
    for attachment in try subject.attachments(base: base, theme: theme) {
      try PlotFileWriter.write(attachment.data, to: folder.appendingPathComponent(attachment.name))
    }
    if format != .gp {
      try PlotFileWriter.produce(url, check: format.fault) { (temporary) throws(PlotError) in
        var drawing = target
        drawing.output = temporary
        _ = try process.run(
          subject.script(target: drawing, theme: theme), directory: folder.path)
      }
    }
    let scriptURL = format == .gp ? url : side.appendingPathComponent("\(base).gp")
    let dataURL = side.appendingPathComponent("\(base).csv")
    try PlotFileWriter.write(Data(script.utf8), to: scriptURL)
    try PlotFileWriter.write(Data(csv.utf8), to: dataURL)
    return PlotFiles(output: url, script: scriptURL, data: dataURL)
  }

  func draw(_ figure: Figure, window: TerminalDevice.Size, isColored: Bool)
    throws(PlotError) -> TerminalPlot
  {
    try figure.checkDrawable()
    let size = Self.plotSize(window: window)
    do throws(PlotError) {
      guard try capabilities().terminals.contains("dumb") else {
        throw PlotError.terminalMissing(format: "text", tried: ["dumb"])
      }
      let target = GnuplotScript.Target(
        terminal: "dumb", output: nil, size: size, isColored: isColored)
      let printed = try process.run(GnuplotScript(figure, target: target).text)
      let text = Self.tidied(printed.output)
      if text.isEmpty {
        throw PlotError.badOutput(path: "terminal plot", reason: "it is empty")
      }
      return TerminalPlot(text: text, note: nil)
    } catch  where error.allowsTextPlot {
      let plot = TextPlot(figure, size: size, isColored: isColored, showsUnicode: showsUnicode)
      return TerminalPlot(
        text: plot.text, note: "\(error.message): drawn with the built-in text plot")
    }
  }

  func sixels(_ subject: any PlotSubject, theme: PlotTheme) throws(PlotError) -> String {
    try subject.checkDrawable()
    guard try capabilities().terminals.contains("sixelgd") else {
      throw .terminalMissing(format: "sixel", tried: ["sixelgd"])
    }
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("workbench-sixel-\(getpid())-\(UInt32.random(in: .min ... .max))")
    defer { try? FileManager.default.removeItem(at: folder) }
    for attachment in try subject.attachments(base: "picture", theme: theme) {
      try PlotFileWriter.write(attachment.data, to: folder.appendingPathComponent(attachment.name))
    }
    let hasFolder = FileManager.default.fileExists(atPath: folder.path)
    let script = subject.script(
      target: GnuplotScript.Target(terminal: "sixelgd", output: nil), theme: theme)
    let output = try process.run(script, directory: hasFolder ? folder.path : nil).output
    guard output.hasPrefix("\u{1B}P"), output.contains("\u{1B}\\") else {
      throw .badOutput(path: "terminal picture", reason: "it is no sixel sequence")
    }
    return output
  }

  /// The plot's size in a window: its full width, and a height that leaves the prompt in view and
  /// does not stretch curves beyond reading.
  static func plotSize(window: TerminalDevice.Size) -> TerminalDevice.Size {
    let columns = min(max(window.columns - 1, 30), 160)
    return TerminalDevice.Size(
      columns: columns, rows: min(max(window.rows - 3, 10), max(12, columns * 3 / 8)))
  }

  /// Without the blank lines around it and the spaces at the ends of lines.
  static func tidied(_ text: String) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      var line = line.filter { $0 != "\u{0C}" }
      while let last = line.last, last.isWhitespace { line.removeLast() }
      return line
    }
    while lines.first?.isEmpty == true { lines.removeFirst() }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map { $0 + "\n" }.joined()
  }
}
