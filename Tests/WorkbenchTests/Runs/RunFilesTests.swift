import Foundation
import Testing

@testable import Model
@testable import Workbench

/// A folder that disappears with its owner.
final class RunsFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "wb-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }
}

func epochReport(
  epoch: Int, top1: Double? = 79.84, isBest: Bool = false, left: Double? = 65_000
) -> EpochReport {
  EpochReport(
    epoch: epoch, totalEpochs: 60, step: epoch * 1562, seconds: 1231.4567,
    epochSeconds: 1231.4567, learningRate: 0.0489123, trainLoss: 0.8123456789,
    evaluation: top1.map {
      Evaluation(loss: 0.1 + 0.2, top1: $0, top5: 98.91, count: 10_000, seconds: 60)
    }, imagesPerSecond: 41.239, segment: 1, isBest: isBest, secondsLeft: left)
}

struct RunFilesTests {
  @Test func rowsReadBackAsTheSameNumbers() throws {
    let row = MetricsRow(epochReport(epoch: 7))
    #expect(
      row.line
        == "7,10934,1231.457,0.0489123,0.8123456789,0.30000000000000004,79.84,98.91,41.2,1")
    #expect(MetricsRow(epochReport(epoch: 7, top1: nil)).line.hasSuffix("0.8123456789,,,,41.2,1"))
    let text = MetricsRow.columns.joined(separator: ",") + "\n" + row.line + "\n"
    let table = MetricsTable(text: text)
    #expect(table["eval_loss"] == [0.1 + 0.2])
    #expect(table["epoch"] == [7])
    #expect(table["none"] == nil)
  }

  @Test func tornLinesAndRepeatedHeadersAreLeftOut() {
    let text = "epoch,train_loss\n0,1.5\nepoch,train_loss\n1,\n2,nan\n3,0.5\n4"
    let table = MetricsTable(text: text)
    #expect(table.columns == ["epoch", "train_loss"])
    #expect(table["epoch"] == [0, 1, 2, 3])
    #expect(table["train_loss"] == [1.5, nil, nil, 0.5])
    #expect(MetricsTable(text: "").rows.isEmpty)
    #expect(MetricsTable(text: "epoch,tr").columns.isEmpty)
  }

  @Test func rowsAfterTheCheckpointMove() throws {
    let folder = try RunsFolder()
    let url = folder.url.appending(path: "metrics.csv")
    let discarded = folder.url.appending(path: "metrics.discarded.csv")
    let file = try MetricsFile(url)
    for epoch in 1...4 { try file.append(MetricsRow(epochReport(epoch: epoch))) }
    let whole = try String(contentsOf: url, encoding: .utf8)
    #expect(try MetricsFile.discardRows(after: 4, in: url, to: discarded) == 0)
    #expect(try String(contentsOf: url, encoding: .utf8) == whole)

    try Data((whole + "5,78").utf8).write(to: url)
    #expect(try MetricsFile.discardRows(after: 2, in: url, to: discarded) == 2)
    #expect(try MetricsTable(contentsOf: url)["epoch"] == [1, 2])
    #expect(try MetricsTable(contentsOf: discarded)["epoch"] == [3, 4])
    let again = try MetricsFile(url)
    try again.append(MetricsRow(epochReport(epoch: 3)))
    #expect(
      try String(contentsOf: url, encoding: .utf8)
        == whole.split(separator: "\n").prefix(4).joined(separator: "\n") + "\n")
    #expect(try MetricsFile.discardRows(after: 2, in: url, to: discarded) == 1)
    #expect(try MetricsTable(contentsOf: discarded)["epoch"] == [3, 4, 3])
  }

  @Test func theEpochTableIsAligned() {
    #expect(
      EpochTable.header()
        == "  epoch        lr  train_loss  eval_loss     top1     top5     img/s    time     eta")
    let best = EpochTable.line(epochReport(epoch: 7, isBest: true), metric: .top1)
    #expect(
      best
        == "   7/60    0.0489      0.8123     0.3000    79.84*   98.91      41.2  20m31s     18h")
    let bare = EpochTable.line(epochReport(epoch: 60, top1: nil, left: nil), metric: .top1)
    #expect(bare.hasPrefix("  60/60    0.0489      0.8123 "))
    let loss = EpochTable.line(epochReport(epoch: 7, isBest: true), metric: .loss)
    #expect(loss.contains("0.3000*"))
  }

  @Test func theEnvironmentNamesTheMachineButNotTheHost() throws {
    let record = EnvironmentRecord(version: "0.1.0", git: "abc", threads: 2)
    let text = String(decoding: try record.json(), as: UTF8.self)
    #expect(record.cores >= 1 && record.memory > 1 << 28)
    #expect(!record.processor.isEmpty && !record.kernel.isEmpty)
    let host = ProcessInfo.processInfo.hostName
    #expect(!text.contains("\"\(host)\""))
    #expect(!text.contains("hostname"))
    #expect(try JSONDecoder().decode(EnvironmentRecord.self, from: record.json()) == record)
  }
}

struct RunDirectoryTests {
  @Test func anOlderRunIsMovedAside() throws {
    let root = try RunsFolder()
    var names: [String?] = []
    for number in 0..<3 {
      let created = try RunDirectory.create("a", in: root.url)
      names.append(created.movedAside)
      try Data("\(number)".utf8).write(to: created.directory.parameters)
    }
    #expect(names == [nil, "a.1", "a.2"])
    func content(_ name: String) throws -> String {
      try String(
        contentsOf: RunDirectory.open(name, in: root.url).parameters, encoding: .utf8)
    }
    #expect(try content("a.1") == "0")
    #expect(try content("a.2") == "1")
    #expect(try content("a") == "2")
    #expect(RunDirectory.all(in: root.url).map(\.name) == ["a", "a.1", "a.2"])
  }

  @Test func aRunIsTrainedByOneAtATime() throws {
    let root = try RunsFolder()
    let created = try RunDirectory.create("a", in: root.url)
    #expect(created.directory.isBusy)
    let expected = RunError.busy(name: "a", process: Int(getpid()))
    #expect(throws: expected) { try RunDirectory.create("a", in: root.url) }
    #expect(throws: expected) { try created.directory.lock() }
    #expect(created.directory.url.lastPathComponent == "a")
    withExtendedLifetime(created.lock) {}
  }

  @Test func theLockEndsWithItsOwner() throws {
    let root = try RunsFolder()
    var created: RunDirectory.Created? = try RunDirectory.create("a", in: root.url)
    let directory = try #require(created?.directory)
    created = nil
    #expect(!directory.isBusy)
    let lock = try directory.lock()
    #expect(directory.isBusy)
    withExtendedLifetime(lock) {}
  }

  @Test(arguments: ["", ".", "..", "a/b", ".hidden", "a b", "ä", "../x"])
  func badNamesAreRefused(name: String) throws {
    let root = try RunsFolder()
    #expect(throws: RunError.badName(name)) { try RunDirectory.create(name, in: root.url) }
    #expect(throws: RunError.badName(name)) { try RunDirectory.open(name, in: root.url) }
  }

  @Test func unknownRunsAreNamed() throws {
    let root = try RunsFolder()
    #expect(throws: RunError.unknown("a")) { try RunDirectory.open("a", in: root.url) }
    #expect(RunDirectory.all(in: root.url.appending(path: "none")).isEmpty)
  }
}
