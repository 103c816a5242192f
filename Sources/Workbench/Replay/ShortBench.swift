import Foundation
import Kernels
import Model

/// The pace of networks here, from a step or two on random images: for a plan whose trainings no
/// earlier run can tell about.
final class ShortBench {
  /// Why a network was not timed.
  static let tooLarge = "its network is too large for a short bench; 'bench' measures it"

  /// The multiply-adds of an image, and the parameters, above which nothing is quick.
  private static let mostWork = (multiplyAdds: 30_000_000_000, parameters: 60_000_000)
  /// The multiply-adds of a batch that is timed, in inference.
  private static let batchWork = 6_000_000_000

  private struct Subject: Hashable {
    let model: String
    let settings: [HyperparameterValue]
    let threads: Int
  }

  /// What decides how long a step takes, besides the network and the threads.
  private static let settings = ["input-size", "batch-size", "freeze", "opt", "drop"]

  private var known: [Subject: TrainingEstimates.Pace] = [:]

  /// The pace of a network with these settings; nil where it is too large to be timed quickly.
  func pace(
    _ model: LoadedModel, _ settings: Hyperparameters, _ pool: ThreadPool
  ) throws -> TrainingEstimates.Pace? {
    let subject = Subject(
      model: model.variant.qualifiedName, settings: Self.settings.map { settings.values[$0] },
      threads: pool.threads)
    if let pace = known[subject] { return pace }
    let size = settings.preprocessing.inputSize
    let work = model.network.blueprint.multiplyAdds(inputSize: size)
    guard work <= Self.mostWork.multiplyAdds,
      model.network.blueprint.parameterCount <= Self.mostWork.parameters
    else { return nil }
    // Mixing wants pairs, and a batch of one says little.
    let batch = min(settings.batchSize, max(2, min(16, Self.batchWork / work / 2 * 2)))
    var values = settings.values
    try values.set("batch-size", to: .integer(batch))
    let small = Hyperparameters(values, for: model.preprocessing)
    let training = try StepBenchmark(model.network, settings: small, pool: pool)
    let inference = try InferenceBenchmark(
      model.network, batch: batch, inputSize: size, pool: pool)
    let pace = TrainingEstimates.Pace(
      trainSeconds: Self.seconds(training.run) / Double(batch),
      testSeconds: Self.seconds(inference.run) / Double(batch))
    known[subject] = pace
    return pace
  }

  /// The quicker of two runs behind one that is not counted.
  private static func seconds(_ run: () -> Double) -> Double {
    _ = run()
    return min(run(), run())
  }
}
