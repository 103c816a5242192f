import DSL
import Foundation
import Testing

@testable import Workbench

/// Every rule of the program fires on a script with that fault, and nothing runs.
///
/// `Tests/Fixtures/Rules/CODE[-VARIANT].wb` has what it prints beside it. Its first line may say how it
/// is checked: `#: replay`, `#: PATH=.`, `#: with runs` for what lies in `Rules/with`.
@Suite struct CheckRuleTests {
  static let folder = BuiltProgram.repository.appending(path: "Tests/Fixtures/Rules")

  static let names: [String] = {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return all.filter { $0.hasSuffix(".wb") }.sorted()
  }()

  /// The codes of the program's own rules; those of the language have their goldens with it.
  static let codes = RuleCode.allCases.map(\.rawValue) + ["shell-command"]

  @Test func everyRuleHasAScript() {
    for code in Self.codes {
      let script = Self.names.first { $0 == "\(code).wb" || $0.hasPrefix("\(code)-") }
      let golden = script.map { $0.replacing(".wb", with: ".txt") }
      let text = golden.flatMap {
        try? String(contentsOf: Self.folder.appending(path: $0), encoding: .utf8)
      }
      #expect(text?.isEmpty == false, "no script with a golden text for \(code)")
    }
  }

  /// No rule makes up a code of its own, which no test would ask for.
  @Test func everyCodeIsListed() throws {
    let sources = BuiltProgram.repository.appending(path: "Sources/Workbench")
    let files = try FileManager.default.subpathsOfDirectory(atPath: sources.path)
    for file in files where file.hasSuffix(".swift") {
      let text = try String(contentsOf: sources.appending(path: file), encoding: .utf8)
      #expect(text.firstMatch(of: /\bcode: \"[a-z-]+\"/) == nil, "\(file) has a code of its own")
    }
  }

  @Test(arguments: names) func golden(name: String) throws {
    let place = try TestFolder()
    let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
    try place.write(text, to: name)
    try place.write("", to: "file")
    var (arguments, environment, extra) = (["check"], [String: String](), [String]())
    if text.hasPrefix("#: ") {
      let words = text.prefix { $0 != "\n" }.dropFirst(3).split(separator: " ").map(String.init)
      if words[0] == "with" { extra = Array(words.dropFirst()) }
      if words[0] == "replay" { arguments = words }
      if words[0].hasPrefix("PATH=") { environment["PATH"] = String(words[0].dropFirst(5)) }
    }
    for file in extra {
      try FileManager.default.copyItem(
        at: Self.folder.appending(path: "with/\(file)"), to: place.url.appending(path: file))
    }
    let result = try BuiltProgram.run(
      arguments + [name], in: place.url, environment: environment)
    let printed =
      result.errors.replacing(place.url.path, with: "FOLDER")
      .replacing(/and [0-9.]+ [kMGT]?i?B are free/, with: "and SOME are free")
      + "exit code \(result.status)\n"
    let code = Self.codes.filter { name == "\($0).wb" || name.hasPrefix("\($0)-") }
    #expect(!code.isEmpty, "\(name) is named after no code")
    let golden = Self.folder.appending(path: name.replacing(".wb", with: ".txt"))
    if ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] == "1" {
      try Data(printed.utf8).write(to: golden)
      Issue.record("recorded \(name)")
    } else {
      #expect(try String(contentsOf: golden, encoding: .utf8) == printed)
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: place.url.path)
      .filter { !$0.hasPrefix(".std") && $0 != "home" }
    #expect(left.sorted() == ([name, "file"] + extra).sorted(), "something ran")
  }

  @Test func aMissingGnuplotIsFoundBeforehand() throws {
    let folder = try TestFolder()
    try folder.write(SmallReplay.script("train name=a epochs=1\nplot loss > a.png"), to: "a.wb")
    let without = ["PATH": folder.url.path]
    let refused = try BuiltProgram.run(["check", "a.wb"], in: folder.url, environment: without)
    #expect(refused.status == 7 && refused.errors.contains("--no-plot"), "\(refused.errors)")
    let left = try BuiltProgram.run(
      ["replay", "a.wb", "--no-plot"], in: folder.url, environment: without)
    #expect(left.status == 0 && !folder.exists("a.png"), "\(left.errors)")
  }

  @Test func aTimeLimitIsHeldAgainstEarlierRuns() throws {
    let folder = try TestFolder()
    try folder.write(SmallReplay.script("train name=a epochs=1"), to: "a.wb")
    #expect(try SmallReplay.replay(folder).status == 0)
    try folder.write(SmallReplay.script("train name=b epochs=90000"), to: "b.wb")
    let result = try BuiltProgram.run(
      ["replay", "b.wb", "--check", "--time-limit", "1s"], in: folder.url)
    #expect(
      result.status == 0 && result.errors.contains("the time limit is 1.0s"), "\(result.errors)")
  }

  @Test func otherWeightsAreFoundBeforehand() throws {
    let folder = try TestFolder()
    let made = try BuiltProgram.run(
      ["-c", "load tf_efficientnetv2_b0 classes=2; save-weights w.safetensors"], in: folder.url)
    #expect(made.status == 0, "\(made.errors)")
    let digest = String(repeating: "0", count: 64)
    try folder.write(
      "version 1\nload tf_efficientnetv2_b0 weights=w.safetensors sha256=\(digest)\n", to: "a.wb")
    let result = try BuiltProgram.run(["check", "a.wb"], in: folder.url)
    #expect(result.status == 7 && result.errors.contains("expected 000000"), "\(result.errors)")
  }
}
