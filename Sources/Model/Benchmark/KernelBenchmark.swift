public import Kernels

/// Times the kernels beside the convolutions and products on random numbers: norms, activations,
/// gates, attention, loss, update. Most of them wait for memory.
public final class KernelBenchmark {
  /// One kernel and what it works on.
  public struct Kernel {
    /// What it does.
    public let name: String
    /// The numbers it works on, such as `4608x672`.
    public let subject: String
    /// The bytes that it cannot do without reading or writing.
    public let bytes: Int
    /// The operations of its products, two per multiply-add; none where memory rules.
    public let operations: Int
    fileprivate let work: () -> Void

    /// Runs it once.
    /// - Returns: its seconds.
    public func run() -> Double {
      let start = ContinuousClock.now
      work()
      return start.duration(to: .now).seconds
    }
  }

  /// The kernels of the network, in the order of a training step.
  public private(set) var kernels: [Kernel] = []
  private let pool: ThreadPool
  private var memories: [FloatMemory] = []

  /// Allocates what the kernels of a network need for a batch, on the map that it computes most.
  /// - Throws: `ArchitectureError` when the network cannot take such batches.
  public init(_ blueprint: Blueprint, batch: Int, inputSize: Int, pool: ThreadPool) throws {
    self.pool = pool
    try blueprint.checkExtent(batch: batch, inputSize: inputSize)
    /// Refuses maps of which the memory does not hold three.
    func checkMaps(_ floats: Int) throws {
      try checkMemory(
        3 * floats * MemoryLayout<Float>.stride, batch: batch, inputSize: inputSize)
    }
    switch blueprint.body {
    case .convolutional:
      let cases = try blueprint.convolutionCases(batch: batch, inputSize: inputSize)
      let most = cases.max {
        $0.count * $0.shape.outputCount < $1.count * $1.shape.outputCount
      }
      guard let shape = most?.shape else { break }
      try checkMaps(shape.outputCount)
      addNormalised(
        batch: batch, pixels: shape.outputHeight * shape.outputWidth,
        channels: shape.outputChannels)
    case .transformer(let body):
      let tokens = try body.tokens(inputSize: inputSize)
      try checkMaps(batch * tokens * body.shape.hiddenChannels)
      addTransformer(batch: batch, tokens: tokens, body.shape)
    }
    addLoss(batch: batch, classes: blueprint.classCount)
    addUpdate(blueprint.parameterCount)
  }

  /// Random numbers, kept as long as the benchmark.
  private func numbers(_ count: Int) -> UnsafeMutablePointer<Float> {
    let memory = FloatMemory(count: count)
    fillRandom(memory.base, count: count, seed: UInt64(memories.count))
    memories.append(memory)
    return memory.base
  }

  /// - Parameter passes: how often `floats` numbers are read or written.
  private func add(
    _ name: String, _ subject: String, passes: Int, floats: Int, operations: Int = 0,
    _ work: @escaping () -> Void
  ) {
    kernels.append(
      Kernel(
        name: name, subject: subject, bytes: passes * floats * MemoryLayout<Float>.stride,
        operations: operations, work: work))
  }

  private func addNormalised(batch: Int, pixels: Int, channels: Int) {
    let pool = pool
    let rows = batch * pixels
    let count = rows * channels
    let subject = "\(rows)x\(channels)"
    let (x, gradient, target) = (numbers(count), numbers(count), numbers(count))
    let perImage = (numbers(batch * channels), numbers(batch * channels))
    let norm = NormParameters(
      mean: numbers(channels), inverseDeviation: numbers(channels), factor: numbers(channels),
      beta: numbers(channels))
    let gammaGradient = numbers(channels)
    let betaGradient = numbers(channels)
    let totals = numbers(2 * channels)
    let parts = max(
      batchNormParts(rows: rows, channels: channels), pooledGradientParts(batch: batch))
    let scratch = NormScratch(count: GradientSums.count(parts: parts, channels: channels))
    func map(gate: UnsafePointer<Float>?) -> NormalizedMap {
      NormalizedMap(x: x, norm: norm, activation: .silu, gate: gate, rowsPerImage: pixels)
    }
    add("batch norm, SiLU", subject, passes: 2, floats: count) {
      batchNormForward(
        x, rows: rows, channels: channels, norm: norm, activation: .silu, residual: nil,
        output: target, pool: pool)
    }
    add("batch norm, residual", subject, passes: 3, floats: count) {
      batchNormForward(
        x, rows: rows, channels: channels, norm: norm, activation: .identity, residual: gradient,
        output: target, pool: pool)
    }
    add("batch norm backward", subject, passes: 5, floats: count) {
      batchNormBackward(
        x, outputGradient: gradient, rows: rows, channels: channels, norm: norm,
        activation: .identity, inputGradient: target, gammaGradient: gammaGradient,
        betaGradient: betaGradient, totals: totals, scratch: scratch, pool: pool)
    }
    let plain = map(gate: nil)
    let gated = map(gate: perImage.0)
    add("mean of norm, SiLU", subject, passes: 1, floats: count) {
      globalAveragePool(
        plain, batch: batch, channels: channels, output: perImage.1, pool: pool)
    }
    add("gradient of gate", subject, passes: 2, floats: count) {
      gateGradient(
        plain, outputGradient: gradient, gates: perImage.0, batch: batch, channels: channels,
        gateGradient: perImage.1, pool: pool)
    }
    let gatedScratch = NormScratch(count: GatedSums.count(batch: batch, channels: channels))
    add("gradient of gate, sums", subject, passes: 2, floats: count) {
      GatedSums(gatedScratch, batch: batch, channels: channels)
        .add(
          plain, outputGradient: gradient, gates: perImage.0, gateGradient: perImage.1, pool: pool)
    }
    add("gated norm, SiLU backward", subject, passes: 3, floats: count) {
      // A small gradient each time: it is replaced by its product with the gate and the slope.
      pooledArgumentGradient(
        gated, meanGradient: perImage.1, batch: batch, channels: channels, gradient: target,
        sums: GradientSums(
          scratch, parts: pooledGradientParts(batch: batch), channels: channels), pool: pool)
    }
    add("SiLU", subject, passes: 2, floats: count) {
      siluForward(x, count: count, output: target, pool: pool)
    }
    add("SiLU backward", subject, passes: 3, floats: count) {
      siluBackward(
        x, outputGradient: gradient, count: count, inputGradient: target, pool: pool)
    }
  }

