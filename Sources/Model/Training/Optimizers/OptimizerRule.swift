/// The rules that the key `opt` can name, as torch.optim and timm.optim have them.
public enum OptimizerRule: String, Sendable, CaseIterable {
  case sgd, momentum, adam, adamw, nadam, radam, adamax, adagrad, adadelta, rmsprop, rmsproptf
  case lamb, lars, adafactor

  /// Whether the rule carries a part of the last step on.
  var hasMomentum: Bool {
    [.sgd, .momentum, .rmsprop, .rmsproptf, .lars].contains(self)
  }

  /// Whether the rule has means that `opt-betas` is about.
  var hasBetas: Bool {
    [.adam, .adamw, .nadam, .radam, .adamax, .lamb, .adafactor].contains(self)
  }

  /// What is added to a denominator unless `opt-eps` says otherwise; nil where there is none.
  var defaultEpsilon: Double? {
    switch self {
    case .sgd, .momentum: nil
    case .adam, .adamw, .nadam, .radam, .adamax, .adagrad, .rmsprop, .lars: 1e-8
    case .rmsproptf: 1e-10
    case .adadelta, .lamb: 1e-6
    case .adafactor: 1e-30
    }
  }
}

/// A value of the key `opt`: a rule, and whether slow weights follow it.
public struct OptimizerChoice: Sendable, Equatable, RawRepresentable, CaseIterable {
  /// The rule of each step.
  public let rule: OptimizerRule
  /// Whether the weights return half the way every sixth step.
  public let looksAhead: Bool

  /// The rules by themselves, then each with lookahead.
  public static let allCases: [OptimizerChoice] = [false, true].flatMap { looksAhead in
    OptimizerRule.allCases.map { OptimizerChoice($0, looksAhead: looksAhead) }
  }

  init(_ rule: OptimizerRule, looksAhead: Bool = false) {
    self.rule = rule
    self.looksAhead = looksAhead
  }

  private static let prefix = "lookahead_"

  /// Reads `adamw` or `lookahead_adamw`.
  public init?(rawValue: String) {
    let looksAhead = rawValue.hasPrefix(Self.prefix)
    let name = looksAhead ? String(rawValue.dropFirst(Self.prefix.count)) : rawValue
    guard let rule = OptimizerRule(rawValue: name) else { return nil }
    self.init(rule, looksAhead: looksAhead)
  }

  /// The value as the key takes it.
  public var rawValue: String { (looksAhead ? Self.prefix : "") + rule.rawValue }
}
