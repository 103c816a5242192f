import Foundation
import Testing

@testable import Model
@testable import Workbench

/// Whole trainings of a tiny network in real run folders.
struct RunRecordingTests {
  private static let variant = Variant(
    "tiny", summary: "for tests",
    shape: NetworkShape(
      stemChannels: 8,
      stages: [StageSpec(.fused, repeats: 1, channels: 8, stride: 2, expansion: 2)],
      headChannels: 16),
    padding: .same, normEpsilon: 1e-3, tags: [],
    untrained: Preprocessing(inputSize: 8, interpolation: .bilinear))

  private static func data() -> DataSource {
    let digits = Datasets.digits()
    func subset(_ dataset: any Dataset) -> InMemoryDataset {
      let images = (0..<24).compactMap { try? dataset.image($0) }
      return InMemoryDataset(
        name: dataset.name, classNames: dataset.classNames, width: 8, height: 8,
        pixels: images.flatMap(\.pixels), labels: (0..<24).map { UInt8(dataset.label($0)) })
    }
    return DataSource(
      name: "digits", train: subset(digits.train), test: subset(digits.test), files: digits.files)
  }

  private static func settings(
    _ changes: [String: HyperparameterValue] = [:]
  ) throws -> Hyperparameters {
    var values = HyperparameterValues()
    let base: [String: HyperparameterValue] = [
      "epochs": .integer(3), "cooldown-epochs": .integer(0), "warmup-epochs": .integer(0),
      "batch-size": .integer(8), "threads": .integer(1), "workers": .integer(1),
      "log-interval": .integer(2),
    ]
    for (key, value) in base.merging(changes, uniquingKeysWith: { $1 }) {
      try values.set(key, to: value)
    }
    return Hyperparameters(values, for: variant.preprocessing)
  }

  private static func train(
    _ directory: RunDirectory, _ settings: Hyperparameters, from checkpoint: Checkpoint? = nil,
    stopAt: Int? = nil, dieAfter epoch: Int? = nil
  ) throws {
    let data = data()
    let trainer = try Trainer(
      network: Network(try Blueprint(variant, classCount: 10), seed: 1), data: data,
      settings: settings, checkpoints: directory.checkpoints, resuming: checkpoint,
      stopAt: stopAt)
    try RunParameters(
      model: "tiny", weights: nil, data: data, parameters: settings.values
    ).write(to: directory)
    let recorder = try RunRecorder(
      directory, description: "tiny on digits", metric: settings.evaluationMetric)
    struct Death: Error {}
    do {
      _ = try trainer.run { event in
        try recorder.handle(event)
        if case .epochFinished(let report) = event, report.epoch == epoch { throw Death() }
      }
    } catch is Death {}
  }

  /// What `resume` does before it trains: locks the run and removes what lies after the checkpoint.
  private struct Resumption {
    let lock: RunLock
    let checkpoint: Checkpoint
    let discardedRows: Int

    init(_ run: RunDirectory, from selector: CheckpointStore.Selector = .last) throws {
      lock = try run.lock()
      checkpoint = try run.checkpoints.load(selector)
      try run.checkpoints.rewind(to: checkpoint)
      discardedRows = try MetricsFile.discardRows(
        after: checkpoint.state.completedEpochs, in: run.metrics, to: run.discardedMetrics)
    }
  }

  /// The rows without what the clock decides.
  private static func rows(_ directory: RunDirectory) throws -> [String] {
    let clock = MetricsRow.columns.map { MetricsRow.clockColumns.contains($0) }
    return try String(contentsOf: directory.metrics, encoding: .utf8)
      .split(separator: "\n").map { line in
        zip(line.split(separator: ",", omittingEmptySubsequences: false), clock)
          .filter { !$0.1 }.map { String($0.0) }.joined(separator: ",")
      }
  }

  @Test func aStopReplacesTheStopsOfACommand() {
    let within = StopPoint(step: 7, epochStep: 3, completedEpochs: 1)
    #expect(within.text(of: "train name=a stop-after=2") == "train name=a stop-at=7")
    let behind = StopPoint(step: 8, epochStep: 0, completedEpochs: 2)
    #expect(behind.text(of: "train stop-at=9 name=a lr=.1") == "train name=a lr=.1 stop-after=2")
    let start = StopPoint(step: 0, epochStep: 0, completedEpochs: 0)
    #expect(start.text(of: "train") == "train stop-at=0")
  }

