import Foundation
import Glibc
import Testing

@testable import Workbench

/// Figures drawn by the real gnuplot, and everything that can go wrong on the way.
@Suite(.serialized) struct PlotRenderTests {
  /// Other tests raise Ctrl-C in this process; these plots are not to notice.
  static func process(_ command: [String] = ["gnuplot", "-d"], timeout: Double = 20)
    -> GnuplotProcess
  {
    GnuplotProcess(command: command, timeout: timeout, isInterrupted: { false })
  }

  let sink = GnuplotSink(process: PlotRenderTests.process())

  @Test func imagesAreWhatTheirNamesSay() throws {
    let folder = try ScratchFolder()
    let png = try sink.write(SampleFigures.twoAxes, to: folder.file("curves.png"))
    let data = try Data(contentsOf: png.output)
    // Width and height stand big-endian in the header.
    #expect(data[16..<24].elementsEqual([0, 0, 0x06, 0x40, 0, 0, 0x03, 0xE8]))
    #expect(data.count > 20_000)
    #expect(folder.names == ["curves.csv", "curves.gp", "curves.png"])

    let svg = try sink.write(SampleFigures.twoAxes, to: folder.file("curves.svg"))
    let text = try String(contentsOf: svg.output, encoding: .utf8)
    for word in ["Progressive learning", "cross entropy", "learning rate", "160 px", "rgb(213"] {
      #expect(text.range(of: word, options: .caseInsensitive) != nil, "\(word)")
    }
    let pdf = try sink.write(SampleFigures.loss, to: folder.file("loss.pdf"))
    #expect(try Data(contentsOf: pdf.output).starts(with: Data("%PDF-1".utf8)))
    let txt = try sink.write(SampleFigures.loss, to: folder.file("loss.txt"))
    #expect(try String(contentsOf: txt.output, encoding: .utf8).contains("Loss of s-c10"))
  }

  @Test func scriptAloneDrawsTheSameAgain() throws {
    let folder = try ScratchFolder()
    let plots = folder.file("plots")
    let files = try sink.write(
      SampleFigures.accuracy, to: folder.file("acc.svg"), plotsFolder: plots)
    #expect(files.script == plots.appendingPathComponent("acc.gp"))
    let first = try Data(contentsOf: files.output)
    try FileManager.default.removeItem(at: files.output)
    _ = try Self.process(["gnuplot"]).run(
      "", arguments: ["plots/acc.gp"], directory: folder.url.path)
    #expect(try Data(contentsOf: files.output) == first)
  }

  @Test func scriptAndDataAlone() throws {
    let folder = try ScratchFolder()
    let gp = try sink.write(SampleFigures.loss, to: folder.file("loss.gp"))
    #expect(try String(contentsOf: gp.output, encoding: .utf8).contains("set output 'loss.png'"))
    let csv = try sink.write(SampleFigures.loss, to: folder.file("numbers.csv"))
    #expect(csv.script == nil)
    #expect(try String(contentsOf: csv.output, encoding: .utf8).hasPrefix("epoch,train,eval\n1,"))
    #expect(folder.names == ["loss.csv", "loss.gp", "numbers.csv"])
  }

