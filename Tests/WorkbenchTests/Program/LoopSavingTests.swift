import Foundation
import Testing

/// `for` in a saved script: as it was written where all of it is kept.
@Suite struct LoopSavingTests {
  private static let preparation = [
    "data digits limit=16", "load efficientnet_b0",
    "set input-size=32 batch-size=8 epochs=1 warmup-epochs=0 cooldown-epochs=0 lr=0.001",
  ]

  private func saved(_ lines: [String], _ folder: TestFolder) throws -> String {
    let (transcript, status) = try SavedSessionTests.play(
      Self.preparation + lines + ["save s.wb", "quit --force"], in: folder)
    #expect(status == 0)
    #expect(
      transcript.contains("this file reproduces the current state: yes"), "\(transcript)")
    return try folder.text("s.wb")
  }

  @Test func aLoopIsSavedAsItWasWritten() throws {
    let folder = try TestFolder()
    let loop = "for s in 0.1 0.2 {\n  # each its own run\n  train name=l${s} smoothing=${s}\n}"
    let script = try saved(
      ["param steps:int = 1", loop, loop.replacing("l$", with: "m$") + " # again"], folder)
    #expect(script.contains("\n\(loop)\n"), "\(script)")
    #expect(script.contains("train name=m${s}") && !script.contains("l0.1"))
    let again = try BuiltProgram.run(["replay", "s.wb", "--out", "out"], in: folder.url)
    #expect(again.status == 0, "\(again.errors)")
    for name in ["l0.1", "l0.2", "m0.1", "m0.2"] {
      #expect(
        try SessionBits.difference(
          name, folder.url.appending(path: "runs"), folder.url.appending(path: "out/runs")) == nil)
    }
  }

  /// What a script does not take, or what is not needed as a whole, is unrolled.
  @Test(arguments: [
    ("for s in 0.1 0.2 {\n  smoothing=${s}\n  train name=l${s}\n}", "train name=l0.1"),
    ("for s in 0.1 0.2 {\n  set smoothing=${s}\n}", "smoothing=0.2"),
    ("for s in 0.1 0.2 {\n  train smoothing=${s}\n}", "name=efficientnet_b0-digits-2"),
  ])
  func otherLoopsAreUnrolled(loop: String, line: String) throws {
    let folder = try TestFolder()
    let script = try saved([loop], folder)
    #expect(!script.contains("for s in") && script.contains(line), "\(script)")
  }
}
