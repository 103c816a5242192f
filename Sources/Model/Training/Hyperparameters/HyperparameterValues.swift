/// The settings of a training: the values that were set, and the defaults of all others.
public struct HyperparameterValues: Sendable, Equatable {
  /// What was set, by the key's full name.
  public private(set) var explicit: [String: HyperparameterValue] = [:]

  /// All keys at their defaults.
  public init() {}

  /// The value in force for a key's full name.
  /// - Precondition: the key exists; names that a user typed go through `HyperparameterKey.named`.
  public subscript(name: String) -> HyperparameterValue {
    if let value = explicit[name] { return value }
    guard let key = HyperparameterKey.find(name) else {
      preconditionFailure("no hyperparameter is called \(name)")
    }
    return key.name == name ? key.defaultValue : self[key.name]
  }

  /// Sets a key, under any of its names, and says what it was before.
  /// - Throws: `HyperparameterError.unknownKey`, `.wrongType`, `.outOfRange`.
  @discardableResult
  public mutating func set(
    _ name: String, to value: HyperparameterValue
  ) throws(HyperparameterError) -> HyperparameterValue {
    let key = try HyperparameterKey.named(name)
    let old = self[key.name]
    explicit[key.name] = try key.normalized(value)
    return old
  }

  /// Gives a key its default again, and says what it was before.
  /// - Throws: `HyperparameterError.unknownKey`.
  @discardableResult
  public mutating func unset(_ name: String) throws(HyperparameterError) -> HyperparameterValue {
    let key = try HyperparameterKey.named(name)
    let old = self[key.name]
    explicit[key.name] = nil
    return old
  }

  /// The keys that are not at their defaults, in the order of `show`.
  public var changed: [HyperparameterKey] {
    HyperparameterKey.all.filter { self[$0.name] != $0.defaultValue }
  }

  /// Whether the same values are in force, set or by default.
  public static func == (first: HyperparameterValues, second: HyperparameterValues) -> Bool {
    HyperparameterKey.all.allSatisfy { first[$0.name] == second[$0.name] }
  }

  /// Why a key has no effect with these values; nil when it has one.
  public func inertReason(_ key: HyperparameterKey) -> String? {
    key.inertReason(self)
  }

  /// Every key with its value in force.
  public var all: [String: HyperparameterValue] {
    var table: [String: HyperparameterValue] = [:]
    for key in HyperparameterKey.all { table[key.name] = self[key.name] }
    return table
  }

  // Typed access for the code that resolves the values; a mismatch is a mistake in the registry.
  func flag(_ name: String) -> Bool {
    guard case .flag(let value) = self[name] else { preconditionFailure("\(name) is no switch") }
    return value
  }
  func integer(_ name: String) -> Int {
    guard let value = optionalInteger(name) else { preconditionFailure("\(name) is no integer") }
    return value
  }
  func optionalInteger(_ name: String) -> Int? {
    if case .integer(let value) = self[name] { return value }
    return nil
  }
  func number(_ name: String) -> Double {
    guard let value = optionalNumber(name) else { preconditionFailure("\(name) is no number") }
    return value
  }
  func optionalNumber(_ name: String) -> Double? {
    if case .number(let value) = self[name] { return value }
    return nil
  }
  func numbers(_ name: String) -> [Double]? {
    if case .numbers(let values) = self[name] { return values }
    return nil
  }
  func word(_ name: String) -> String {
    guard case .word(let value) = self[name] else { preconditionFailure("\(name) is no word") }
    return value
  }
}

extension HyperparameterValues: Codable {
  /// Reads an object of keys and values; keys that it leaves out are at their defaults.
  /// - Throws: `HyperparameterError` for an unknown key or an impossible value.
  public init(from decoder: any Decoder) throws {
    let table = try decoder.singleValueContainer().decode([String: HyperparameterValue].self)
    for (name, value) in table { try set(name, to: value) }
  }

  /// Writes every key, so that the file tells the whole truth when defaults change.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(all)
  }
}
