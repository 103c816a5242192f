import DSL
import Foundation
import Testing

@testable import Workbench

/// Session files of other versions.
@Suite struct UpgradeTests {
  private func upgraded(_ text: String, _ upgrade: ScriptUpgrade = ScriptUpgrade()) throws -> String
  {
    try upgrade.upgraded(Source(name: "x.wb", text: text))
  }

  @Test func anUpToDateScriptStaysAsItIs() throws {
    let folder = BuiltProgram.repository.appending(path: "sessions")
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
    where name.hasSuffix(".wb") {
      let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
      #expect(try upgraded(text) == text, "\(name)")
    }
  }

  @Test func shortAndOldSpellingsAreWrittenOut() throws {
    let old = """
      #!/usr/bin/env -S workbench replay
      # a try
      lr=0.1
      set  bs=32   warmup_epochs=2  # as before
      for n in 1 2 {
        tail ${n} -f
        exit
      }
      """
    let new = """
      #!/usr/bin/env -S workbench replay
      version 1
      # a try
      set lr=0.1
      set  batch-size=32   warmup-epochs=2  # as before
      for n in 1 2 {
        tail ${n} --follow
        quit
      }
      """
    #expect(try upgraded(old) == new)
    #expect(try upgraded(new) == new)
    #expect(try upgraded("env\r\n") == "version 1\nenv\r\n")
  }

  @Test func laterVersionsRenameStepByStep() throws {
    var upgrade = ScriptUpgrade()
    upgrade.newest = 3
    upgrade.steps = [
      1: .init(verbs: ["charge": "fill"], keys: ["rate": "speed"]),
      2: .init(verbs: ["fill": "load"], keys: ["speed": "classes"]),
    ]
    #expect(
      try upgraded("version 1\ncharge x rate=3\n", upgrade) == "version 3\nload x classes=3\n")
    // What version 2 wrote anew is renamed from there on only.
    #expect(try upgraded("version 2\nfill x speed=3\n", upgrade) == "version 3\nload x classes=3\n")
    #expect(
      try upgraded("version 3\nload x classes=3\n", upgrade) == "version 3\nload x classes=3\n")
  }

  @Test func theFileIsRewrittenOnlyWhenAsked() throws {
    let folder = try TestFolder()
    try folder.write("set bs=8\n", to: "a.wb")
    let file = folder.url.appending(path: "a.wb").path
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
    let shown = try BuiltProgram.run(["upgrade", "a.wb"], in: folder.url)
    #expect(
      shown.status == 0 && shown.output.contains("- set bs=8\n+ version 1\n+ set batch-size=8"),
      "\(shown.output)")
    #expect(try folder.text("a.wb") == "set bs=8\n")
    #expect(try BuiltProgram.run(["upgrade", "a.wb", "--write"], in: folder.url).status == 0)
    #expect(try folder.text("a.wb") == "version 1\nset batch-size=8\n")
    #expect(FileManager.default.isExecutableFile(atPath: file))
    let again = try BuiltProgram.run(["upgrade", "a.wb", "--write"], in: folder.url)
    #expect(again.status == 0 && again.output.isEmpty && again.errors.contains("up to date"))
    try folder.write("version 9\nenv\n", to: "new.wb")
    let refused = try BuiltProgram.run(["upgrade", "new.wb", "--write"], in: folder.url)
    #expect(refused.status == 4 && refused.errors.contains("version 9"))
    try folder.write("set lr=[1\n", to: "bad.wb")
    #expect(try BuiltProgram.run(["upgrade", "bad.wb"], in: folder.url).status == 4)
    #expect(try BuiltProgram.run(["upgrade", "none.wb"], in: folder.url).status == 4)
  }

  /// Scripts of version 1 keep their meaning: each has a golden list of what it runs.
  @Test func oldScriptsKeepTheirMeaning() throws {
    let folder = BuiltProgram.repository.appending(path: "Tests/Fixtures/Scripts/v1")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      .filter { $0.hasSuffix(".wb") }
    #expect(names.count >= 6)
    for name in names {
      let source = Source(
        name: name, text: try String(contentsOf: folder.appending(path: name), encoding: .utf8))
      // What lies on this machine does not count, so only the language judges.
      let checker = Checker(vocabulary: CommandSet.table.vocabulary)
      let script = checker.check(source, as: .file)
      #expect(script.isSound, "\(name): \(script.diagnostics.map(\.message))")
      let plan = script.steps.map { "\($0.cell): \($0.invocation.canonicalText)\n" }.joined()
      let golden = folder.appending(path: name.replacing(".wb", with: ".txt"))
      if ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] != nil {
        try Data(plan.utf8).write(to: golden)
        Issue.record("recorded \(name)")
      }
      #expect(try String(contentsOf: golden, encoding: .utf8) == plan, "\(name)")
    }
  }

  @Test func aNewerScriptIsRefused() throws {
    let folder = try TestFolder()
    try folder.write("version 2\nfrobnicate all\n", to: "new.wb")
    for arguments in [["check", "new.wb"], ["replay", "new.wb"]] {
      let result = try BuiltProgram.run(arguments, in: folder.url)
      #expect(result.status == 4 && result.output.isEmpty)
      #expect(result.errors.contains("new.wb:1:1: error: the script is written in version 2"))
      #expect(
        result.errors.contains("newer release than workbench \(ProgramVersion.number)"),
        "\(result.errors)")
      #expect(!result.errors.contains("frobnicate"))
    }
  }
}
