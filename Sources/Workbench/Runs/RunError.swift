import Model

/// What can be wrong with a run's folder.
enum RunError: ModelError, Equatable {
  /// A living process trains the run.
  case busy(name: String, process: Int?)
  /// The name cannot be a folder's.
  case badName(String)
  /// There is no such run.
  case unknown(String)
  /// The run has no such checkpoint.
  case noParameters(name: String)
}

extension RunError {
  var message: String {
    switch self {
    case .busy(let name, let process):
      let owner = process.map { "process \($0)" } ?? "another process"
      return "\(owner) is training the run '\(name)'"
    case .badName(let name): return "'\(name)' cannot be the name of a run"
    case .unknown(let name): return "there is no run '\(name)'"
    case .noParameters(let name): return "the run '\(name)' has no readable params.json"
    }
  }

  var advice: String? {
    switch self {
    case .busy: return "wait for it, or train under another name"
    case .badName: return "use letters, digits, '-', '_' and '.', not beginning with '.'"
    case .unknown: return "'runs' lists the runs"
    case .noParameters: return nil
    }
  }

  var kind: ModelErrorKind {
    switch self {
    case .busy, .noParameters: return .resource
    case .badName, .unknown: return .usage
    }
  }
}
