/// An error that a user, a file or the machine can cause.
///
/// Each area of the module has its own enum of cases that carry data only; the sentences stand
/// together in one extension beside it. Positions in a script are added by the program, which
/// knows the statement that was running.
public protocol ModelError: Error, Sendable {
  /// What went wrong, in one line: lower case, no full stop, user text quoted with `'…'`.
  var message: String { get }
  /// What the user can do about it, in one line; nil when the message says it all.
  var advice: String? { get }
  /// Which sort of failure this is; it decides the exit code.
  var kind: ModelErrorKind { get }
}

/// The sorts of failures that the program tells apart.
public enum ModelErrorKind: Sendable {
  /// The request makes no sense (unknown model, batch larger than the data set, ...).
  case usage
  /// Data, weights, disk or memory are missing, damaged or insufficient.
  case resource
  /// Training produced a loss that is no number.
  case diverged
}
