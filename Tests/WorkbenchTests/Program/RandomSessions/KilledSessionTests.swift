import Foundation
import Testing

/// `kill -9` at random moments of random sessions, then `recover`: at most the command that ran and one
/// epoch of it are lost, and going on gives the bits of a session that was never cut off.
@Suite struct KilledSessionTests {
  @Test(arguments: 1...6) func aKilledSessionGoesOnToTheSameBits(seed: Int) throws {
    var commands = RandomCommands(seed: 5000 + seed)
    let entries = commands.plainSession()
    let questions = ["show all --csv > settings.csv", "eval predictions --csv > predictions.csv"]
    let whole = try TestFolder()
    let started = Date()
    let (transcript, status) = try SavedSessionTests.play(
      entries + questions + ["quit --force"], in: whole)
    let seconds = Date().timeIntervalSince(started)
    #expect(status == 0 && !transcript.contains("error:"), "seed \(seed)\n\(transcript)")
    var random = SeededRandom(seed: 6000 + seed)
    for number in 1...5 {
      let moment = seconds * Double(random.number(5...110)) / 100
      let folder = try TestFolder()
      let first = try PromptSession(in: folder.url, environment: ["NO_COLOR": "1"])
      for entry in entries { first.type(entry + "\r") }
      first.watch(seconds: moment)
      let seen = max(0, Self.prompts(in: first.text) - 1)
      first.crash()
      let rows = Self.rows(folder)

      let second = try PromptSession(in: folder.url, environment: ["NO_COLOR": "1"])
      second.type("recover\r")
      second.watch { second.text.firstMatch(of: /recovered \d+ command|no session ended/) != nil }
      let restored = Self.number(/recovered (\d+) command/, in: second.text) ?? 0
      func report(_ what: String) -> Comment {
        """
        seed \(seed), session \(number), killed after \(moment) s: \(what)
        \(entries.joined(separator: "\n"))
        -- killed --
        \(first.text)
        -- recovered --
        \(second.text)
        """
      }
      #expect(restored >= seen && restored <= entries.count, report("lost \(seen - restored)"))
      #expect(!second.text.contains("not restored"), report("something was not restored"))
      var next = restored
      let goesOn = second.text.firstMatch(
        of: /its run '(\w+)' is there up to epoch (\d+): '([^']+)'/)
      if let goesOn, let epoch = Int(goesOn.2) {
        #expect(epoch >= (rows[String(goesOn.1)] ?? 0) - 1, report("more than an epoch was lost"))
        second.type("\(goesOn.3)\r")
        next += 1
      }
      for entry in entries.dropFirst(next) + questions { second.type(entry + "\r") }
      second.type("save s.wb\rquit --force\r")
      #expect(second.finish() == 0, report("it did not end well"))
      #expect(
        second.text.contains("this file reproduces the current state: yes"),
        report("the check of the saved script says no"))
      try expectSame(whole, folder.url, folder.url, report)
      if number == 1 {
        let again = try BuiltProgram.run(
          ["replay", "s.wb", "--out", "out", "--quiet"], in: folder.url)
        #expect(again.status == 0, report("the replay: \(again.errors)"))
        try expectSame(whole, folder.url.appending(path: "out"), nil, report)
      }
    }
  }

  private func expectSame(
    _ whole: TestFolder, _ other: URL, _ answers: URL?, _ report: (String) -> Comment
  ) throws {
    let (runs, others) = (whole.url.appending(path: "runs"), other.appending(path: "runs"))
    for name in SessionBits.runs(in: runs) {
      guard FileManager.default.fileExists(atPath: others.appending(path: name).path) else {
        Issue.record(report("there is no run \(name)"))
        continue
      }
      if let difference = try SessionBits.difference(name, runs, others) {
        Issue.record(report("not the same: \(difference)"))
      }
    }
    for file in ["settings.csv", "predictions.csv"] {
      guard let answers else { continue }
      let text = try? String(contentsOf: answers.appending(path: file), encoding: .utf8)
      #expect(try text == whole.text(file), report("another \(file)"))
    }
  }

  /// How often the prompt came.
  private static func prompts(in text: String) -> Int {
    text.matches(of: #/(?:^|[\r\n])workbench[^\r\n>]*> /#).count
  }

  /// The finished epochs of every run.
  private static func rows(_ folder: TestFolder) -> [String: Int] {
    var counts: [String: Int] = [:]
    for name in SessionBits.runs(in: folder.url.appending(path: "runs")) {
      let text = (try? folder.text("runs/\(name)/metrics.csv")) ?? ""
      counts[name] = max(0, text.split(separator: "\n").count - 1)
    }
    return counts
  }

  private static func number(_ pattern: Regex<(Substring, Substring)>, in text: String) -> Int? {
    text.firstMatch(of: pattern).flatMap { Int($0.1) }
  }
}
