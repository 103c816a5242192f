/// A value as a command receives it, after its text was checked against a ``ValueKind``.
public indirect enum Value: Hashable, Sendable {
  /// A whole number.
  case integer(Int)
  /// A number; a percentage has been divided by 100.
  case number(Double)
  /// `on` or `off`.
  case boolean(Bool)
  /// A word, a text, a path, a name or a choice.
  case text(String)
  /// Several values.
  case list([Value])
  /// A span of time in seconds.
  case duration(Double)
  /// A number of bytes.
  case size(Int)
  /// `from..to`; a missing end is nil.
  case interval(Double?, Double?)
  /// One of the words that stand beside the ordinary values: `auto`, `none`, `all`.
  case keyword(String)
  /// The word `default`: whatever the parameter has when nobody sets it.
  case standard
}

/// What is wrong with a text that should have been a value.
///
/// The sentence around it (which parameter, which command) is made where that is known.
public struct ValueProblem: Error, Hashable, Sendable {
  /// What was wrong.
  public enum Fault: String, Hashable, Sendable {
    /// The text is no value of the kind at all.
    case malformed
    /// The text is a value, but outside the accepted bounds.
    case outOfRange
    /// A list has too few or too many items.
    case wrongCount
  }

  /// What was wrong.
  public let fault: Fault
  /// The text that was given.
  public let text: String
  /// What is accepted, in words: `an integer from 1`.
  public let expected: String
  /// Advice, such as the nearest choice.
  public let hint: String?
}
