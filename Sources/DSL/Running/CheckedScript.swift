/// One command of a script, ready to run: its arguments are checked, `${name}` is replaced, and
/// loops are unrolled.
public struct Step: Hashable, Sendable {
  /// The command.
  public let invocation: Invocation
  /// Its place in the order of the whole script, from 0.
  public let index: Int
  /// The number of its cell, from 1; 0 before the first cell marker.
  public let cell: Int
  /// The loop variables in force, outermost first.
  public let variables: [Variable]
  /// From the verb to the last argument.
  public var range: SourceRange { invocation.range }

  /// A loop variable and its value in this repetition.
  public struct Variable: Hashable, Sendable {
    /// The name.
    public let name: String
    /// The value.
    public let text: String
  }
}

/// A script that was read, checked and unrolled.
public struct CheckedScript: Sendable {
  /// The script as written.
  public let script: Script
  /// The parameters it declares, in order, with their values in this run.
  public let parameters: [ScriptParameter]
  /// The commands in the order in which they run. After an error, those that could be understood.
  public let steps: [Step]
  /// Everything that is wrong or doubtful, in the order of the text.
  public let diagnostics: [Diagnostic]
  /// The names known at its end: what the next line at the prompt may mention.
  public let scope: Scope

  /// Whether nothing but warnings was found.
  public var isSound: Bool { !diagnostics.containsErrors }

  /// This script, if it is sound.
  ///
  /// - Throws: all its diagnostics, warnings included.
  public func validated() throws(ScriptError) -> CheckedScript {
    guard isSound else { throw ScriptError(diagnostics, in: script.source) }
    return self
  }
}

/// A rule that the program adds to the checker's own.
public struct CheckRule: Sendable {
  /// The diagnostics of a script whose steps are all bound; ranges count in its source.
  public let check: @Sendable (CheckedScript) -> [Diagnostic]

  /// A rule about the whole script.
  public init(_ check: @escaping @Sendable (CheckedScript) -> [Diagnostic]) { self.check = check }

  /// A rule about each command by itself.
  public static func each(
    _ check: @escaping @Sendable (Invocation) -> [Diagnostic]
  ) -> CheckRule {
    CheckRule { script in script.steps.flatMap { check($0.invocation) } }
  }
}
