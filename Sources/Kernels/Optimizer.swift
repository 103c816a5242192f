/// One step of stochastic gradient descent with momentum over `count` parameters.
///
/// With d = gradient + weightDecay * weight and the buffer b = d on the first step, else
/// momentum * b + d, the weight moves by -learningRate * (nesterov ? d + momentum * b : b);
/// the same arithmetic as `torch.optim.SGD` with no dampening.
public func sgdUpdate(
  weights: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
  momentumBuffer: UnsafeMutablePointer<Float>, count: Int, learningRate: Float, momentum: Float,
  weightDecay: Float, nesterov: Bool, firstStep: Bool, pool: ThreadPool
) {
  flat(
    count, pool,
    MomentumStep(
      weights: weights, gradients: gradients, momentumBuffer: momentumBuffer,
      learningRate: learningRate, momentum: momentum, weightDecay: weightDecay,
      nesterov: nesterov, firstStep: firstStep))
}

private struct MomentumStep: ChannelGroup {
  let weights: UnsafeMutablePointer<Float>
  let gradients: UnsafePointer<Float>
  let momentumBuffer: UnsafeMutablePointer<Float>
  let learningRate: Float
  let momentum: Float
  let weightDecay: Float
  let nesterov: Bool
  let firstStep: Bool

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    let weight = L.load(weights + i)
    let direction = L.fma(weight, L(splat: weightDecay), L.load(gradients + i))
    var buffer = direction
    if !firstStep {
      buffer = L.fma(L.load(momentumBuffer + i), L(splat: momentum), direction)
    }
    buffer.store(momentumBuffer + i)
    let move = nesterov ? L.fma(buffer, L(splat: momentum), direction) : buffer
    L.fma(move, L(splat: -learningRate), weight).store(weights + i)
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
