/// One setting of training, as data: how it is called, what it may hold, what it is for.
///
/// The names are the flags of the original notebook's train.py without the dashes in front. Checking,
/// `show`, `help`, completion and params.json all come from this one declaration.
public struct HyperparameterKey: Sendable {
  /// The sections in which `show` lists the keys, in this order.
  public enum Group: String, Sendable, CaseIterable {
    case run, data, augment, preprocess, loss, regularise, optimizer, lr, epochs, stages, limits
  }

  /// What a key may hold.
  public enum Kind: Sendable, Equatable {
    case flag
    case integer(ClosedRange<Int>)
    case number(NumberRange)
    /// Several numbers; `ascending` demands that none is below the one before it.
    case numbers(count: ClosedRange<Int>, NumberRange, ascending: Bool)
    case choice([String])
    /// Patterns of tensor paths with commas between them, as `FreezeRule` reads them.
    case patterns
    /// An augmentation policy, as `AugmentPolicy` reads it.
    case policy
    /// Seconds; the language writes `30m` or `2h`.
    case duration
    /// The side of a square input in pixels; `[3,N,N]`, as train.py takes it, is understood too.
    case imageSize(ClosedRange<Int>)
  }

  /// The name in scripts, with dashes.
  public let name: String
  /// Other spellings, which `save` expands.
  public let aliases: [String]
  /// Where `show` lists the key.
  public let group: Group
  /// What the key may hold, apart from `keywords`.
  public let kind: Kind
  /// Words that stand in for a value: `auto`, `none`.
  public let keywords: [String]
  /// The value that holds unless one is set.
  public let defaultValue: HyperparameterValue
  /// What the key does, in one sentence.
  public let summary: String
  /// When it matters and what to choose: the text of `help KEY`.
  public let explanation: String
  /// Whether another value gives other weights; false for threads, workers and what is only written.
  public let changesResult: Bool
  /// Why the key has no effect with these values; nil when it has one.
  public let inertReason: @Sendable (HyperparameterValues) -> String?

  init(
    _ name: String, aliases: [String] = [], group: Group, kind: Kind, keywords: [String] = [],
    default defaultValue: HyperparameterValue, changesResult: Bool = true, summary: String,
    explanation: String,
    inertWhen inertReason: @escaping @Sendable (HyperparameterValues) -> String? = { _ in nil }
  ) {
    self.name = name
    self.aliases = aliases
    self.group = group
    self.kind = kind
    self.keywords = keywords
    self.defaultValue = defaultValue
    self.changesResult = changesResult
    self.summary = summary
    self.explanation = explanation
    self.inertReason = inertReason
  }

  /// Every key, in the order of `show`; names, defaults and meanings are those of the original
  /// notebook's train.py wherever it has the key.
  public static let all: [HyperparameterKey] =
    runKeys + dataKeys + augmentKeys + mixKeys + preprocessKeys + lossKeys + regulariseKeys
    + optimizerKeys + rateKeys + epochKeys + stageKeys + limitKeys

  private static let byName: [String: HyperparameterKey] = {
    var table: [String: HyperparameterKey] = [:]
    for key in all {
      for name in [key.name] + key.aliases {
        precondition(table.updateValue(key, forKey: name) == nil, "two keys are called \(name)")
      }
    }
    return table
  }()

  /// The key of a name or an alias; `_` and `-` are equal. Nil when there is none.
  public static func find(_ name: String) -> HyperparameterKey? {
    byName[name.replacing("_", with: "-")]
  }

  /// The key of a name or an alias.
  /// - Throws: `HyperparameterError.unknownKey`.
  public static func named(_ name: String) throws(HyperparameterError) -> HyperparameterKey {
    guard let key = find(name) else { throw .unknownKey(name) }
    return key
  }

  /// What the key accepts, for people: `whole number in 1..`, `auto or bilinear|bicubic`.
  public var accepts: String {
    let values: String
    switch kind {
    case .flag: values = "on|off"
    case .integer(let range): values = "whole number in \(Self.text(range))"
    case .number(let range): values = "number \(range.text)"
    case .numbers(let count, let range, let ascending):
      let order = ascending ? "ascending " : ""
      let many =
        count.count == 1 ? "\(count.lowerBound)" : "\(count.lowerBound) to \(count.upperBound)"
      values = "\(many) \(order)numbers, each \(range.text)"
    case .choice(let choices): values = choices.joined(separator: "|")
    case .patterns: values = "paths or patterns such as stem,blocks.0..3,*.se"
    case .policy: values = "policy such as \(AugmentPolicy.names.joined(separator: "|"))"
    case .duration: values = "duration above 0, such as 30m or 2h"
    case .imageSize(let range): values = "pixels in \(Self.text(range))"
    }
    return (keywords + [values]).joined(separator: " or ")
  }

  private static func text(_ range: ClosedRange<Int>) -> String {
    range.upperBound == .max ? "\(range.lowerBound).." : "\(range.lowerBound)..\(range.upperBound)"
  }
}

/// An interval of real numbers, with ends that may be left out.
public struct NumberRange: Sendable, Equatable {
  /// The smallest number, or the limit that is left out.
  public let lower: Double
  /// The largest number, or the limit that is left out; infinite when there is none.
  public let upper: Double
  /// Whether `lower` itself is outside.
  public let lowerIsOpen: Bool
  /// Whether `upper` itself is outside.
  public let upperIsOpen: Bool

  static func atLeast(_ lower: Double) -> NumberRange {
    NumberRange(lower: lower, upper: .infinity, lowerIsOpen: false, upperIsOpen: true)
  }
  static func above(_ lower: Double, upTo upper: Double = .infinity) -> NumberRange {
    NumberRange(lower: lower, upper: upper, lowerIsOpen: true, upperIsOpen: !upper.isFinite)
  }
  static func between(_ lower: Double, _ upper: Double) -> NumberRange {
    NumberRange(lower: lower, upper: upper, lowerIsOpen: false, upperIsOpen: false)
  }
  static func from(_ lower: Double, below upper: Double) -> NumberRange {
    NumberRange(lower: lower, upper: upper, lowerIsOpen: false, upperIsOpen: true)
  }
  static let finite = NumberRange(
    lower: -.infinity, upper: .infinity, lowerIsOpen: true, upperIsOpen: true)

  /// Whether a number lies inside; infinities and NaN never do.
  public func contains(_ value: Double) -> Bool {
    value.isFinite && (lowerIsOpen ? value > lower : value >= lower)
      && (upperIsOpen ? value < upper : value <= upper)
  }

  /// The range for people: `of at least 0`, `above 0 up to 1`, `from 0 to below 1`.
  public var text: String {
    let low = HyperparameterValue.text(lower)
    let high = HyperparameterValue.text(upper)
    switch (lower.isFinite, upper.isFinite) {
    case (false, false): return "of any size"
    case (false, true): return upperIsOpen ? "below \(high)" : "up to \(high)"
    case (true, false): return lowerIsOpen ? "above \(low)" : "of at least \(low)"
    case (true, true):
      return (lowerIsOpen ? "above \(low)" : "from \(low)")
        + (upperIsOpen ? " to below \(high)" : " up to \(high)")
    }
  }
}
