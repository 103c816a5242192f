/// Neighbouring weights that are updated in one way, with their gradients and the one or two numbers
/// that a rule remembers of each.
public struct UpdateRun {
  /// The weights.
  public let weights: UnsafeMutablePointer<Float>
  /// The gradients.
  public let gradients: UnsafePointer<Float>
  /// The first number of each weight.
  public let first: UnsafeMutablePointer<Float>
  /// The second number of each weight, where the rule has one.
  public let second: UnsafeMutablePointer<Float>
  /// How many weights there are.
  public let count: Int

  /// Takes the pointers to the first of `count` weights; a rule of one number never reads `second`.
  public init(
    weights: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
    first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>, count: Int
  ) {
    self.weights = weights
    self.gradients = gradients
    self.first = first
    self.second = second
    self.count = count
  }

  /// Runs a rule over all weights, but for those beside a gradient that is infinite or no number.
  ///
  /// A few gradients are looked at just before they are used: memory is read once for both.
  /// - Returns: whether all gradients were finite.
  @inline(__always)
  func update<Rule: ChannelGroup>(_ pool: ThreadPool, _ rule: Rule) -> Bool {
    let (block, piece) = (16_384, 1_024)
    return pool.runAll((count &+ block &- 1) / block) { task in
      let end = min(count, (task &+ 1) &* block)
      var areFinite = true
      for start in stride(from: task &* block, to: end, by: piece) {
        let length = min(piece, end &- start)
        if isFinite(gradients + start, count: length) {
          rule.coverBlock(from: start, to: start &+ length)
        } else {
          areFinite = false
        }
      }
      return areFinite
    }
  }
}
