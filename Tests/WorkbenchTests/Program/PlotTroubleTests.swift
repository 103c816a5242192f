import Foundation
import Glibc
import Testing

@testable import Workbench

/// What a person sees when a picture cannot be drawn: one clear message, an intact prompt, nothing
/// half-written.
@Suite(.serialized) struct PlotTroubleTests {
  private static let withoutGnuplot = ["PATH": "/nowhere"]

  @Test func withoutGnuplotThePromptDrawsByItself() throws {
    let folder = try TestFolder()
    let session = try PromptSession(in: folder.url, environment: Self.withoutGnuplot)
    session.expect("workbench>")
    session.type("plot lr\r")
    session.expect("schedule")
    session.expect("gnuplot is not installed")
    session.expect("built-in text plot")
    session.expect("workbench")
    session.type("plot lr > lr.png\r")
    session.expect("error: gnuplot is not installed")
    session.expect("apt install gnuplot-nox")
    session.expect("workbench")
    session.type("plot lr > lr.csv\r")
    session.expect("wrote lr.csv")
    session.type("quit --force\r")
    #expect(session.finish() == 0)
    #expect(!folder.exists("lr.png") && folder.exists("lr.csv"))
  }

  @Test func withoutGnuplotAReplayFails() throws {
    let folder = try TestFolder()
    for line in ["plot lr", "plot lr > lr.svg"] {
      try folder.write("version 1\n\(line)\n", to: "a.wb")
      let result = try BuiltProgram.run(
        ["replay", "a.wb"], in: folder.url, environment: Self.withoutGnuplot)
      #expect(result.status == 7, "\(line): \(result.errors)")
      #expect(result.errors.contains("gnuplot is not installed"))
      #expect(result.output.isEmpty && !folder.exists("lr.svg"))
    }
  }

  @Test func aGnuplotThatHangsOrDiesLeavesThePrompt() throws {
    let folder = try TestFolder()
    let bin = try ScratchFolder()
    try bin.writeStandIn(PlotRenderTests.pretender("kill -SEGV $$"))
    let path = "\(bin.url.path):/usr/bin:/bin"
    let session = try PromptSession(in: folder.url, environment: ["PATH": path])
    session.expect("workbench>")
    session.type("plot lr > lr.png\r")
    session.expect("error: gnuplot crashed (signal 11)")
    session.expect("workbench")
    try bin.writeStandIn(PlotRenderTests.pretender("sleep 600"))
    session.type("plot lr > lr.png\r")
    usleep(300_000)
    session.type("\u{03}")
    session.expect("plot interrupted")
    session.expect("workbench")
    session.type("status\r")
    session.expect("none; load one")
    session.type("quit --force\r")
    #expect(session.finish() == 0)
    #expect(!folder.exists("lr.png") && !folder.exists("lr.gp"))
  }

  /// Whether a file system can be mounted here, as root in a container that allows it.
  private static let canMount: Bool = {
    guard geteuid() == 0 else { return false }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=16k none /mnt"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  @Test(.enabled(if: canMount)) func aFullDiskLeavesNothing() throws {
    let folder = try TestFolder()
    try folder.write("", to: "full/.keep")
    let script = """
      mount -t tmpfs -o size=16k none full
      "$0" -c 'plot lr > full/lr.png' 2>&1
      echo "status $?"
      ls -A full
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["unshare", "-m", "sh", "-c", script, BuiltProgram.url.path]
    process.currentDirectoryURL = folder.url
    process.environment = BuiltProgram.environment(home: folder.url)
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(
      decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(text.contains("no space left on the disk"), "\(text)")
    #expect(text.hasSuffix("status 7\n"), "\(text)")
  }

  @Test func manyPicturesLeaveNothingBehind() throws {
    let folder = try TestFolder()
    let session = try PromptSession(in: folder.url)
    session.expect("workbench>")
    session.type("plot lr\r")
    session.expect("schedule")
    session.expect("workbench")
    func descriptors() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/\(session.child)/fd").sorted()
    }
    let before = try descriptors()
    for index in 0..<20 {
      session.type(index % 2 == 0 ? "plot lr\r" : "plot lr > \(index).svg\r")
      session.expect(index % 2 == 0 ? "schedule" : "wrote \(index).svg")
      session.expect("workbench")
    }
    #expect(try descriptors() == before)
    let children = try String(
      contentsOfFile: "/proc/\(session.child)/task/\(session.child)/children", encoding: .utf8)
    #expect(children.isEmpty, "\(children)")
    session.type("quit --force\r")
    #expect(session.finish() == 0)
  }
}
