/// The numbers that a parameter accepts: from a lower to an upper end, each optional and each
/// included or not.
public struct Bounds: Hashable, Sendable {
  /// The lower end, if there is one.
  public let lower: Double?
  /// The upper end, if there is one.
  public let upper: Double?
  /// Whether the lower end itself is refused.
  public let excludesLower: Bool
  /// Whether the upper end itself is refused.
  public let excludesUpper: Bool

  /// Bounds from their parts; `lower` must not lie above `upper`.
  public init(
    lower: Double? = nil, upper: Double? = nil, excludesLower: Bool = false,
    excludesUpper: Bool = false
  ) {
    if let lower, let upper { precondition(lower <= upper, "bounds that accept no number") }
    self.lower = lower
    self.upper = upper
    self.excludesLower = excludesLower
    self.excludesUpper = excludesUpper
  }

  /// Every finite number.
  public static let any = Bounds()
  /// `lower` and everything above it.
  public static func from(_ lower: Double) -> Bounds { Bounds(lower: lower) }
  /// Everything above `lower`, but not `lower`.
  public static func above(_ lower: Double) -> Bounds { Bounds(lower: lower, excludesLower: true) }
  /// Both ends and what lies between.
  public static func within(_ range: ClosedRange<Double>) -> Bounds {
    Bounds(lower: range.lowerBound, upper: range.upperBound)
  }
  /// From the lower end up to, but without, the upper one.
  public static func within(_ range: Range<Double>) -> Bounds {
    Bounds(lower: range.lowerBound, upper: range.upperBound, excludesUpper: true)
  }

  /// Whether `number` is accepted. Not-a-number never is.
  public func contains(_ number: Double) -> Bool {
    guard !number.isNaN else { return false }
    if let lower, excludesLower ? number <= lower : number < lower { return false }
    if let upper, excludesUpper ? number >= upper : number > upper { return false }
    return true
  }

  /// The bounds in words with a leading space: ` from 1`, ` above 0 to 1`; empty without bounds.
  var phrase: String {
    var words = ""
    if let lower { words += " \(excludesLower ? "above" : "from") \(shortest(lower))" }
    if let upper {
      switch (lower == nil, excludesUpper) {
      case (_, true):
        words += lower == nil ? " below \(shortest(upper))" : " to below \(shortest(upper))"
      case (true, false): words += " up to \(shortest(upper))"
      case (false, false): words += " to \(shortest(upper))"
      }
    }
    return words
  }
}

/// A number without a needless `.0`: `1`, `0.5`, `1e-06`.
func shortest(_ number: Double) -> String {
  if number == number.rounded(), abs(number) < 1e15 { return String(Int(number)) }
  return String(number)
}
