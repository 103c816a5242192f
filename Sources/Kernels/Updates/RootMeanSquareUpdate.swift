/// The numbers of one step of RMSprop, in PyTorch's form or TensorFlow's.
///
/// With d = g + `decay` w, the mean square v moves to d² by 1 - `alpha` of their distance, and
///
///     b = `momentum` b + `inner` d / (sqrt(v + `epsilonInside`) + `epsilonOutside`)
///     w = w - `outer` b
public struct RootMeanSquareCoefficients {
  /// How much of the mean of the squares stays.
  public var alpha: Double
  /// How much of the last step is carried on.
  public var momentum: Double
  /// Weight decay.
  public var decay = 0.0
  /// The rate that goes into the momentum.
  public var inner = 1.0
  /// The rate that the momentum is multiplied by.
  public var outer = 1.0
  /// What is added within the root.
  public var epsilonInside = 0.0
  /// What is added to the root.
  public var epsilonOutside = 0.0

  /// A step without decay and epsilon.
  public init(alpha: Double, momentum: Double) {
    self.alpha = alpha
    self.momentum = momentum
  }
}

/// One step of RMSprop; `first` is the mean of the squares, `second` the momentum.
/// - Returns: whether all gradients were finite.
@discardableResult
public func rootMeanSquareUpdate(
  _ run: UpdateRun, _ coefficients: RootMeanSquareCoefficients, pool: ThreadPool
) -> Bool {
  run.update(pool, RootMeanSquareStep(run, coefficients))
}

private struct RootMeanSquareStep: ChannelGroup {
  private let run: UpdateRun
  private let decay: Float
  private let share: Float
  private let momentum: Float
  private let inner: Float
  private let outer: Float
  private let inside: Float
  private let outside: Float

  init(_ run: UpdateRun, _ numbers: RootMeanSquareCoefficients) {
    self.run = run
    decay = Float(numbers.decay)
    share = Float(1 - numbers.alpha)
    momentum = Float(numbers.momentum)
    inner = Float(numbers.inner)
    outer = Float(numbers.outer)
    inside = Float(numbers.epsilonInside)
    outside = Float(numbers.epsilonOutside)
  }

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    let weight = L.load(run.weights + i)
    let direction = L.fma(weight, L(splat: decay), L.load(run.gradients + i))
    let old = L.load(run.first + i)
    let square = L.fma(direction * direction - old, L(splat: share), old)
    square.store(run.first + i)
    let root = (square + L(splat: inside)).root + L(splat: outside)
    let buffer = L.fma(
      direction / root, L(splat: inner), L.load(run.second + i) * L(splat: momentum))
    buffer.store(run.second + i)
    L.fma(buffer, L(splat: -outer), weight).store(run.weights + i)
  }
}

/// One step of Adagrad: with d = g + `decay` w, the sum s grows by d², and w falls by
/// `rate` d / (sqrt(s) + `epsilon`). `first` is the sum of the squares.
/// - Returns: whether all gradients were finite.
@discardableResult
public func adagradUpdate(
  _ run: UpdateRun, epsilon: Double, decay: Double, rate: Double, pool: ThreadPool
) -> Bool {
  run.update(
    pool,
    SquareSumStep(run: run, epsilon: Float(epsilon), decay: Float(decay), rate: Float(rate)))
}

private struct SquareSumStep: ChannelGroup {
  let run: UpdateRun
  let epsilon: Float
  let decay: Float
  let rate: Float

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    let weight = L.load(run.weights + i)
    let direction = L.fma(weight, L(splat: decay), L.load(run.gradients + i))
    let sum = L.fma(direction, direction, L.load(run.first + i))
    sum.store(run.first + i)
    let root = sum.root + L(splat: epsilon)
    L.fma(direction / root, L(splat: -rate), weight).store(run.weights + i)
  }
}

/// One step of Adadelta: with d = g + `decay` w and means that keep `rho` of the old, the step is
/// u = d sqrt(mean u² + `epsilon`) / sqrt(mean d² + `epsilon`), and w falls by `rate` u.
///
/// `first` is the mean of d², `second` that of u² up to the step before.
/// - Returns: whether all gradients were finite.
@discardableResult
public func adadeltaUpdate(
  _ run: UpdateRun, rho: Double, epsilon: Double, decay: Double, rate: Double, pool: ThreadPool
) -> Bool {
  run.update(
    pool,
    DeltaStep(
      run: run, rho: Float(rho), share: Float(1 - rho), epsilon: Float(epsilon),
      decay: Float(decay), rate: Float(rate)))
}

private struct DeltaStep: ChannelGroup {
  let run: UpdateRun
  let rho: Float
  let share: Float
  let epsilon: Float
  let decay: Float
  let rate: Float

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    let weight = L.load(run.weights + i)
    let direction = L.fma(weight, L(splat: decay), L.load(run.gradients + i))
    let square = L.fma(
      direction * direction, L(splat: share), L.load(run.first + i) * L(splat: rho))
    square.store(run.first + i)
    let oldMoves = L.load(run.second + i)
    let move =
      direction
      * ((oldMoves + L(splat: epsilon)).root
        / (square + L(splat: epsilon)).root)
    L.fma(move * move, L(splat: share), oldMoves * L(splat: rho)).store(run.second + i)
    L.fma(move, L(splat: -rate), weight).store(run.weights + i)
  }
}
