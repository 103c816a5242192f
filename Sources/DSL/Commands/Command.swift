/// A command: its declaration, and what it does in the program's `Context`.
public struct Command<Context>: Sendable {
  /// The declaration.
  public let signature: Signature
  /// What it does. Throw a ``CommandFailure`` for anything that the user can cause.
  public let run: @Sendable (Invocation, Context) throws -> Void

  /// A command from its declaration and its action.
  public init(
    _ signature: Signature, run: @escaping @Sendable (Invocation, Context) throws -> Void
  ) {
    self.signature = signature
    self.run = run
  }
}

/// All commands of a program.
public struct CommandTable<Context>: Sendable {
  /// The commands in the order of their declaration.
  public let commands: [Command<Context>]
  /// Their signatures, for everything that need not run them.
  public let vocabulary: Vocabulary

  /// A table of commands.
  ///
  /// - Precondition: the definitions are sound (see ``Vocabulary/problems(in:)``): a bad table
  ///   fails before any user does.
  public init(_ commands: [Command<Context>]) {
    self.commands = commands
    vocabulary = Vocabulary(commands.map(\.signature))
  }

  /// The command with exactly this name.
  public func command(named name: String) -> Command<Context>? {
    commands.first { $0.signature.name == name }
  }
}

/// An error of a command that the interpreter joins to the statement that was running.
public protocol CommandFailure: Error {
  /// What went wrong: one line, lower case, no final full stop.
  var message: String { get }
  /// What to do about it.
  var hint: String? { get }
  /// Further remarks, such as what was kept.
  var notes: [String] { get }
  /// The name of the positional or key at fault, for the carets; nil for the whole command.
  var argument: String? { get }
  /// The process's exit code; 3 unless the table of exit codes says otherwise.
  var exitCode: Int32 { get }
  /// Whether the user stopped the command (it is then journalled as interrupted, not as failed).
  var isInterruption: Bool { get }
}

extension CommandFailure {
  /// No advice.
  public var hint: String? { nil }
  /// No remarks.
  public var notes: [String] { [] }
  /// The whole command.
  public var argument: String? { nil }
  /// 3, "a command failed at run time".
  public var exitCode: Int32 { 3 }
  /// An ordinary failure.
  public var isInterruption: Bool { false }
}

/// The plain ``CommandFailure``.
public struct CommandError: CommandFailure, Hashable, Sendable {
  /// What went wrong.
  public let message: String
  /// What to do about it.
  public let hint: String?
  /// Further remarks.
  public let notes: [String]
  /// The positional or key at fault.
  public let argument: String?
  /// The process's exit code.
  public let exitCode: Int32
  /// Whether the user stopped the command.
  public let isInterruption: Bool

  /// A failure in words.
  public init(
    _ message: String, hint: String? = nil, notes: [String] = [], argument: String? = nil,
    exitCode: Int32 = 3, isInterruption: Bool = false
  ) {
    self.message = message
    self.hint = hint
    self.notes = notes
    self.argument = argument
    self.exitCode = exitCode
    self.isInterruption = isInterruption
  }
}

/// Thrown by a command that ends the run early and successfully: `quit`.
public struct StopRun: Error, Hashable, Sendable {
  /// The process's exit code.
  public let exitCode: Int32

  /// Ends the run with this exit code.
  public init(exitCode: Int32 = 0) { self.exitCode = exitCode }
}
