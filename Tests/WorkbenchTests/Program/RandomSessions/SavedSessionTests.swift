import Foundation
import Testing

/// Random sessions at the prompt, saved and replayed: the same runs, the same state, to the last bit.
@Suite struct SavedSessionTests {
  /// `FUZZ_SEEDS=1000..1100` runs other sessions than usual.
  static let seeds: [Int] = {
    let ends = (ProcessInfo.processInfo.environment["FUZZ_SEEDS"] ?? "").components(
      separatedBy: "..")
    guard ends.count == 2, let first = Int(ends[0]), let last = Int(ends[1]), first <= last else {
      return Array(1...140)
    }
    return Array(first...last)
  }()

  /// What tells the state apart: every setting, the classes of the head, and what the loaded network
  /// makes of the loaded images.
  private static let questions: [(command: String, file: String)] = [
    ("show all --csv", "settings.csv"),
    ("eval predictions --csv", "predictions.csv"),
    ("eval predictions split=train --csv", "training.csv"),
  ]

  @Test(arguments: seeds) func aSavedSessionReplaysToTheSameBits(seed: Int) throws {
    let folder = try TestFolder()
    var commands = RandomCommands(seed: seed)
    let entries = commands.session()
    let questions = Self.questions.map { "\($0.command) > \($0.file)" }
    let (transcript, status) = try Self.play(
      entries + questions + [commands.save(), "quit --force"], in: folder)
    let text = entries.joined(separator: "\n")
    #expect(status == 0, "seed \(seed)\n\(text)\n\(transcript)")
    guard folder.exists("s.wb") else {
      Issue.record("seed \(seed): not saved\n\(text)\n\(transcript)")
      return
    }
    let script = try folder.text("s.wb")
    func report(_ what: String) -> Comment {
      "seed \(seed): \(what)\n-- session --\n\(text)\n-- saved --\n\(script)\n-- transcript --\n\(transcript)"
    }
    if !transcript.contains("this file reproduces the current state: yes") {
      Issue.record(report("the check of the saved script says no"))
    }
    // A session that ends without data or a network has no predictions.
    let answered = Self.questions.filter { folder.exists($0.file) }
    #expect(answered.count >= 1, report("no answers"))
    let asked = answered.map { "\($0.command) > again-\($0.file)\n" }.joined()
    try folder.write(script + "\n" + asked, to: "asked.wb")
    let again = try BuiltProgram.run(
      ["replay", "asked.wb", "--out", "out", "--quiet"], in: folder.url)
    guard again.status == 0 else {
      Issue.record(report("the replay ended with \(again.status): \(again.errors)"))
      return
    }
    let (runs, replayed) = (
      folder.url.appending(path: "runs"), folder.url.appending(path: "out/runs")
    )
    // A training that diverged has failed, and what failed is not saved.
    let wanted = try SessionBits.runs(in: runs).filter {
      try !SessionBits.hasDiverged($0, in: runs)
    }
    #expect(SessionBits.runs(in: replayed) == wanted, report("other runs"))
    for name in SessionBits.runs(in: replayed) {
      if let difference = try SessionBits.difference(name, runs, replayed) {
        Issue.record(report("not the same: \(difference)"))
      }
    }
    for file in answered.map(\.file) {
      let one = try Self.answers(folder, file)
      let other = try Self.answers(folder, "out/again-" + file)
      #expect(one == other, report("another \(file)"))
    }
  }

  /// The rows of an answer; how a setting came about may differ.
  private static func answers(_ folder: TestFolder, _ file: String) throws -> [String] {
    let lines = try folder.text(file).split(separator: "\n").map(String.init)
    guard file.hasSuffix("settings.csv") else { return lines }
    return lines.map { line in
      line.replacing(/,(set|seed|default|preset [a-z0-9-]+),/, with: ",")
    }
  }

  /// Types a session at a prompt, each entry after the one before it.
  static func play(_ entries: [String], in folder: TestFolder) throws -> (String, Int32) {
    let session = try PromptSession(in: folder.url, environment: ["NO_COLOR": "1"])
    for entry in entries {
      session.type(entry.replacing("\n", with: "\r") + "\r")
    }
    let status = session.finish()
    return (session.text, status)
  }
}
