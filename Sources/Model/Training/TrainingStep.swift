import Kernels

/// One optimization step, with everything it needs planned ahead: nothing is allocated in a step.
final class TrainingStep {
  /// How a step came out.
  enum Result {
    /// The weights were updated; the mean loss of the batch before that.
    case done(loss: Double)
    /// Something was no finite number; weights and optimizer are as they were.
    case diverged(DivergenceReport.Quantity)
    /// The caller dropped the batch; weights and optimizer are as they were.
    case abandoned
  }

  let optimizer: any Optimizer
  /// Bytes of the planned activations.
  var workspaceBytes: Int { graph.workspaceBytes }
  /// Where the batch's images go: `[batch, size, size, 3]`.
  var input: UnsafeMutablePointer<Float> { graph.input }
  /// Where the batch's labels go.
  let targets: BatchTargets

  let graph: TrainingGraph
  private let groups: [UpdateGroup]
  private let smoothing: Float
  private let classes: Int
  private let batch: Int
  private let pool: ThreadPool
  private let losses: UnsafeMutablePointer<Float>

  init(_ network: Network, settings: Hyperparameters, pool: ThreadPool) throws {
    let table = network.parameters.table
    let freezing = try Freezing(settings.freezing, table)
    groups = UpdateGroup.all(of: table, freezing)
    graph = try TrainingGraph(
      network, batch: settings.rowsPerStep,
      inputSize: settings.preprocessing.inputSize,
      isCheckpointing: settings.isCheckpointing, dropPathRate: settings.dropPath,
      freezing: freezing, pool: pool)
    graph.dropRate = settings.dropout
    optimizer = settings.optimizer.make(settings, for: network.parameters)
    smoothing = settings.smoothing
    classes = network.blueprint.classCount
    batch = settings.rowsPerStep
    self.pool = pool
    targets = BatchTargets(capacity: batch)
    losses = .allocate(capacity: batch)
    losses.initialize(repeating: 0, count: batch)
  }

  deinit {
    losses.deallocate()
  }

  /// Forward, loss, backward and update for the batch in `input` and `targets`.
  ///
  /// - Parameter isAbandoned: asked between forward and backward.
  func run(_ key: StepKey, learningRate: Double, isAbandoned: () -> Bool) -> Result {
    graph.forward(key)
    measure(.loss) {
      softmaxCrossEntropy(
        logits: graph.logits, labels: targets.labels, n: batch, classes: classes,
        smoothing: smoothing,
        logitGradient: graph.logitGradient, losses: losses, pool: pool)
    }
    var sum = 0.0
    for index in 0..<batch { sum += Double(losses[index]) }
    guard sum.isFinite else { return .diverged(.loss) }
    if isAbandoned() { return .abandoned }
    graph.backward()
    let parameters = graph.network.parameters
    guard
      isFinite(parameters.gradients, count: parameters.table.weightExtent, pool: pool)
    else { return .diverged(.gradient) }
    measure(.update) {
      optimizer.step(parameters, groups, learningRate: learningRate, pool: pool)
    }
    return .done(loss: sum / Double(batch))
  }

  /// Where the times of the next steps are written.
  var profile: StepProfile? {
    get { graph.profile }
    set { graph.profile = newValue }
  }

  private func measure(_ operation: StepProfile.Operation, _ body: () -> Void) {
    guard let profile = graph.profile else { return body() }
    profile.enterEnd()
    profile.measure(operation, body)
  }

  /// Whether weights and running statistics are all finite.
  var isNetworkFinite: Bool {
    let parameters = graph.network.parameters
    return isFinite(parameters.weights, count: parameters.table.weightExtent, pool: pool)
      && isFinite(parameters.buffers, count: parameters.table.bufferExtent, pool: pool)
  }
}
