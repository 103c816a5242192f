/// One step of stochastic gradient descent with momentum; `first` is the momentum's buffer.
///
/// With d = gradient + weightDecay * weight and the buffer b = d on the first step, else
/// momentum * b + d, the weight moves by -learningRate * (nesterov ? d + momentum * b : b);
/// the same arithmetic as `torch.optim.SGD` with no dampening.
/// - Returns: whether all gradients were finite.
@discardableResult
public func sgdUpdate(
  _ run: UpdateRun, learningRate: Float, momentum: Float, weightDecay: Float, nesterov: Bool,
  firstStep: Bool, pool: ThreadPool
) -> Bool {
  run.update(
    pool,
    MomentumStep(
      run: run, learningRate: learningRate, momentum: momentum, weightDecay: weightDecay,
      nesterov: nesterov, firstStep: firstStep))
}

private struct MomentumStep: ChannelGroup {
  let run: UpdateRun
  let learningRate: Float
  let momentum: Float
  let weightDecay: Float
  let nesterov: Bool
  let firstStep: Bool

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    let weight = L.load(run.weights + i)
    let direction = L.fma(weight, L(splat: weightDecay), L.load(run.gradients + i))
    var buffer = direction
    if !firstStep {
      buffer = L.fma(L.load(run.first + i), L(splat: momentum), direction)
    }
    buffer.store(run.first + i)
    let move = nesterov ? L.fma(buffer, L(splat: momentum), direction) : buffer
    L.fma(move, L(splat: -learningRate), weight).store(run.weights + i)
  }
}

/// Sets `count` numbers to one value.
public func fill(
  _ target: UnsafeMutablePointer<Float>, _ value: Float, count: Int, pool: ThreadPool
) {
  flat(count, pool, Filling(target: target, value: value))
}

private struct Filling: ChannelGroup {
  let target: UnsafeMutablePointer<Float>
  let value: Float

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) { L(splat: value).store(target + i) }
}
