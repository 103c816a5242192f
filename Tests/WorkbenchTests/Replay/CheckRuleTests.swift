import DSL
import Foundation
import Testing

@testable import Workbench

/// Every rule of the program fires on a script with that fault, and nothing runs.
///
/// `Tests/Fixtures/Rules/CODE[-VARIANT].wb` has what it prints beside it.
@Suite struct CheckRuleTests {
  static let folder = BuiltProgram.repository.appending(path: "Tests/Fixtures/Rules")

  static let names: [String] = {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return all.filter { $0.hasSuffix(".wb") }.sorted()
  }()

  /// The codes of the program's own rules.
  static let codes = [
    "class-count", "not-pretrained", "total-epochs", "cannot-write", "no-data", "no-weights",
    "no-seed", "unknown-metric", "unknown-run", "no-run", "written-twice", "duplicate-cell",
    "duplicate-run", "shell-command", "doubtful-setting", "conflict",
  ]

  @Test func everyRuleHasAScript() {
    for code in Self.codes {
      #expect(
        Self.names.contains { $0 == "\(code).wb" || $0.hasPrefix("\(code)-") },
        "no script for \(code)")
    }
  }

  @Test(arguments: names) func golden(name: String) throws {
    let place = try TestFolder()
    let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
    try place.write(text, to: name)
    try place.write("", to: "file")
    let result = try BuiltProgram.run(["check", name], in: place.url)
    let printed =
      result.errors.replacing(place.url.path, with: "FOLDER") + "exit code \(result.status)\n"
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
    #expect(left.sorted() == [name, "file"].sorted(), "something ran")
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