  @Test func hostileTextDrawsAndDoesNothingElse() throws {
    let folder = try ScratchFolder()
    for name in ["'; !touch evil #.png", "|touch evil.png", "`touch evil`.svg", "a b\".png"] {
      _ = try sink.write(SampleFigures.hostile, to: folder.file(name))
      let script = folder.file(name).deletingPathExtension().appendingPathExtension("gp")
      _ = try Self.process().run(
        "", arguments: ["./" + script.lastPathComponent], directory: folder.url.path)
    }
    #expect(!folder.names.contains { $0.hasPrefix("evil") })
    #expect(throws: PlotError.badName("contains a control character")) {
      try sink.write(SampleFigures.loss, to: folder.file("a\nb.png"))
    }
  }

  @Test func terminalPlotFitsTheWindow() throws {
    for window in [TerminalDevice.Size.standard, .init(columns: 120, rows: 50)] {
      let plot = try sink.draw(SampleFigures.loss, window: window, isColored: false)
      let lines = plot.text.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.count <= window.rows - 2)
      #expect(lines.allSatisfy { $0.count < window.columns })
      #expect(plot.note == nil && plot.text.contains("train") && !plot.text.contains("\u{1B}"))
    }
    let colored = try sink.draw(SampleFigures.loss, window: .standard, isColored: true)
    #expect(colored.text.contains("\u{1B}["))
  }

  @Test func twentyFiguresLeaveNothingBehind() throws {
    let folder = try ScratchFolder()
    func descriptors() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }
    _ = try sink.capabilities()
    let before = try descriptors()
    for index in 0..<20 {
      _ = try sink.write(SampleFigures.loss, to: folder.file("\(index).svg"))
    }
    // Tests beside this one open files too; one leak per figure would be twenty.
    #expect(try descriptors() < before + 15)
    #expect(Self.childrenLeftBehind(named: "gnuplot").isEmpty)
    #expect(folder.names.count == 60)
  }

  /// Processes of that name that we started and that do not go away. Tests beside this one draw with
  /// gnuplot too, and theirs end soon; what nobody waits for stays, as a zombie at least.
  static func childrenLeftBehind(named name: String) -> Set<String> {
    var left = Set(children(named: name))
    let deadline = Date(timeIntervalSinceNow: 20)
    while !left.isEmpty, Date() < deadline {
      Thread.sleep(forTimeInterval: 0.05)
      left.formIntersection(children(named: name))
    }
    return left
  }

  /// Processes of that name whose parent we are, zombies included.
  private static func children(named name: String) -> [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return all.filter { process in
      guard Int(process) != nil,
        let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
        let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")")
      else { return false }
      let fields = stat[stat.index(after: close)...].split(separator: " ")
      return stat[stat.index(after: open)..<close] == name && fields[1] == "\(getpid())"
    }
  }

  // MARK: What can go wrong

  @Test func missingGnuplot() throws {
    let folder = try ScratchFolder()
    let sink = GnuplotSink(
      process: Self.process(["gnuplot-that-is-not-there"]), showsUnicode: true)
    let missing = PlotError.gnuplotMissing(command: "gnuplot-that-is-not-there")
    #expect(throws: missing) { try sink.write(SampleFigures.loss, to: folder.file("loss.png")) }
    #expect(throws: missing) { try sink.check(folder.file("loss.png")) }
    #expect(folder.names.isEmpty)
    #expect(missing.isResource && missing.description.contains("apt install gnuplot"))
    let plot = try sink.draw(SampleFigures.loss, window: .standard, isColored: false)
    #expect(plot.note?.contains("built-in text plot") == true)
    #expect(plot.text.contains("Loss of s-c10"))
    // Scripts and data need no gnuplot.
    _ = try sink.write(SampleFigures.loss, to: folder.file("loss.gp"))
    #expect(folder.names == ["loss.csv", "loss.gp"])
  }

  /// Answers the question for terminals as gnuplot does, then does something else.
  static func pretender(_ then: String) -> String {
    """
    read -r first
    case "$first" in
    print*) echo '5.4 4' >&2; echo ' dumb pngcairo svg ' >&2; cat > /dev/null; exit 0;;
    esac
    \(then)
    """
  }

  /// Seconds that pass only where a stand-in is waited for that should have been stopped. The tests
  /// beside this one keep every core busy, so the bounds are far from what the machine needs.
  static let forever = 600.0

  @Test(arguments: [
    // The body of the stand-in, and what must come of it.
    ("cat > /dev/null; kill -SEGV $$", "crashed"),
    ("cat > /dev/null; echo 'line 3: undefined variable: x' >&2; exit 1", "failed"),
    ("cat > /dev/null; exit 0", "badOutput"),
    ("grep -o '.workbench.*tmp' | head -1 | xargs -I X sh -c 'echo junk > X'", "badOutput"),
    ("yes", "failed"),
  ])
  func failingGnuplot(body: String, outcome: String) throws {
    let error = try failure(of: body, timeout: Self.forever)
    #expect(Self.name(of: error) == outcome, "\(error)")
    if outcome == "failed" {
      #expect(error.message.hasSuffix(body == "yes" ? "without end" : "undefined variable: x"))
    }
  }

  @Test(arguments: ["sleep 600", "trap '' TERM INT; sleep 600 & while :; do :; done"])
  func gnuplotThatDoesNotEnd(body: String) throws {
    #expect(try failure(of: body, timeout: 0.6) == .timedOut(seconds: 0.6))
  }

  /// The error of drawing with a stand-in that answers the question for terminals and then fails;
  /// nothing is left of the attempt.
  private func failure(of body: String, timeout: Double) throws -> PlotError {
    let folder = try ScratchFolder()
    let bin = try ScratchFolder()
    let command = try bin.standIn(Self.pretender(body))
    let sink = GnuplotSink(process: Self.process(command, timeout: timeout))
    let started = Date()
    let error = try #require(throws: PlotError.self) {
      try sink.write(SampleFigures.manyRuns, to: folder.file("loss.png"))
    }
    #expect(!error.message.contains("\n"))
    #expect(Date().timeIntervalSince(started) < Self.forever / 5)
    #expect(folder.names.isEmpty)
    #expect(Self.childrenLeftBehind(named: "gnuplot").isEmpty)
    return error
  }

  /// The case of an error.
  private static func name(of error: PlotError) -> String {
    Mirror(reflecting: error).children.first?.label ?? ""
  }

  @Test func deafGnuplotDoesNotBlockTheWriter() throws {
    // Far more text than a pipe holds, to a process that never reads.
    let bin = try ScratchFolder()
    let command = try bin.standIn("sleep 600")
    let text = String(repeating: "# nothing\n", count: 100_000)
    #expect(throws: PlotError.timedOut(seconds: 0.3)) {
      try Self.process(command, timeout: 0.3).run(text)
    }
  }

  @Test func interruptStopsGnuplot() throws {
    let bin = try ScratchFolder()
    let process = GnuplotProcess(
      command: try bin.standIn("sleep 600"), timeout: Self.forever, isInterrupted: { true })
    let started = Date()
    #expect(throws: PlotError.interrupted) { try process.run("plot x\n") }
    #expect(Date().timeIntervalSince(started) < Self.forever / 5)
  }

  @Test func somethingElseCalledGnuplot() throws {
    let bin = try ScratchFolder()
    let sink = GnuplotSink(process: Self.process(try bin.standIn("echo hello")))
    #expect(throws: PlotError.self) { try sink.capabilities() }
    let notExecutable = bin.file("plain")
    try Data("x".utf8).write(to: notExecutable)
    #expect(throws: PlotError.self) { try Self.process([notExecutable.path]).run("") }
  }

  @Test func missingTerminalNamesTheFormat() throws {
    let few = GnuplotCapabilities(version: "5.4", terminals: ["dumb", "png"])
    #expect(try few.terminal(for: .png) == "png")
    #expect(throws: PlotError.terminalMissing(format: "pdf", tried: ["pdfcairo", "pdf"])) {
      try few.terminal(for: .pdf)
    }
    let present = try sink.capabilities()
    #expect(present.terminals.isSuperset(of: ["dumb", "svg", "pngcairo", "pdfcairo"]))
    #expect(present.version.first?.isNumber == true)
  }

  @Test func placesThatCannotBeWritten() throws {
    let folder = try ScratchFolder()
    try Data().write(to: folder.file("file"))
    #expect(throws: PlotError.self) {
      try sink.write(SampleFigures.loss, to: URL(fileURLWithPath: "/proc/loss.png"))
    }
    let places = [folder.file("file/loss.png"), folder.file("a/b/loss.png")]
    for url in places {
      #expect(throws: PlotError.self, "\(url.path)") { try sink.write(SampleFigures.loss, to: url) }
      #expect(throws: PlotError.self, "\(url.path)") { try sink.check(url) }
    }
    try FileManager.default.createDirectory(
      at: folder.file("taken.svg"), withIntermediateDirectories: true)
    #expect(throws: PlotError.self) {
      try sink.write(SampleFigures.loss, to: folder.file("taken.svg"))
    }
    #expect(folder.names == ["file", "taken.svg"])
  }

  /// Needs a folder on a file system without room, which only root can make:
  /// `mount -t tmpfs -o size=8k none full`, then `WORKBENCH_FULL_DISK=full`.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["WORKBENCH_FULL_DISK"] != nil))
  func fullDiskLeavesNothing() throws {
    let path = ProcessInfo.processInfo.environment["WORKBENCH_FULL_DISK"] ?? ""
    let folder = URL(fileURLWithPath: path)
    for name in ["loss.png", "loss.svg", "loss.pdf"] {
      let url = folder.appendingPathComponent(name)
      #expect(throws: PlotError.diskFull(path: url.path)) {
        try sink.write(SampleFigures.manyRuns, to: url)
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [])
    }
  }
}
