/// The numbers of one step of Adam and its relatives.
///
/// With d = g + `decay` w, the mean m moves to d by 1 - `beta1` of their distance, the mean square v
/// to d² by 1 - `beta2`, and
///
///     w = `keep` w - (`meanRate` m + `gradientRate` d) / (`rootScale` sqrt(v) + `epsilon`)
///
/// Bias corrections, Nesterov's look ahead and the rectification are all in the rates.
public struct AdamCoefficients {
  /// How much of the mean of the gradients stays.
  public var beta1: Double
  /// How much of the mean of the squares stays.
  public var beta2: Double
  /// What is added to the root.
  public var epsilon: Double
  /// Weight decay that is a part of the gradient.
  public var decay = 0.0
  /// What a weight is multiplied by before the step.
  public var keep = 1.0
  /// What the mean is multiplied by.
  public var meanRate = 0.0
  /// What the gradient is multiplied by.
  public var gradientRate = 0.0
  /// What the root is multiplied by.
  public var rootScale = 1.0

  /// A step that moves nothing yet.
  public init(beta1: Double, beta2: Double, epsilon: Double) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
  }
}

/// One step of Adam or a relative; `first` is the mean of the gradients, `second` that of their squares.
/// - Returns: whether all gradients were finite.
@discardableResult
public func adamUpdate(
  _ run: UpdateRun, _ coefficients: AdamCoefficients, pool: ThreadPool
) -> Bool {
  run.update(pool, AdamStep(run, coefficients))
}

private struct AdamStep: ChannelGroup {
  private let run: UpdateRun
  private let decay: Float
  private let keep: Float
  private let meanShare: Float
  private let beta2: Float
  private let squareShare: Float
  private let meanRate: Float
  private let gradientRate: Float
  private let rootScale: Float
  private let epsilon: Float

  init(_ run: UpdateRun, _ numbers: AdamCoefficients) {
    self.run = run
    decay = Float(numbers.decay)
    keep = Float(numbers.keep)
    meanShare = Float(1 - numbers.beta1)
    beta2 = Float(numbers.beta2)
    squareShare = Float(1 - numbers.beta2)
    meanRate = Float(numbers.meanRate)
    gradientRate = Float(numbers.gradientRate)
    rootScale = Float(numbers.rootScale)
    epsilon = Float(numbers.epsilon)
  }

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    let weight = L.load(run.weights + i)
    let direction = L.fma(weight, L(splat: decay), L.load(run.gradients + i))
    let oldMean = L.load(run.first + i)
    let mean = L.fma(direction - oldMean, L(splat: meanShare), oldMean)
    mean.store(run.first + i)
    let square = L.fma(
      direction * direction, L(splat: squareShare), L.load(run.second + i) * L(splat: beta2))
    square.store(run.second + i)
    let root = L.fma(square.root, L(splat: rootScale), L(splat: epsilon))
    let move = L.fma(mean, L(splat: meanRate), direction * L(splat: gradientRate))
    (weight * L(splat: keep) - move / root).store(run.weights + i)
  }
}

/// One step of Adamax: with d = g + `decay` w and the mean m as in Adam, the peak is
/// p = max(`beta2` p, |d| + `epsilon`), and w falls by `rate` m / p.
///
/// `first` is the mean of the gradients, `second` their fading peak.
/// - Returns: whether all gradients were finite.
@discardableResult
public func adamaxUpdate(
  _ run: UpdateRun, beta1: Double, beta2: Double, epsilon: Double, decay: Double, rate: Double,
  pool: ThreadPool
) -> Bool {
  run.update(
    pool,
    PeakStep(
      run: run, decay: Float(decay), meanShare: Float(1 - beta1), beta2: Float(beta2),
      epsilon: Float(epsilon), rate: Float(rate)))
}

private struct PeakStep: ChannelGroup {
  let run: UpdateRun
  let decay: Float
  let meanShare: Float
  let beta2: Float
  let epsilon: Float
  let rate: Float

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    let weight = L.load(run.weights + i)
    let direction = L.fma(weight, L(splat: decay), L.load(run.gradients + i))
    let oldMean = L.load(run.first + i)
    let mean = L.fma(direction - oldMean, L(splat: meanShare), oldMean)
    mean.store(run.first + i)
    let size = L.larger(direction, L(splat: 0) - direction) + L(splat: epsilon)
    let peak = L.larger(L.load(run.second + i) * L(splat: beta2), size)
    peak.store(run.second + i)
    L.fma(mean / peak, L(splat: -rate), weight).store(run.weights + i)
  }
}
