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
}
