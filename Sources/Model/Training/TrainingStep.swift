import Kernels

/// One optimization step, with everything it needs planned ahead: nothing is allocated in a step.
final class TrainingStep {
  /// How a step came out.
  enum Result {
    /// The weights were updated; the mean loss of the batch before that.
    case done(loss: Double)
    /// Something was no finite number. Some weights may have been updated: the caller gives network and
    /// optimizer a state that it kept.
    case diverged(DivergenceReport.Quantity)
    /// The caller dropped the batch; weights and optimizer are as they were.
    case abandoned
  }

  /// What of the network trains now.
  private(set) var phase: TrainingPhase
  /// The rule that updates what trains in this phase.
  private(set) var optimizer: any Optimizer
  /// Bytes of the planned activations, those of the largest stage.
  let workspaceBytes: Int
  /// Where the batch's images go: `[batch, size, size, 3]`.
  var input: UnsafeMutablePointer<Float> { graph.input }
  /// Where the batch's labels go.
  let targets: BatchTargets

  /// The layers of the present stage.
  private(set) var graph: TrainingGraph
  private let graphs: [GraphKey: TrainingGraph]
  /// The running mean of the weights, where there is one.
  let average: WeightAverage?
  private var clipping: GradientClipping?
  /// What does not train in each phase.
  private let freezings: [TrainingPhase: Freezing]
  private let update: OptimizerSettings
  /// Steps of the training before the optimizer's first.
  private var firstStep = 0
  private let accumulator: GradientAccumulator?
  private let loss: TrainingLoss
  private let classes: Int
  private let pool: ThreadPool
  private let losses: UnsafeMutablePointer<Float>

  /// Plans the steps of a training; the phase is that of its first epoch until another begins.
  init(_ network: Network, settings: Hyperparameters, pool: ThreadPool) throws {
    let table = network.parameters.table
    phase = settings.phase(epoch: 0)
    var freezings: [TrainingPhase: Freezing] = [:]
    for phase in settings.phases { freezings[phase] = try settings.freezing(phase, table) }
    self.freezings = freezings
    update = settings.optimizer
    (graphs, workspaceBytes) = try Self.graphs(network, settings, freezings, pool)
    let stages = settings.progression.stages
    guard let first = stages.first, let graph = graphs[GraphKey(first, phase)] else {
      preconditionFailure("a training has a stage")
    }
    self.graph = graph
    let batch = stages.map(\.loadedRows).max() ?? 0
    let target = Self.target(network, freezings, phase, update)
    optimizer = update.make(for: target)
    clipping = update.clipping.map { GradientClipping($0, for: target) }
    accumulator = update.accumulation > 1 ? GradientAccumulator(network.parameters) : nil
    average = update.average.map { WeightAverage(of: network, $0) }
    loss = settings.loss
    classes = network.blueprint.classCount
    self.pool = pool
    targets = BatchTargets(capacity: batch)
    losses = .allocate(capacity: batch)
    losses.initialize(repeating: 0, count: batch)
    enter(first)
  }

  /// One graph for each phase, size and batch, all in the same memory.
  private static func graphs(
    _ network: Network, _ settings: Hyperparameters, _ freezings: [TrainingPhase: Freezing],
    _ pool: ThreadPool
  ) throws -> ([GraphKey: TrainingGraph], workspaceBytes: Int) {
    var layouts: [GraphKey: (layout: TrainingLayout, freezing: Freezing)] = [:]
    for (phase, freezing) in freezings {
      for stage in settings.progression.stages where layouts[GraphKey(stage, phase)] == nil {
        let layout = try TrainingLayout(network, settings, stage, freezing, pool)
        try layout.checkMemory(batch: stage.rows, inputSize: stage.inputSize)
        layouts[GraphKey(stage, phase)] = (layout, freezing)
      }
    }
    let memory = StepMemory(for: layouts.values.map(\.layout))
    let graphs = layouts.reduce(into: [GraphKey: TrainingGraph]()) { graphs, entry in
      graphs[entry.key] = TrainingGraph(
        network, entry.value.layout, batch: entry.key.rows, inputSize: entry.key.inputSize,
        freezing: entry.value.freezing, memory: memory, pool: pool)
    }
    return (graphs, layouts.values.map(\.layout.workspaceBytes).max() ?? 0)
  }

  /// The weights that train in a phase.
  private static func target(
    _ network: Network, _ freezings: [TrainingPhase: Freezing], _ phase: TrainingPhase,
    _ update: OptimizerSettings
  ) -> UpdateTarget {
    guard let freezing = freezings[phase] else { preconditionFailure("the phase was planned") }
    return UpdateTarget(
      network.parameters,
      UpdateGroup.all(
        of: network.parameters.table, freezing, layerDecay: update.layerDecay,
        smallestScale: update.smallestScale))
  }

