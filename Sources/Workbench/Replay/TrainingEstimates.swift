import Foundation
import Model

/// How long trainings will take and how much they will write, from runs that are on disk or, where
/// none tells, from a short bench.
struct TrainingEstimates {
  /// What a training needs.
  struct Estimate: Equatable {
    /// Seconds that are left; nil where nothing tells the speed.
    var seconds: Double?
    /// Whether no run told the speed, but a short bench.
    var isBenched: Bool
    /// Bytes of checkpoints.
    var bytes: Int
  }

  /// How fast images go by.
  struct Pace {
    /// Seconds of a training image, and of one that is evaluated.
    let trainSeconds: Double
    let testSeconds: Double
  }

  /// What one run tells of its machine's pace.
  private struct RunPace {
    let model: String
    let inputSize: HyperparameterValue
    let batchSize: HyperparameterValue
    let pace: Pace
  }

  private let paces: [RunPace]

  /// Reads the runs of a folder.
  init(runs: URL) {
    paces = RunDirectory.all(in: runs).compactMap(Self.pace)
  }

  /// What a training needs, with the session's network and data.
  func estimate(
    _ values: HyperparameterValues, _ model: LoadedModel, _ data: LoadedData, doneSteps: Int,
    _ bench: ShortBench, _ state: WorkbenchState
  ) throws -> Estimate {
    let settings = Hyperparameters(values, for: model.preprocessing)
    let known = pace(settings, model: model.variant.qualifiedName)
    let pace = try known ?? bench.pace(model, settings, state.threadPool(settings.threads))
    let seconds = pace.map {
      Self.seconds(
        settings, at: $0, trainImages: data.source.train.count,
        testImages: data.source.validation.count, doneSteps: doneSteps)
    }
    let memory = try TrainingMemory(
      model.network, settings: settings, pool: state.threadPool(settings.threads))
    // What a checkpoint holds of what a step needs.
    let parts: Set = ["weights", "optimizer", "average of the weights"]
    let checkpoint = memory.items.filter { parts.contains($0.name) }.reduce(0) { $0 + $1.bytes }
    // The kept epochs, the best one, and a new one before an old one goes.
    let kept = min(settings.keptCheckpoints, settings.schedule.totalEpochs + 1) + 2
    return Estimate(
      seconds: seconds, isBenched: known == nil && pace != nil, bytes: checkpoint * kept)
  }

  /// The seconds that are left of a training; nil where no run of the same network, input size and
  /// batch size tells the speed.
  func seconds(
    _ settings: Hyperparameters, model: String, trainImages: Int, testImages: Int, doneSteps: Int
  ) -> Double? {
    pace(settings, model: model).map {
      Self.seconds(
        settings, at: $0, trainImages: trainImages, testImages: testImages, doneSteps: doneSteps)
    }
  }

  /// The pace of the latest run of the same network, input size and batch size.
  private func pace(_ settings: Hyperparameters, model: String) -> Pace? {
    paces.last {
      $0.model == model && $0.inputSize == settings.values["input-size"]
        && $0.batchSize == settings.values["batch-size"]
    }?.pace
  }

  private static func seconds(
    _ settings: Hyperparameters, at pace: Pace, trainImages: Int, testImages: Int, doneSteps: Int
  ) -> Double {
    var steps = (0..<settings.schedule.totalEpochs).reduce(0) {
      $0 + settings.stepsPerEpoch(images: trainImages, in: settings.progression.stage(epoch: $1))
    }
    steps = min(steps, settings.maxSteps ?? steps)
    let left = max(0, steps - doneSteps)
    let perEpoch = max(
      1, settings.stepsPerEpoch(images: trainImages, in: settings.progression.stages[0]))
    let epochs = (left + perEpoch - 1) / perEpoch
    let evaluations = (epochs + settings.evaluationInterval - 1) / settings.evaluationInterval
    let images = left * settings.batchSize * settings.optimizer.accumulation
    return Double(images) * pace.trainSeconds
      + Double(evaluations * testImages) * pace.testSeconds
  }

  private static func pace(of run: RunDirectory) -> RunPace? {
    guard let description = try? RunParameters(of: run),
      let table = try? MetricsTable(contentsOf: run.metrics),
      let started = EventLog.read(run).first(where: { $0.trainImages != nil }),
      let trainImages = started.trainImages, let testImages = started.testImages, testImages > 0
    else { return nil }
    let speeds = (table["images_per_s"] ?? []).compactMap { $0 }.filter { $0 > 0 }.sorted()
    let seconds = (table["seconds"] ?? []).compactMap { $0 }
    guard let last = seconds.last, !speeds.isEmpty else { return nil }
    let speed = speeds[speeds.count / 2]
    // What an epoch takes beyond its steps is its evaluation.
    let epoch = last / Double(seconds.count)
    let rest = max(0, epoch - Double(trainImages) / speed)
    return RunPace(
      model: description.model, inputSize: description.parameters["input-size"],
      batchSize: description.parameters["batch-size"],
      pace: Pace(trainSeconds: 1 / speed, testSeconds: rest / Double(testImages)))
  }
}
