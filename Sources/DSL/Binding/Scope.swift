/// The names that `${name}` may mention, with their values: parameters and loop variables.
public struct Scope: Hashable, Sendable {
  /// One name.
  struct Entry: Hashable, Sendable {
    /// The name as declared.
    let name: String
    /// What `${name}` is replaced by.
    let text: String
    /// Where the value comes from, in the script being checked; nil if from elsewhere.
    let range: SourceRange?
    /// Whether its declaration is at fault, so that nothing should be said about its value.
    var isFaulty = false
  }

  private var entries: [String: Entry] = [:]

  /// No names.
  public init() {}

  /// The names that are known, in alphabetical order.
  public var names: [String] { entries.values.map(\.name).sorted() }

  /// What `${name}` is replaced by; `_` and `-` are the same.
  public func value(of name: String) -> String? { entry(name)?.text }

  /// The scope with one more name, or another value for it.
  public func with(_ name: String, _ text: String) -> Scope { with(name, text, from: nil) }

  func entry(_ name: String) -> Entry? { entries[normalizedName(name)] }

  func with(
    _ name: String, _ text: String, from range: SourceRange?, isFaulty: Bool = false
  ) -> Scope {
    var scope = self
    let entry = Entry(name: name, text: text, range: range, isFaulty: isFaulty)
    scope.entries[normalizedName(name)] = entry
    return scope
  }

  /// The same names, their places forgotten: they belong to another text.
  var withoutPlaces: Scope {
    var scope = Scope()
    for entry in entries.values { scope = scope.with(entry.name, entry.text, from: nil) }
    return scope
  }
}
