/// What happens while a script runs, step by step. All callbacks are called on the thread that runs
/// the script.
public struct RunObserver {
  /// A step is about to run.
  public var willRun: (Step) -> Void
  /// A step has run.
  public var didRun: (Step) -> Void
  /// A step has failed or was interrupted.
  public var didFail: (StepFailure) -> Void

  /// Callbacks; by default they do nothing.
  public init(
    willRun: @escaping (Step) -> Void = { _ in }, didRun: @escaping (Step) -> Void = { _ in },
    didFail: @escaping (StepFailure) -> Void = { _ in }
  ) {
    self.willRun = willRun
    self.didRun = didRun
    self.didFail = didFail
  }
}

/// A step that did not run to its end, and why.
public struct StepFailure: Error {
  /// The step.
  public let step: Step
  /// The error joined to the place of the command or of the argument at fault.
  public let diagnostic: Diagnostic
  /// The process's exit code.
  public let exitCode: Int32
  /// Whether the user stopped it.
  public let isInterruption: Bool
  /// What the command threw.
  public let underlying: any Error

  /// The failure as an error that can be shown; `source` is what the script was read from.
  public func scriptError(in source: Source) -> ScriptError {
    ScriptError([diagnostic], in: source, exitCode: exitCode)
  }
}

/// How a run ended.
public struct RunOutcome {
  /// The number of steps that ran to their end.
  public let completed: Int
  /// The number of steps that the script has.
  public let total: Int
  /// The steps that failed; at most one unless the run keeps going.
  public let failures: [StepFailure]
  /// The exit code of a command that ended the run early (`quit`); nil otherwise.
  public let stopCode: Int32?

  /// The process's exit code: that of the first failure, or of the early end, or 0.
  public var exitCode: Int32 { failures.first?.exitCode ?? stopCode ?? 0 }
}

/// Runs checked scripts in the program's `Context`.
public struct Interpreter<Context> {
  /// The commands.
  public let table: CommandTable<Context>

  /// An interpreter for these commands.
  public init(table: CommandTable<Context>) { self.table = table }

  /// Runs the steps of a script in order, up to the first failure.
  ///
  /// - Parameters:
  ///   - steps: which of the script's steps to run; all when nil.
  ///   - keepsGoing: whether a failure does not end the run (an interruption always does).
  ///   - observer: told of every step.
  public func run(
    _ script: CheckedScript, steps: [Step]? = nil, in context: Context, keepsGoing: Bool = false,
    observer: RunObserver = RunObserver()
  ) -> RunOutcome {
    let steps = steps ?? script.steps
    var completed = 0
    var failures: [StepFailure] = []
    var stopCode: Int32?
    for step in steps {
      observer.willRun(step)
      guard let command = table.command(named: step.invocation.name) else {
        preconditionFailure("'\(step.invocation.name)' was checked against another table")
      }
      do {
        try command.run(step.invocation, context)
        completed += 1
        observer.didRun(step)
      } catch let stop as StopRun {
        completed += 1
        observer.didRun(step)
        stopCode = stop.exitCode
        break
      } catch {
        let failure = Self.failure(of: step, error)
        failures.append(failure)
        observer.didFail(failure)
        if failure.isInterruption || !keepsGoing { break }
      }
    }
    return RunOutcome(
      completed: completed, total: steps.count, failures: failures, stopCode: stopCode)
  }

  /// Joins an error to the statement that was running.
  private static func failure(of step: Step, _ error: any Error) -> StepFailure {
    let invocation = step.invocation
    let variables = step.variables.map { "with \($0.name) = \($0.text)" }
    guard let known = error as? any CommandFailure else {
      // A nested script has its own text, so that its places cannot be shown in this one.
      let nested = error as? ScriptError
      let message = nested?.diagnostics.first?.message ?? String(describing: error)
      let places = nested?.locations ?? []
      return StepFailure(
        step: step,
        diagnostic: .commandFailed(
          message, hint: nested?.diagnostics.first?.hint, notes: places + variables,
          at: invocation.range),
        exitCode: nested?.exitCode ?? 3, isInterruption: false, underlying: error)
    }
    let range = known.argument.map { invocation.range(of: $0) } ?? invocation.range
    return StepFailure(
      step: step,
      diagnostic: .commandFailed(
        known.message, hint: known.hint, notes: known.notes + variables, at: range),
      exitCode: known.exitCode, isInterruption: known.isInterruption, underlying: error)
  }
}

extension ScriptError {
  /// Where the errors are, one line each: `in notebook.wb:3:5: unknown command 'lod'`.
  fileprivate var locations: [String] {
    diagnostics.filter { $0.severity == .error }.compactMap { diagnostic in
      guard let source, let range = diagnostic.range else { return nil }
      return "in \(source.describe(range.start)): \(diagnostic.message)"
    }
  }
}
