import DSL

/// The codes of the program's own diagnostics, beside those of the language (`Diagnostic.Code`).
enum RuleCode: String, CaseIterable {
  // The text of a script
  case unknownModel = "unknown-model"
  case unknownMetric = "unknown-metric"
  case unknownFormat = "unknown-format"
  case conflict
  case doubtfulSetting = "doubtful-setting"
  case classCount = "class-count"
  case notPretrained = "not-pretrained"
  case totalEpochs = "total-epochs"
  case noSeed = "no-seed"
  case writtenTwice = "written-twice"
  case duplicateCell = "duplicate-cell"
  case duplicateRun = "duplicate-run"
  // The place where it is to run
  case unknownRun = "unknown-run"
  case noRun = "no-run"
  case timeLimit = "time-limit"
  case requirement
  case cannotWrite = "cannot-write"
  case diskFull = "disk-full"
  case noData = "no-data"
  case noWeights = "no-weights"
  case otherWeights = "other-weights"
  case noGnuplot = "no-gnuplot"

  /// Whether it says what is wrong with the machine and not with the script.
  var isAboutMachine: Bool {
    switch self {
    case .cannotWrite, .diskFull, .noData, .noWeights, .otherWeights, .noGnuplot: true
    default: false
    }
  }
}

extension Diagnostic {
  /// A diagnostic of one of the program's rules; `severity` is an error unless said otherwise.
  init(
    _ severity: Severity = .error, rule: RuleCode, message: String, at range: SourceRange? = nil,
    hint: String? = nil, notes: [Note] = []
  ) {
    self.init(severity, code: rule.rawValue, message: message, at: range, hint: hint, notes: notes)
  }
}
