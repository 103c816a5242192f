import DSL
import Foundation
import Model
import Testing

@testable import Workbench

/// `compare` and `runs`: what runs differ in, in which order they stand.
struct RunComparisonTests {
  @Test func inertDifferencesSayWhy() throws {
    let folder = try ScratchFolder()
    func log(_ name: String, _ settings: [String: HyperparameterValue]) throws -> TrainingLog {
      try TrainingLog(CurveFigureTests.run(name, settings, epochs: 2, in: folder.url))
    }
    let comparison = RunComparison([
      try log("a", ["lr": .number(0.1), "decay-epochs": .integer(30), "workers": .integer(1)]),
      try log("b", ["lr": .number(0.2), "decay-epochs": .integer(60), "workers": .integer(3)]),
    ])
    let found = Dictionary(
      uniqueKeysWithValues: comparison.differences.map { ($0.name, $0) })
    #expect(Set(found.keys) == ["lr", "decay-epochs", "workers"])
    #expect(found["lr"]?.values == ["0.1", "0.2"] && found["lr"]?.inertReason == nil)
    #expect(found["decay-epochs"]?.inertReason?.contains("cosine") == true)
    #expect(found["workers"]?.inertReason == "it never changes a result")
    let text = CompareCommand.table(comparison, by: "top1").text()
    #expect(text.contains("(30)") && text.contains("0.2"))
    let json = CompareCommand.table(comparison, by: "top1").json
    #expect(json.contains("\"decay-epochs\":\"30\"") && json.contains("\"best\":12"))
  }

  @Test func aSettingMayCountInOneRunOnly() throws {
    let folder = try ScratchFolder()
    let step: [String: HyperparameterValue] = [
      "sched": .word("step"), "decay-epochs": .integer(30),
    ]
    let comparison = RunComparison([
      try TrainingLog(CurveFigureTests.run("a", step, epochs: 1, in: folder.url)),
      try TrainingLog(CurveFigureTests.run("b", [:], epochs: 1, in: folder.url)),
    ])
    let decay = try #require(comparison.differences.first { $0.name == "decay-epochs" })
    #expect(decay.inertReason == nil && decay.inertReasons[0] == nil)
    #expect(decay.inertReasons[1] != nil)
  }

  @Test func theBestComesFirstAndTheUnknownLast() throws {
    let folder = try ScratchFolder()
    func log(_ name: String, _ rows: String) throws -> TrainingLog {
      let url = folder.file(name + ".csv")
      try Data(("epoch,eval_loss,eval_top1\n" + rows).utf8).write(to: url)
      return try TrainingLog(file: url, named: name)
    }
    let logs = [
      try log("none", "1,,\n"), try log("low", "1,2,50\n2,1,40\n"), try log("high", "1,3,60\n"),
    ]
    #expect(CompareCommand.sorted(logs, by: "top1").map(\.name) == ["high", "low", "none"])
    #expect(CompareCommand.sorted(logs, by: "loss").map(\.name) == ["low", "high", "none"])
    #expect(CompareCommand.sorted(logs, by: "speed").map(\.name) == ["none", "low", "high"])
  }

  @Test func forksStandBelowTheirParents() {
    let names = ["d", "c", "b", "a", "x"]
    let parents: [String?] = ["b", "a", "a", nil, "gone"]
    let entries = RunTree.entries(names: names, parents: parents)
    #expect(entries.map { $0.branch + names[$0.index] } == ["a", "├─ c", "└─ b", "   └─ d", "x"])
    let circle = RunTree.entries(names: ["a", "b"], parents: ["b", "a"])
    #expect(Set(circle.map(\.index)) == [0, 1])
  }
}
