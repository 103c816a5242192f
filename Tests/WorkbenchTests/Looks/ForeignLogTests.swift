import Foundation
import Testing

@testable import Workbench

/// Logs as timm, Keras and Lightning write them; Tests/Tools/make_log_fixtures.py let them.
struct ForeignLogTests {
  static func url(_ name: String) -> URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/logs/\(name)")
  }

  private static func log(_ name: String) throws -> TrainingLog {
    try TrainingLog(file: url(name), named: name)
  }

  private static func values(_ points: [Figure.Point]?) -> [Double] {
    (points ?? []).compactMap(\.y)
  }

  @Test(arguments: ["timm-summary.csv", "timm-notebook-summary.csv"])
  func timmCountsEpochsFromZero(name: String) throws {
    let log = try Self.log(name)
    #expect(log.table["epoch"] == [1, 2, 3, 4])
    #expect(log.last("eval_top1").map { Int(($0 * 1e4).rounded()) } == 880_085)
    #expect(log.last("lr").map { Int(($0 * 1e6).rounded()) } == 7322)
    #expect(log.best("eval_loss")?.epoch == 4)
    #expect(log.points(of: "eval_loss", against: .step) == nil)
  }

  @Test func kerasAccuraciesBecomePercent() throws {
    let log = try Self.log("keras-log.csv")
    #expect(log.table["eval_top1"] == [62.5, 62.5, 62.5, 62.5])
    #expect(Self.values(log.points(of: "train_loss", against: .epoch)).first == 1.5069069862365723)
    #expect(log.points(of: "lr", against: .epoch)?.map(\.x) == [1, 2, 3, 4])
    #expect(log.table.columns.contains("train_top1"))
    // The first of equal values is the best one.
    #expect(log.best("eval_top1")?.epoch == 1)
  }

  @Test func lightningsSparseRowsBecomeEpochsAndSteps() throws {
    let log = try Self.log("lightning-metrics.csv")
    let accuracy = try #require(log.points(of: "eval_top1", against: .epoch))
    #expect(accuracy.map(\.x) == [1, 2, 3, 4])
    #expect(accuracy.first?.y == 50)
    // Rates stand in rows without an epoch, before the rows of their epoch.
    let rates = try #require(log.points(of: "lr", against: .epoch))
    #expect(rates.count == 4)
    let rounded = Self.values(rates).map { Int(($0 * 1e4).rounded()) }
    #expect(rounded == [500, 400, 320, 256])
    // The mean of the epoch counts, not the loss of a batch.
    #expect(Self.values(log.points(of: "train_loss", against: .epoch)).first == 2.1789140415384147)
    let steps = try #require(log.points(of: "train_loss_step", against: .step))
    #expect(steps.map(\.x) == [10, 20, 30, 40, 50, 60, 70, 80])
    let means = try #require(log.points(of: "train_loss_step", against: .epoch))
    let mean = (2.5 + 1.9093761794374269) / 2
    #expect(means.count == 4)
    #expect(abs((means[0].y ?? 0) - mean) < 1e-12)
  }

  @Test func otherSeparatorsAndQuotesAreRead() {
    let table = MetricsTable(text: "epoch;loss;\"val;loss\"\r\n0;\"1.5\";2\r\n")
    #expect(table.columns == ["epoch", "loss", "val;loss"])
    #expect(table.rows == [[0, 1.5, 2]])
  }

  @Test func otherFilesAreRefused() throws {
    let folder = try ScratchFolder()
    try Data("a,b\n1,2\n".utf8).write(to: folder.file("x.csv"))
    #expect(throws: (any Error).self) {
      try TrainingLog(file: folder.file("x.csv"), named: "x")
    }
    #expect(throws: (any Error).self) {
      try TrainingLog(file: folder.file("none.csv"), named: "none")
    }
  }
}