  private func addTransformer(batch: Int, tokens: Int, _ shape: TransformerShape) {
    let pool = pool
    let (rows, channels) = (batch * tokens, shape.channels)
    let count = rows * channels
    let hidden = rows * shape.hiddenChannels
    let x = numbers(max(hidden, 3 * count))
    let gradient = numbers(max(hidden, 3 * count))
    let target = numbers(max(hidden, 3 * count))
    let statistics = numbers(2 * rows)
    let norm = LayerNormParameters(
      scale: numbers(channels), shift: numbers(channels), epsilon: shape.normEpsilon)
    let (scaleGradient, shiftGradient) = (numbers(channels), numbers(channels))
    add("layer norm", "\(rows)x\(channels)", passes: 2, floats: count) {
      layerNormForward(
        x, rows: rows, channels: channels, norm: norm, statistics: statistics, output: target,
        pool: pool)
    }
    add("layer norm backward", "\(rows)x\(channels)", passes: 4, floats: count) {
      layerNormBackward(
        x, outputGradient: gradient, rows: rows, channels: channels, norm: norm,
        statistics: statistics, inputGradient: target, scaleGradient: scaleGradient,
        shiftGradient: shiftGradient, pool: pool)
    }
    let attention = Attention(
      batch: batch, tokens: tokens, heads: shape.heads, size: channels / shape.heads, pool: pool)
    let heads = "\(batch)x\(shape.heads) heads of \(tokens)x\(channels / shape.heads)"
    // Scores and sums; backward computes the scores again and has four products more.
    let product = 2 * batch * tokens * tokens * channels
    add("attention", heads, passes: 4, floats: count, operations: 2 * product) {
      attention.forward(qkv: x, output: target)
    }
    add("attention backward", heads, passes: 7, floats: count, operations: 5 * product) {
      attention.backward(qkv: x, outputGradient: gradient, qkvGradient: target)
    }
    add("GELU", "\(rows)x\(shape.hiddenChannels)", passes: 2, floats: hidden) {
      geluForward(x, count: hidden, output: target, pool: pool)
    }
    add("GELU backward", "\(rows)x\(shape.hiddenChannels)", passes: 3, floats: hidden) {
      geluBackward(
        x, outputGradient: gradient, count: hidden, inputGradient: target, pool: pool)
    }
  }

  private func addLoss(batch: Int, classes: Int) {
    let pool = pool
    let count = batch * classes
    let (logits, gradient, losses) = (numbers(count), numbers(count), numbers(batch))
    let labels = (0..<batch).map { Int32($0 % classes) }
    add("cross entropy", "\(batch)x\(classes)", passes: 2, floats: count) {
      softmaxCrossEntropy(
        logits: logits, labels: labels, n: batch, classes: classes, smoothing: 0.1,
        logitGradient: gradient, losses: losses, pool: pool)
    }
  }

  private func addUpdate(_ count: Int) {
    let pool = pool
    let (weights, gradients, buffer) = (numbers(count), numbers(count), numbers(count))
    let run = UpdateRun(
      weights: weights, gradients: gradients, first: buffer, second: buffer, count: count)
    let subject = "\(count)"
    add("gradients are finite", subject, passes: 1, floats: count) {
      _ = isFinite(gradients, count: count, pool: pool)
    }
    add("SGD with momentum", subject, passes: 5, floats: count) {
      sgdUpdate(
        run, learningRate: 1e-6, momentum: 0.9, weightDecay: 1e-5, nesterov: true,
        firstStep: false, pool: pool)
    }
    add("mean of weights", subject, passes: 3, floats: count) {
      approach(buffer, weights, share: 1e-3, count: count, pool: pool)
    }
    add("gradients to zero", subject, passes: 1, floats: count) {
      fill(gradients, 0, count: count, pool: pool)
    }
  }
}
