/// How one tensor takes part in an update that looks at whole tensors.
public struct TensorUpdate {
  /// The tensor's elements in the flat buffer.
  public let range: Range<Int>
  /// Whether weight decay, and with it the trust ratio, applies.
  public let decays: Bool
  /// What the learning rate is multiplied by.
  public let rateScale: Double

  /// Describes a tensor.
  public init(range: Range<Int>, decays: Bool, rateScale: Double) {
    self.range = range
    self.decays = decays
    self.rateScale = rateScale
  }
}

/// The flat buffers of an update: weights, gradients, and what the rule remembers.
public struct UpdateBuffers {
  let weights: UnsafeMutablePointer<Float>
  let gradients: UnsafePointer<Float>
  let first: UnsafeMutablePointer<Float>
  let second: UnsafeMutablePointer<Float>

  /// Takes the pointers to the beginnings; a rule of one number never reads `second`.
  public init(
    weights: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
    first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>
  ) {
    self.weights = weights
    self.gradients = gradients
    self.first = first
    self.second = second
  }
}

/// LAMB and LARS: rules whose step in a tensor is as long as the tensor's weights ask for.
public final class TrustUpdate {
  private let tensors: [TensorUpdate]
  private let blocks: TensorBlocks

  /// Plans the update of some tensors.
  public init(_ tensors: [TensorUpdate]) {
    self.tensors = tensors
    blocks = TensorBlocks(tensors.map(\.range))
  }

  /// The numbers of a step of LAMB.
  public struct LambCoefficients {
    /// How much of the mean of the gradients stays.
    public var beta1: Double
    /// How much of the mean of the squares stays.
    public var beta2: Double
    /// What is added to the denominator.
    public var epsilon: Double
    /// Weight decay.
    public var decay: Double
    /// The learning rate.
    public var rate: Double
    /// 1 - beta1^t in step t.
    public var meanCorrection: Double
    /// 1 - beta2^t in step t.
    public var squareCorrection: Double

    /// Takes the numbers of a step.
    public init(
      beta1: Double, beta2: Double, epsilon: Double, decay: Double, rate: Double,
      meanCorrection: Double, squareCorrection: Double
    ) {
      self.beta1 = beta1
      self.beta2 = beta2
      self.epsilon = epsilon
      self.decay = decay
      self.rate = rate
      self.meanCorrection = meanCorrection
      self.squareCorrection = squareCorrection
    }
  }

  /// One step of LAMB (You et al., arXiv:1904.00962) as timm takes it: all gradients together are
  /// shortened to a norm of at most 1; the step u is Adam's plus decay times the weight; a tensor
  /// that decays moves by rate |w| / |u| u, any other by rate u.
  public func lamb(_ buffers: UpdateBuffers, _ numbers: LambCoefficients, pool: ThreadPool) {
    let norm = blocks.squares(buffers.gradients, pool: pool).squareRoot()
    let (tensors, weights, means, squares) = (
      self.tensors, buffers.weights, buffers.first, buffers.second
    )
    let gradients = buffers.gradients
    let shortening = Float(1 / max(1, norm))
    let meanShare = Float(1 - numbers.beta1)
    let squareShare = Float(1 - numbers.beta2)
    let beta2 = Float(numbers.beta2)
    let meanScale = Float(1 / numbers.meanCorrection)
    let rootScale = Float((1 / numbers.squareCorrection).squareRoot())
    let epsilon = Float(numbers.epsilon)

    @inline(__always)
    func step(_ i: Int, _ mean: Vector, _ square: Vector, _ decay: Float) -> Vector {
      let root = Vector.fma(
        square.root, Vector(splat: rootScale), Vector(splat: epsilon))
      return Vector.fma(.load(weights + i), Vector(splat: decay), mean * meanScale / root)
    }
    let sums = blocks.sum(pool) { block in
      let decay = tensors[block.tensor].decays ? Float(numbers.decay) : 0
      return blockSums(block.start, block.end) { i in
        let gradient = Vector.load(gradients + i) * shortening
        let oldMean = Vector.load(means + i)
        let mean = Vector.fma(gradient - oldMean, Vector(splat: meanShare), oldMean)
        mean.store(means + i)
        let moment = Vector.fma(
          gradient * gradient, Vector(splat: squareShare), Vector.load(squares + i) * beta2)
        moment.store(squares + i)
        return (square(.load(weights + i)), square(step(i, mean, moment, decay)))
      }
    }
    blocks.forEach(pool) { block in
      let tensor = tensors[block.tensor]
      let isTrusted = tensor.decays && numbers.decay != 0
      let ratio = isTrusted ? Self.ratio(sums[block.tensor]) : 1
      let rate = Float(numbers.rate * tensor.rateScale * ratio)
      let decay = tensor.decays ? Float(numbers.decay) : 0
      for i in stride(from: block.start, to: block.end, by: 16) {
        let move = step(i, .load(means + i), .load(squares + i), decay)
        Vector.fma(move, Vector(splat: -rate), .load(weights + i)).store(weights + i)
      }
    }
  }

