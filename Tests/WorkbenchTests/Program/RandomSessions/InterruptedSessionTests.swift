import Foundation
import Testing

/// Ctrl-C at random batches of random trainings, then `resume`: the bits of a training that was never
/// stopped, and a saved session that stops and goes on by itself to the same bits.
@Suite struct InterruptedSessionTests {
  @Test(arguments: 1...10) func aStoppedTrainingGoesOnToTheSameBits(seed: Int) throws {
    var commands = RandomCommands(seed: 7000 + seed)
    let lines = commands.preparation() + [RandomCommands.gentle, "set epochs=3"]
    let whole = try TestFolder()
    let (transcript, status) = try SavedSessionTests.play(
      lines + ["train name=a", "quit --force"], in: whole)
    #expect(status == 0 && whole.exists("runs/a/ckpt"), "seed \(seed)\n\(transcript)")
    let steps = whole.steps("a")
    var random = SeededRandom(seed: 8000 + seed)
    for number in 1...3 {
      let folder = try TestFolder()
      let stops = (0..<random.number(1...2)).map { _ in random.number(0...steps - 1) }.sorted()
      let isAbandoned = random.chance(25)
      let session = try PromptSession(in: folder.url, environment: ["NO_COLOR": "1"])
      for line in lines + ["train name=a"] { session.type(line + "\r") }
      for (index, stop) in stops.enumerated() {
        session.watch { folder.steps("a") >= stop && folder.exists("runs/a/events.jsonl") }
        kill(session.child, SIGINT)
        if isAbandoned { kill(session.child, SIGINT) }
        session.watch { folder.ends("a") > index }
        session.type("resume\r")
      }
      session.watch { folder.isFinished("a") }
      session.type("save s.wb\rquit --force\r")
      let status = session.finish()
      func report(_ what: String) -> Comment {
        """
        seed \(seed), session \(number), stops at \(stops)\(isAbandoned ? ", twice" : ""): \(what)
        \(lines.joined(separator: "\n"))
        -- transcript --
        \(session.text)
        """
      }
      #expect(status == 0, report("it ended with \(status)"))
      try expectSame("a", whole, folder.url, report)
      #expect(
        session.text.contains("this file reproduces the current state: yes"),
        report("the check of the saved script says no"))
      let again = try BuiltProgram.run(
        ["replay", "s.wb", "--out", "out", "--quiet"], in: folder.url)
      #expect(again.status == 0, report("the replay: \(again.errors)"))
      try expectSame("a", whole, folder.url.appending(path: "out"), report)
    }
  }

  private func expectSame(
    _ run: String, _ whole: TestFolder, _ other: URL, _ report: (String) -> Comment
  ) throws {
    let difference = try SessionBits.difference(
      run, whole.url.appending(path: "runs"), other.appending(path: "runs"))
    if let difference { Issue.record(report("not the same below \(other.path): \(difference)")) }
  }
}

extension TestFolder {
  /// How often a run was stopped or came to its end.
  fileprivate func ends(_ run: String) -> Int {
    events(run).count { $0.contains("\"ev\":\"stopped\"") || $0.contains("\"ev\":\"finished\"") }
  }

  fileprivate func isFinished(_ run: String) -> Bool {
    events(run).contains { $0.contains("\"ev\":\"finished\"") }
  }
}
