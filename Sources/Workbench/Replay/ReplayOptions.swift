import DSL
import Foundation

/// The options of a replay, understood.
struct ReplayOptions {
  /// Which cells run.
  var selection = CellSelection.Request()
  var keepsGoing = false
  /// Seconds for the whole.
  var timeLimit: Double?
  var resumes = false
  var isRehearsal = false
  var isPlan = false
  var verification: Verification.Tolerance?
  /// The folder of the runs to compare with; nil for those that stood in the output folder before.
  var against: URL?
  var allowsShell = false
  var drawsPlots = true
  /// What goes on with an interrupted replay: `workbench replay a.wb --resume`; nil where nothing
  /// is kept about it.
  var resumeCommand: String?
  /// The name under which the state of the replay is kept; nil for none.
  var ledgerName: String?

  init() {}

  /// - Throws: a failure with exit code 2 that names the option.
  init(_ arguments: ReplayArguments) throws {
    selection = CellSelection.Request(
      from: arguments.from, to: arguments.to, tags: Self.words(arguments.tags),
      skipped: Self.words(arguments.skip) ?? [])
    keepsGoing = arguments.keepGoing
    resumes = arguments.resume
    isRehearsal = arguments.smoke
    isPlan = arguments.plan
    allowsShell = arguments.allowShell
    drawsPlots = !arguments.noPlot
    against = arguments.against.map { URL(fileURLWithPath: $0, isDirectory: true) }
    if let text = arguments.timeLimit {
      guard case .duration(let seconds)? = try? ValueKind.duration.parse(text), seconds > 0 else {
        throw CommandError(
          "--time-limit takes a time such as 90m or 8h, not '\(text)'", exitCode: 2)
      }
      timeLimit = seconds
    }
    if let text = arguments.verify ?? (against == nil ? nil : "exact") {
      guard let tolerance = Verification.Tolerance(text) else {
        throw CommandError("--verify takes exact or tol:1e-4, not '\(text)'", exitCode: 2)
      }
      verification = tolerance
    }
    try refuse("--from", with: "--resume", selection.from != nil && resumes)
    try refuse("--verify", with: "--resume", verification != nil && resumes)
    try refuse("--smoke", with: "--resume", isRehearsal && resumes)
    try refuse("--smoke", with: "--plan", isRehearsal && isPlan)
    try refuse("--smoke", with: "--verify", isRehearsal && verification != nil)
  }

  private func refuse(_ first: String, with second: String, _ isBoth: Bool) throws {
    guard isBoth else { return }
    throw CommandError("\(first) and \(second) exclude each other", exitCode: 2)
  }

  private static func words(_ list: String?) -> [String]? {
    list.map { $0.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } }
  }
}
