import DSL

/// How a replay treats a command, and what it calls it.
enum StepKind {
  /// Sets the state up and costs little: it runs in every replay.
  case setup
  /// Trains: what is done is not done again.
  case training
  /// Only looks, but may take long, or writes a file: its result can be kept.
  case look
  /// Everything else: it runs whenever its cell does.
  case other

  init(_ invocation: Invocation) {
    switch invocation.name {
    case "data" where invocation.string("name") == "verify": self = .other
    case "set", "unset", "preset", "seed", "data", "load": self = .setup
    case "train", "resume", "fork": self = .training
    case "eval", "lrfind", "predict": self = .look
    case "bench", "profile", "runs": self = .other
    case "checkpoint" where invocation.string("action") == "load": self = .setup
    default:
      self = invocation.signature.effect == .look && invocation.output != nil ? .look : .other
    }
  }
}

extension Step {
  /// The step in a sentence: `train in cell 2`, or `train in line 7` where there are no cells.
  func origin(in script: Script) -> String {
    if cell > 0 { return "\(invocation.name) in cell \(cell)" }
    return "\(invocation.name) in line \(script.source.line(at: range.start))"
  }

  /// The run that a training makes or goes on with, as far as its words say.
  var namedRun: String? {
    switch invocation.name {
    case "train", "fork": invocation.string("name")
    case "resume": invocation.string("run")
    default: nil
    }
  }
}
