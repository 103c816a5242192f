import Foundation
import Kernels

/// Looks for a learning rate: trains a copy of a network while the rate rises from step to step, and
/// watches the loss (Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017).
///
/// The network itself, its optimizer and every random draw of its training stay as they are.
public final class RateFinder {
  /// One step: its rate, the batch's loss, and the mean of the losses so far, in which the latest
  /// weigh most.
  public struct Point: Sendable, Equatable {
    /// The learning rate of the step.
    public let rate: Double
    /// The loss of the batch before the step.
    public let loss: Double
    /// The smoothed loss.
    public let smoothed: Double
  }

  /// What a search found.
  public struct Result: Sendable, Equatable {
    /// The steps, by rising rate.
    public let points: [Point]
    /// Whether the loss became so large, or no number, that the search ended early.
    public let isDiverged: Bool

    /// The rate at which the smoothed loss fell fastest; nil where it never fell. A good rate for
    /// training with a warm-up.
    public var suggestion: Double? {
      // The first steps are noise: the mean has seen too few batches.
      let settled = points.dropFirst(min(5, points.count / 4))
      guard let lowest = settled.min(by: { $0.smoothed < $1.smoothed }) else { return nil }
      let falling = settled.prefix { $0.rate <= lowest.rate }
      let steepest = zip(falling, falling.dropFirst()).max { first, second in
        first.0.smoothed - first.1.smoothed < second.0.smoothed - second.1.smoothed
      }
      guard let steepest, steepest.0.smoothed > steepest.1.smoothed else { return nil }
      return (steepest.0.rate * steepest.1.rate).squareRoot()
    }
  }

  private let data: DataSource
  private let settings: Hyperparameters
  private let step: TrainingStep
  private let stage: TrainingStage

  /// Copies a network and plans its steps.
  /// - Throws: `HyperparameterError`, `ArchitectureError`.
  public init(_ network: Network, data: DataSource, settings: Hyperparameters) throws {
    if let conflict = settings.values.conflict { throw conflict }
    try network.blueprint.checkImages()
    try settings.checkBatches(images: data.train.count)
    self.data = data
    self.settings = settings
    step = try TrainingStep(
      network.copy(), settings: settings, pool: ThreadPool(threads: settings.threads))
    stage = settings.progression.stage(epoch: 0)
  }

  /// Takes `steps` steps with rates in equal ratios from the lower bound to the upper one; fewer
  /// when the loss rises above four times its lowest.
  ///
  /// - Parameter progress: is told after each step how many are done; it answers whether to go on.
  /// - Throws: what an image that cannot be read throws.
  public func run(
    _ rates: ClosedRange<Double>, steps: Int, progress: (Int) -> Bool = { _ in true }
  ) throws -> Result {
    precondition(rates.lowerBound > 0 && steps > 1)
    var points: [Point] = []
    var mean = 0.0
    var lowest = Double.infinity
    var epoch = 0
    while points.count < steps {
      let loader = BatchLoader(
        dataset: data.train, recipes: settings.recipes(epoch: 0), batchSize: stage.batchSize,
        seed: settings.seed, epoch: epoch, shuffle: true, sampler: settings.sampler,
        dropLast: true, workers: settings.workers)
      defer { loader.close() }
      for index in 0..<loader.batchCount where points.count < steps {
        step.enter(settings.progression.stage(epoch: 0, step: index))
        _ = try loader.next(into: step.input, targets: step.targets)
        let share = Double(points.count) / Double(steps - 1)
        let rate = rates.lowerBound * pow(rates.upperBound / rates.lowerBound, share)
        let key = StepKey(seed: settings.seed, epoch: epoch, step: index)
        guard case .done(let loss) = step.run(key, learningRate: rate, isAbandoned: { false })
        else { return Result(points: points, isDiverged: true) }
        mean = 0.9 * mean + 0.1 * loss
        let smoothed = mean / (1 - pow(0.9, Double(points.count + 1)))
        points.append(Point(rate: rate, loss: loss, smoothed: smoothed))
        lowest = min(lowest, smoothed)
        if smoothed > 4 * lowest { return Result(points: points, isDiverged: true) }
        guard progress(points.count) else { return Result(points: points, isDiverged: false) }
      }
      epoch += 1
    }
    return Result(points: points, isDiverged: false)
  }
}