  @Test func stagesTellTheirFewestAndMostSteps() throws {
    let root = try RunsFolder()
    let directory = try RunDirectory.create("a", in: root.url).directory
    try Self.train(
      directory,
      Self.settings([
        "progressive": .word("paper"), "stages": .integer(3), "stage-batch": .numbers([12, 8, 4]),
      ]))
    let log = try String(contentsOf: directory.log, encoding: .utf8)
    #expect(log.contains("\nepochs: 3, 2 to 6 steps each; 24 training images"))
  }

  @Test func aRunLeavesAllItsFiles() throws {
    let root = try RunsFolder()
    let created = try RunDirectory.create("a", in: root.url)
    let directory = created.directory
    try Self.train(directory, Self.settings())
    let rows = try Self.rows(directory)
    #expect(rows[0] == "epoch,step,lr,train_loss,eval_loss,eval_top1,eval_top5")
    #expect(rows.count == 4 && rows[3].hasPrefix("3,9,"))
    let log = try String(contentsOf: directory.log, encoding: .utf8)
    #expect(log.hasPrefix("started: tiny on digits\nepochs: 3, 3 steps each; 24 training images"))
    #expect(log.contains("\n    1/3 "))
    #expect(log.contains("\nfinished: 3 epochs in "))
    let events = EventLog.read(directory)
    #expect(events.first?.ev == "started" && events.last?.ev == "finished")
    #expect(events.filter { $0.ev == "step" }.count == 6)
    let parameters = try RunParameters(of: directory)
    #expect(parameters.model == "tiny" && parameters.classes.count == 10)
    #expect(parameters.parameters["input-size"] == .integer(8))
    let bytes = try Data(contentsOf: directory.parameters)
    try parameters.write(to: directory)
    #expect(try Data(contentsOf: directory.parameters) == bytes)

    #expect(RunSummary(directory).status == .running)
    withExtendedLifetime(created.lock) {}
  }

  @Test func resumingAfterAnyEndGivesTheSameRows() throws {
    let root = try RunsFolder()
    let settings = try Self.settings()
    let whole = try RunDirectory.create("whole", in: root.url)
    try Self.train(whole.directory, settings)
    let expected = try Self.rows(whole.directory)

    // Stopped by the user in the middle of the second epoch.
    let stopped = try RunDirectory.create("stopped", in: root.url).directory
    try Self.train(stopped, settings, stopAt: 5)
    #expect(RunSummary(stopped).status == .stopped)
    do {
      let resumption = try Resumption(stopped)
      #expect(resumption.discardedRows == 0)
      try Self.train(stopped, settings, from: resumption.checkpoint)
    }
    #expect(try Self.rows(stopped) == expected)

    // Killed between the row of the second epoch and its checkpoint.
    let killed = try RunDirectory.create("killed", in: root.url).directory
    try Self.train(killed, settings, dieAfter: 2)
    #expect(RunSummary(killed).status == .killed)
    #expect(try Self.rows(killed).count == 3)
    do {
      let resumption = try Resumption(killed)
      #expect(resumption.discardedRows == 1)
      #expect(resumption.checkpoint.state.completedEpochs == 1)
      try Self.train(killed, settings, from: resumption.checkpoint)
    }
    #expect(try Self.rows(killed) == expected)

    // Taken up again at an earlier epoch.
    do {
      let resumption = try Resumption(killed, from: .epoch(1))
      #expect(resumption.discardedRows == 2)
      try Self.train(killed, settings, from: resumption.checkpoint)
    }
    #expect(try Self.rows(killed) == expected)
    #expect(try MetricsTable(contentsOf: killed.discardedMetrics)["epoch"] == [2, 2, 3])
  }

  @Test func listingsTellHowRunsStand() throws {
    let root = try RunsFolder()
    let finished = try RunDirectory.create("one", in: root.url).directory
    try Self.train(finished, Self.settings())
    let diverged = try RunDirectory.create("two", in: root.url).directory
    try Self.train(diverged, Self.settings(["lr": .number(1e30)]))
    let empty = try RunDirectory.create("empty", in: root.url).directory
    #expect(!FileManager.default.fileExists(atPath: empty.metrics.path))

    let runs = RunSummary.all(in: root.url)
    #expect(Set(runs.map(\.name)) == ["one", "two"])
    let one = try #require(runs.first { $0.name == "one" })
    #expect(one.status == .finished)
    #expect(one.model == "tiny" && one.data == "digits")
    #expect(one.epochs == 3 && one.totalEpochs == 3)
    let table = try MetricsTable(contentsOf: finished.metrics)
    let best = try #require(table["eval_top1"]?.compactMap { $0 }.max())
    #expect(one.best?.value == best && one.best?.metric == .top1)
    #expect(one.last["step"] == 9)
    #expect(one.started != nil)
    #expect(runs.first { $0.name == "two" }?.status == .diverged)
  }
}
