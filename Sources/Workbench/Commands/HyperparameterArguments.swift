import DSL
import Foundation
import Model

// The bridge between the engine's registry of hyperparameters and the language's arguments: the
// commands `set`, `train` and `resume` take every key, declared once in the registry.

extension HyperparameterKey {
  /// The key as an argument of a command.
  var parameter: Parameter {
    Parameter(
      name, aliases: aliases, valueKind, summary, default: defaultText,
      group: group.rawValue, discussion: explanation + usualReason)
  }

  /// Why the key has no effect as long as all others are at their defaults, as a paragraph.
  private var usualReason: String {
    HyperparameterValues().inertReason(self)
      .map { "\n\nWith all other keys at their defaults it has no effect: \($0)." } ?? ""
  }

  /// The default as one writes it behind `=`, lists without brackets.
  private var defaultText: String {
    defaultValue.text.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
  }

  /// Every key as an argument.
  static let parameters = all.map(\.parameter)

  private var valueKind: ValueKind {
    let plain: ValueKind =
      switch kind {
      case .flag: .boolean
      case .integer(let range), .imageSize(let range): .integer(range.bounds)
      case .number(let range): .number(range.bounds)
      case .numbers(let count, let range, _):
        .list(of: .number(range.bounds), count: count)
      case .choice(let choices): .choice(choices)
      case .patterns: .list(of: .word)
      case .policy: .word
      case .duration: .duration
      }
    return keywords.isEmpty ? plain : .either(keywords, or: plain)
  }
}

extension ClosedRange<Int> {
  fileprivate var bounds: Bounds {
    Bounds(
      lower: lowerBound == .min ? nil : Double(lowerBound),
      upper: upperBound == .max ? nil : Double(upperBound))
  }
}

extension NumberRange {
  fileprivate var bounds: Bounds {
    Bounds(
      lower: lower.isFinite ? lower : nil, upper: upper.isFinite ? upper : nil,
      excludesLower: lower.isFinite && lowerIsOpen, excludesUpper: upper.isFinite && upperIsOpen)
  }
}

extension Value {
  /// The value as the engine's registry holds it; nil for `default`.
  var hyperparameter: HyperparameterValue? {
    switch self {
    case .integer(let number): .integer(number)
    case .number(let number), .duration(let number): .number(number)
    case .boolean(let flag): .flag(flag)
    case .text(let word), .keyword(let word): .word(word)
    case .list(let values): Self.list(values)
    case .size(let bytes): .integer(bytes)
    case .interval(let lower, let upper): .numbers([lower, upper].compactMap { $0 })
    case .standard: nil
    }
  }

  /// Numbers, or words with commas between them.
  private static func list(_ values: [Value]) -> HyperparameterValue {
    let words = values.compactMap { value -> String? in
      if case .text(let word) = value { word } else { nil }
    }
    return words.isEmpty
      ? .numbers(values.compactMap(\.asNumber)) : .word(words.joined(separator: ","))
  }
}

extension HyperparameterValues {
  /// Gives a key what a command's argument says; `default` unsets it.
  ///
  /// - Returns: the value before and the value after.
  @discardableResult
  mutating func assign(
    _ argument: Argument
  ) throws(HyperparameterError) -> (old: HyperparameterValue, new: HyperparameterValue) {
    let old =
      if let value = argument.value.hyperparameter {
        try set(argument.name, to: value)
      } else {
        try unset(argument.name)
      }
    return (old, self[argument.name])
  }
}

extension WorkbenchState {
  /// Sets one hyperparameter as a command's argument asks; a key that `-O` forces stays as it is.
  ///
  /// - Returns: the value before and the value after, or nil if the key is forced.
  @discardableResult
  func assign(
    _ argument: Argument, to values: inout HyperparameterValues
  ) throws -> (old: HyperparameterValue, new: HyperparameterValue)? {
    guard !forcedKeys.contains(argument.name) else {
      console.note("\(argument.name) stays \(values[argument.name].text): -O forces it")
      return nil
    }
    do throws(HyperparameterError) {
      return try values.assign(argument)
    } catch {
      throw CommandError(error.message, hint: error.advice, argument: argument.name)
    }
  }

  /// The settings with a command's own keys on top.
  func values(overriddenBy invocation: Invocation) throws -> HyperparameterValues {
    var values = self.values
    var names: [String] = []
    for argument in invocation.keys where HyperparameterKey.find(argument.name) != nil {
      try assign(argument, to: &values)
      names.append(argument.name)
    }
    try refuseConflict(of: values, settingOne: names)
    return values
  }

  /// Refuses settings that exclude each other, and points at the argument that is to blame.
  func refuseConflict(of values: HyperparameterValues, settingOne names: [String]) throws {
    guard let conflict = values.conflict else { return }
    throw CommandError(
      conflict.message, hint: conflict.advice, argument: conflict.keys.first(where: names.contains))
  }
}

extension HyperparameterError {
  /// The keys that exclude each other.
  var keys: [String] { if case .conflict(let keys, _, _) = self { keys } else { [] } }
}
