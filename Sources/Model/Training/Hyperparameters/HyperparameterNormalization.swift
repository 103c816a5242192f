extension HyperparameterKey {
  /// Checks a value against the key and gives it the key's own form: `1` becomes 1.0 for a key that
  /// holds a real number, `yes` becomes on, `[3,64,64]` becomes 64.
  /// - Throws: `HyperparameterError.wrongType`, `.outOfRange`.
  public func normalized(
    _ value: HyperparameterValue
  ) throws(HyperparameterError) -> HyperparameterValue {
    if case .word(let word) = value, keywords.contains(word) { return value }
    switch kind {
    case .flag: return .flag(try flag(value))
    case .integer(let range), .imageSize(let range):
      let number = try integer(value)
      guard range.contains(number) else { throw outOfRange(value) }
      return .integer(number)
    case .number(let range):
      let number = try real(value)
      guard range.contains(number) else { throw outOfRange(value) }
      return .number(number)
    case .duration:
      let seconds = try real(value)
      guard NumberRange.above(0).contains(seconds) else { throw outOfRange(value) }
      return .number(seconds)
    case .numbers(let count, let range, let ascending):
      guard let numbers = value.asNumbers, count.contains(numbers.count) else {
        throw wrongType(value)
      }
      let isOrdered = zip(numbers, numbers.dropFirst()).allSatisfy { $0 <= $1 }
      guard numbers.allSatisfy(range.contains), isOrdered || !ascending else {
        throw outOfRange(value)
      }
      return .numbers(numbers)
    case .patterns:
      guard case .word(let text) = value else { throw wrongType(value) }
      guard FreezeRule.isList(text), !text.split(separator: ",").contains("none") else {
        throw outOfRange(value)
      }
      return value
    case .policy:
      guard case .word(let text) = value else { throw wrongType(value) }
      do throws(PolicyProblem) {
        _ = try AugmentPolicy(text)
      } catch {
        throw .badPolicy(key: name, error)
      }
      return value
    case .choice(let choices):
      guard case .word(let word) = value else { throw wrongType(value) }
      guard choices.contains(word) else { throw outOfRange(value) }
      return value
    }
  }

  private func flag(_ value: HyperparameterValue) throws(HyperparameterError) -> Bool {
    switch value {
    case .flag(let flag): return flag
    case .integer(0), .word("off"), .word("no"), .word("false"): return false
    case .integer(1), .word("on"), .word("yes"), .word("true"): return true
    default: throw wrongType(value)
    }
  }

  private func real(_ value: HyperparameterValue) throws(HyperparameterError) -> Double {
    switch value {
    case .integer(let number): return Double(number)
    case .number(let number): return number
    default: throw wrongType(value)
    }
  }

  private func integer(_ value: HyperparameterValue) throws(HyperparameterError) -> Int {
    switch value {
    case .integer(let number): return number
    case .number(let number):
      guard let whole = Int(exactly: number) else { throw wrongType(value) }
      return whole
    case .numbers(let sides):
      guard case .imageSize = kind, sides.count == 3, sides[0] == 3, sides[1] == sides[2],
        let side = Int(exactly: sides[1])
      else { throw wrongType(value) }
      return side
    default: throw wrongType(value)
    }
  }

  private func wrongType(_ value: HyperparameterValue) -> HyperparameterError {
    .wrongType(key: name, value: value, accepts: accepts)
  }

  private func outOfRange(_ value: HyperparameterValue) -> HyperparameterError {
    .outOfRange(key: name, value: value, accepts: accepts)
  }
}
