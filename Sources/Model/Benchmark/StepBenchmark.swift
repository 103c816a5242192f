public import Kernels

/// Times whole training steps on one batch of random images: forward, loss, backward, update.
///
/// The network is a copy with the same shape, so that a measurement never changes what is trained.
public final class StepBenchmark {
  /// The bytes planned for activations.
  public var workspaceBytes: Int { step.workspaceBytes }
  private let network: Network
  private let step: TrainingStep
  private let rate: Double

  /// Plans the steps that the settings describe.
  /// - Throws: `ArchitectureError` when the network cannot take such batches.
  public init(_ network: Network, settings: Hyperparameters, pool: ThreadPool) throws {
    let copy = Network(network.blueprint, seed: settings.seed)
    self.network = copy
    step = try TrainingStep(copy, settings: settings, pool: pool)
    rate = 1e-6
    // Of several stages the last, which has the largest images.
    if let stage = settings.progression.stages.last { step.enter(stage) }
    let (batch, size) = (step.graph.batch, step.graph.inputSize)
    let channels = network.blueprint.inputChannels
    fillRandom(step.input, count: batch * size * size * channels, seed: settings.seed)
    for index in 0..<batch {
      step.targets.labels[index] = Int32(index % network.blueprint.classCount)
    }
  }

  /// Runs one step.
  /// - Returns: its seconds.
  public func run() -> Double {
    let start = ContinuousClock.now
    _ = step.run(StepKey(), learningRate: rate, isAbandoned: { false })
    return start.duration(to: .now).seconds
  }
}

extension StepBenchmark {
  /// Runs one step and adds its times, operation by operation, to what `profile` holds.
  public func run(into profile: StepProfile) {
    step.profile = profile
    _ = run()
    step.profile = nil
    profile.steps += 1
  }

  /// An empty profile for these steps.
  public var emptyProfile: StepProfile { StepProfile(network.blueprint) }
}

/// Times inference on one batch of random images.
public final class InferenceBenchmark {
  /// The bytes planned for activations and folded weights.
  public var workspaceBytes: Int { folded.workspaceBytes }
  private let folded: FoldedNetwork

  /// Plans the inference of batches of one size.
  /// - Throws: `ArchitectureError` when the network cannot take such batches.
  public init(_ network: Network, batch: Int, inputSize: Int, pool: ThreadPool) throws {
    folded = try FoldedNetwork(network, maxBatch: batch, inputSize: inputSize, pool: pool)
    let channels = network.blueprint.inputChannels
    fillRandom(folded.input, count: batch * inputSize * inputSize * channels, seed: 1)
  }

  /// Computes the logits of the batch.
  /// - Returns: the seconds that it took.
  public func run() -> Double {
    let start = ContinuousClock.now
    _ = folded.run(batch: folded.maxBatch)
    return start.duration(to: .now).seconds
  }
}

/// Numbers in -1 ... 1, the same for the same seed.
func fillRandom(_ target: UnsafeMutablePointer<Float>, count: Int, seed: UInt64) {
  var random = CounterRandom(seed: seed, stream: .initialization, counters: 0)
  for index in 0..<count { target[index] = Float(random.uniform(-1, 1)) }
}