  /// The norm of the weights over that of the step; 1 where one of them is 0.
  private static func ratio(_ squares: SIMD2<Double>) -> Double {
    squares.x > 0 && squares.y > 0 ? (squares.x / squares.y).squareRoot() : 1
  }

  /// The numbers of a step of LARS.
  public struct LarsCoefficients {
    /// How much of the last step is carried on.
    public var momentum: Double
    /// What is added to the denominator.
    public var epsilon: Double
    /// Weight decay.
    public var decay: Double
    /// The learning rate.
    public var rate: Double

    /// Takes the numbers of a step.
    public init(momentum: Double, epsilon: Double, decay: Double, rate: Double) {
      self.momentum = momentum
      self.epsilon = epsilon
      self.decay = decay
      self.rate = rate
    }
  }

  /// One step of LARS (You et al., arXiv:1708.03888) as timm takes it: gradient and decay of a tensor
  /// that decays are multiplied by 0.001 |w| / (|g| + decay |w| + epsilon); then follows momentum.
  public func lars(_ buffers: UpdateBuffers, _ numbers: LarsCoefficients, pool: ThreadPool) {
    let (tensors, weights, buffer) = (self.tensors, buffers.weights, buffers.first)
    let gradients = buffers.gradients
    let sums = blocks.sum(pool) { block in
      guard tensors[block.tensor].decays else { return .zero }
      return blockSums(block.start, block.end) { i in
        (square(.load(weights + i)), square(.load(gradients + i)))
      }
    }
    let momentum = Float(numbers.momentum)
    blocks.forEach(pool) { block in
      let tensor = tensors[block.tensor]
      let isTrusted = tensor.decays && numbers.decay != 0
      let trust = Float(isTrusted ? Self.trust(sums[block.tensor], numbers) : 1)
      let decay = isTrusted ? Float(numbers.decay) : 0
      let rate = Float(numbers.rate * tensor.rateScale)
      for i in stride(from: block.start, to: block.end, by: 16) {
        let weight = Vector.load(weights + i)
        let direction = Vector.fma(weight, Vector(splat: decay), .load(gradients + i)) * trust
        let move = Vector.fma(.load(buffer + i), Vector(splat: momentum), direction)
        move.store(buffer + i)
        Vector.fma(move, Vector(splat: -rate), weight).store(weights + i)
      }
    }
  }

  private static func trust(_ squares: SIMD2<Double>, _ numbers: LarsCoefficients) -> Double {
    guard squares.x > 0 && squares.y > 0 else { return 1 }
    let weight = squares.x.squareRoot()
    let gradient = squares.y.squareRoot()
    return 0.001 * weight / (gradient + weight * numbers.decay + numbers.epsilon)
  }
}
