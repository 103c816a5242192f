import CReadline
import Foundation
import Glibc
import Testing

@testable import Workbench

/// The built program on a pseudo-terminal, with a real readline.
final class PromptSession {
  private let master: Int32
  /// The program's process.
  let child: Int32
  /// What came and was not yet expected, without escape sequences.
  private var unread = ""
  /// Everything that came, escape sequences included.
  private(set) var transcript = ""

  init(
    in folder: URL, columns: Int32 = 100, rows: Int32 = 30,
    environment extra: [String: String] = [:]
  ) throws {
    var environment = BuiltProgram.environment(home: folder, adding: extra)
    environment["TERM"] = "xterm"
    let words = ["/bin/sh", "-c", "cd \"$0\" && exec \"$1\"", folder.path, BuiltProgram.url.path]
    var arguments = words.map { strdup($0) } + [nil]
    var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { (arguments + variables).forEach { free($0) } }
    var child: Int32 = 0
    master = wb_pty_spawn(&arguments, &variables, columns, rows, &child)
    self.child = child
    try #require(master >= 0, "no pseudo-terminal")
  }

  func type(_ text: String) {
    var bytes = Array(text.utf8)
    _ = write(master, &bytes, bytes.count)
  }

  /// Reads until `wanted` comes, behind what was expected before; at most two minutes.
  func expect(_ wanted: String, line: Int = #line) {
    let deadline = Date().addingTimeInterval(120)
    while Date() < deadline {
      if let range = unread.range(of: wanted) {
        unread = String(unread[range.upperBound...])
        return
      }
      guard read() else { break }
    }
    Issue.record("line \(line): '\(wanted)' never came; the end was: \(unread.suffix(1500))")
  }

  /// Waits for output; false at the end of the program.
  private func read() -> Bool {
    var watched = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
    guard poll(&watched, 1, 500) > 0 else { return true }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = Glibc.read(master, &bytes, bytes.count)
    guard count > 0 else { return false }
    let text = String(decoding: bytes[..<count], as: UTF8.self)
    transcript += text
    unread += text.replacing(/\u{1B}\[[0-9;?]*[a-zA-Z]/, with: "")
    return true
  }

  /// Waits for the end of the program, at most a minute.
  func finish() -> Int32 {
    let deadline = Date().addingTimeInterval(60)
    while Date() < deadline, read() {}
    if Date() >= deadline {
      Issue.record("the program never ended; the end was: \(unread.suffix(1500))")
      kill(child, SIGKILL)
    }
    var status: Int32 = 0
    waitpid(child, &status, 0)
    close(master)
    return (status >> 8) & 0xFF
  }
}

@Suite(.serialized) struct PromptTests {
  @Test func aWholeSession() throws {
    let folder = try TestFolder()
    let session = try PromptSession(in: folder.url)
    session.expect("workbench>")
    session.type("da\tdig\tlimit=64\r")
    session.expect("64 to train")
    session.type("load tf_efficientnetv2_b0\r")
    session.expect("Linear(in_features=1280, out_features=10, bias=True)")
    session.type("set warmup-epoch=1\r")
    session.expect("did you mean 'warmup-epochs'")
    session.type("input-size=32 batch-size=8 epochs=2 warmup-epochs=1 cooldown-epochs=0\r")
    session.expect("cooldown-epochs")
    session.expect("workbench b0·digits")
    session.type("train name=a epochs=500\r")
    session.expect("1/500")
    session.type("\u{03}")
    session.expect("stopped at epoch")
    session.expect("workbench b0·digits")
    session.type("resume epochs=2 max-steps=9\r")
    session.expect("finished")
    session.type("plot loss\r")
    session.expect("training loss")
    session.type("plot lr > lr.svg\r")
    session.expect("wrote lr.svg")
    session.type("half a line\u{03}")
    session.expect("workbench b0·digits")
    session.type("save a.wb\r")
    session.expect("wrote a.wb")
    session.type("quit\r")
    #expect(session.finish() == 0)
    #expect(folder.exists("lr.svg") && folder.exists("lr.gp"))
    #expect(try folder.text("a.wb").contains("stop-at="))
    #expect(try folder.text("home/history").contains("load tf_efficientnetv2_b0\n"))
    let again = try BuiltProgram.run(["replay", "a.wb", "--out", "out"], in: folder.url)
    #expect(again.status == 0, "\(again.errors)")
    try folder.write(try folder.text("out/runs/a/metrics.csv"), to: "runs/copy/metrics.csv")
    #expect(try folder.metrics("copy") == folder.metrics("a"))
  }

  @Test func aPastedBlockAndContinuedLines() throws {
    let folder = try TestFolder()
    let session = try PromptSession(in: folder.url)
    session.expect("workbench>")
    session.type("\u{1B}[200~data digits limit=16\nset lr=0.1\n\u{1B}[201~\r")
    session.expect("16 to train")
    session.expect("0.05 → 0.1")
    session.type("set scale=[0.5,\r")
    session.expect("...>")
    session.type("1]\r")
    session.expect("[0.08,1] → [0.5,1]")
    session.type("set lr=0.2 \\\r")
    session.expect("...>")
    session.type("  smoothing=0\r")
    session.expect("lr         0.1 → 0.2")
    session.expect("*> ")
    session.type("\u{04}")
    session.expect("Leave all the same?")
    session.type("y\r")
    #expect(session.finish() == 0)
  }

}
