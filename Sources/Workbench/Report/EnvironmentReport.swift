import Foundation
import Model

/// What `env` says: the machine and the program.
enum EnvironmentReport {
  static func text(_ state: WorkbenchState) -> String {
    let record = EnvironmentRecord(
      version: ProgramVersion.number, git: ProgramVersion.commit,
      threads: Hyperparameters.threadCount(state.values))
    var facts = Facts(style: state.console.style)
    facts.add(
      "program",
      "workbench \(record.version)" + (record.git.map { ", commit \($0.prefix(7))" } ?? ""))
    facts.add("swift", record.swift)
    facts.add("system", "\(record.kernel) \(record.architecture)")
    facts.add(
      "processor", "\(record.processor), \(record.cores) cores, \(record.threads) threads used")
    facts.add("features", record.features.joined(separator: " "))
    facts.add("memory", NumberText.bytes(Int(record.memory)))
    facts.add("gnuplot", gnuplot(state))
    facts.add("home", HomeFolder.url.path)
    facts.add("runs", state.places.runs.path)
    facts.add("journal", state.journal.url?.path ?? "kept in memory")
    return facts.text
  }

  private static func gnuplot(_ state: WorkbenchState) -> String {
    guard let sink = state.plots as? GnuplotSink else { return "not used" }
    do {
      let found = try sink.capabilities()
      let used = ["dumb", "pngcairo", "svg", "pdfcairo"].filter(found.terminals.contains)
      return "\(found.version), terminals \(used.joined(separator: " "))"
    } catch {
      return error.message
    }
  }
}