  /// Lets a phase begin, with an optimizer that remembers nothing.
  ///
  /// - Parameter step: the steps of the training before the phase.
  func begin(_ phase: TrainingPhase, after step: Int) {
    firstStep = step
    guard phase != self.phase else { return }
    self.phase = phase
    let target = Self.target(graph.network, freezings, phase, update)
    optimizer = update.make(for: target)
    clipping = update.clipping.map { GradientClipping($0, for: target) }
  }

  /// Takes the sizes and the dropout of a stage; what a step computes does not depend on the stages
  /// before.
  func enter(_ stage: TrainingStage) {
    guard let entered = graphs[GraphKey(stage, phase)] else {
      preconditionFailure("the stage was planned")
    }
    entered.profile = graph.profile
    graph = entered
    graph.dropRate = stage.dropout
  }

  deinit {
    losses.deallocate()
  }

  /// Forward, loss and backward for the batch in `input` and `targets`, and with the last batch of a
  /// step the update.
  ///
  /// - Parameters:
  ///   - part: which of the step's batches it is.
  ///   - isAbandoned: asked between forward and backward.
  func run(
    _ key: StepKey, learningRate: Double, part: BatchPart = .whole, isAbandoned: () -> Bool
  ) -> Result {
    graph.forward(key)
    measure(.loss) {
      loss.run(
        logits: graph.logits, targets: targets, rows: graph.batch, classes: classes,
        logitGradient: graph.logitGradient, losses: losses, pool: pool)
    }
    var sum = 0.0
    let images = loss.imageCount(rows: graph.batch)
    for index in 0..<images { sum += Double(losses[index]) }
    guard sum.isFinite else { return .diverged(.loss) }
    if isAbandoned() { return .abandoned }
    let mean = sum / Double(images)
    // A profile tells the update from the backward pass.
    if clipping == nil, accumulator == nil, profile == nil,
      let optimizer = optimizer as? any PartwiseOptimizer
    {
      return backward(updating: optimizer, learningRate: learningRate)
        ? .done(loss: mean) : .diverged(.gradient)
    }
    graph.backward()
    var isComplete = true
    if let accumulator {
      measure(.update) { isComplete = accumulator.add(part, pool: pool) }
    }
    guard isComplete else { return .done(loss: mean) }
    var isFinite = true
    measure(.update) { isFinite = update(learningRate: learningRate) }
    return isFinite ? .done(loss: mean) : .diverged(.gradient)
  }

  /// The weights that are updated together in the backward pass: less, and the threads would wait for each
  /// other too often.
  private static let partCount = 1 << 19

  /// Backward, and meanwhile the update of the blocks whose gradients are done: these and the weights are
  /// in the cache then, where all of them together would have to come from memory once more.
  ///
  /// - Returns: whether the gradients were finite.
  private func backward(updating optimizer: any PartwiseOptimizer, learningRate: Double) -> Bool {
    optimizer.beginStep()
    let table = graph.network.parameters.table
    var end = table.decayingRange.upperBound
    var isFinite = true
    func update(_ range: Range<Int>) {
      isFinite =
        isFinite && optimizer.update(range, learningRate: learningRate, pool: pool)
    }
    graph.backward { start in
      guard end - start >= Self.partCount else { return }
      update(start..<end)
      end = start
    }
    update(0..<end)
    update(table.plainRange)
    if isFinite { updateAverage() }
    return isFinite
  }

  private func updateAverage() {
    average?.update(step: firstStep + optimizer.updates, pool: pool)
  }

  /// - Returns: whether the gradients were finite.
  private func update(learningRate: Double) -> Bool {
    if let clipping {
      // Clipped, infinite ones would look like others.
      guard graph.network.parameters.hasFiniteGradients(pool) else { return false }
      clipping.run(pool)
    }
    guard optimizer.step(learningRate: learningRate, pool: pool) else { return false }
    updateAverage()
    return true
  }

  /// Ends an epoch behind its last step.
  func finishEpoch() { optimizer.finishEpoch(pool: pool) }

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

/// What a graph is planned for.
private struct GraphKey: Hashable {
  let phase: TrainingPhase
  let inputSize: Int
  let rows: Int

  init(_ stage: TrainingStage, _ phase: TrainingPhase) {
    self.phase = phase
    inputSize = stage.inputSize
    rows = stage.rows
  }
}
