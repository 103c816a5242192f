internal import Kernels

/// Stochastic depth of one residual branch: for some images of a batch it is left out, for the
/// others scaled up (Huang et al., arXiv:1603.09382). A pure function of the key, the branch and the
/// sample.
struct DropPath {
  private let rate: Double
  private let branch: Int
  private let images: Int
  private let elements: Int
  private let factors: TensorSlot

  /// - Parameters:
  ///   - share: which part of the last block's rate the branch has.
  ///   - branch: the branch's number in the network.
  ///   - elements: the floats of an image behind the branch.
  /// - Returns: nil where nothing is dropped.
  init?(
    share: Double, branch: Int, images: Int, elements: Int, _ planner: inout LayerPlanner
  ) {
    rate = planner.dropPathRate * share
    guard rate > 0 else { return nil }
    self.branch = branch
    self.images = images
    self.elements = elements
    factors = planner.workspace.reserve(images)
    planner.reserveSkipGradient(images * elements)
  }

  /// Draws the factors and applies them to `output`, which is input + branch.
  func forward(
    input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    let (key, factors) = (context.key, context[factors])
    for image in 0..<images {
      var random = CounterRandom(
        seed: key.seed, stream: .dropPath, counters: UInt64(key.epoch), UInt64(key.step),
        UInt64(branch), UInt64(image))
      factors[image] = random.uniform() < rate ? 0 : Float(1 / (1 - rate))
    }
    dropPathForward(
      input: input, factors: factors, images: images, elements: elements, output: output,
      pool: context.pool)
  }

  /// Scales the gradient for the branch's backward pass, behind which `finish` must follow.
  func backward(gradient: UnsafeMutablePointer<Float>, _ context: LayerContext) {
    dropPathBackward(
      factors: context[factors], images: images, elements: elements, gradient: gradient,
      rest: context.skipGradient, pool: context.pool)
  }

  /// Adds what passes by the branch.
  func finish(gradient: UnsafeMutablePointer<Float>, _ context: LayerContext) {
    accumulate(
      context.skipGradient, to: gradient, count: images * elements, pool: context.pool)
  }
}
