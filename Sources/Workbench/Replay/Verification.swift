import DSL
import Foundation
import Model

/// `--verify`: whether a replay gave the numbers of the original runs.
///
/// The original of a run is the one of the same name in the folder of `--against`, or else the one
/// that stood in the output folder before and was moved aside. Compared are all columns of metrics.csv
/// but those that a clock or a stop decides.
struct Verification {
  /// How far numbers may lie apart.
  enum Tolerance: Equatable {
    /// Every field is the same text.
    case exact
    /// |a - b| <= tolerance * max(1, |b|), with b of the original.
    case within(Double)

    /// `exact`, or `tol:1e-4`.
    init?(_ text: String) {
      if text == "exact" {
        self = .exact
      } else if text.hasPrefix("tol:"), let value = Double(text.dropFirst(4)), value >= 0,
        value.isFinite
      {
        self = .within(value)
      } else {
        return nil
      }
    }

    fileprivate func accepts(_ field: Substring, _ original: Substring) -> Bool {
      if field == original { return true }
      guard case .within(let tolerance) = self, let new = Double(field), let old = Double(original)
      else { return false }
      return abs(new - old) <= tolerance * max(1, abs(old))
    }
  }

  let tolerance: Tolerance
  /// The folder whose runs are the originals; nil for those that were moved aside.
  let against: URL?
  let state: WorkbenchState

  /// Refuses a replay that has nothing to be compared with, and says where the machine or the program
  /// is another one than that of the originals.
  ///
  /// - Throws: a failure with exit code 4; nothing has run then.
  func prepare(_ script: CheckedScript) throws {
    for step in script.steps where step.invocation.name != "resume" {
      guard let name = step.namedRun else { continue }
      guard let original = original(named: name) else {
        let place = state.places.display(against ?? state.places.runs)
        throw CommandError(
          "there is no run '\(name)' in \(place) to compare with",
          hint: "--against DIR names the folder of the original runs", exitCode: 4)
      }
      sayDifferences(original)
    }
  }

  /// Compares the runs that were made.
  ///
  /// - Returns: whether all of them are as they were.
  func holds(for runs: [String]) -> Bool {
    var isSame = true
    for name in runs {
      let made = state.places.runs.appending(path: name)
      let aside = state.replay.movedAside[name].map { state.places.runs.appending(path: $0) }
      guard let original = against == nil ? aside : original(named: name) else {
        state.console.message("verify: run '\(name)' has no original to compare with")
        isSame = false
        continue
      }
      if let difference = difference(made, original) {
        state.console.message(
          "verify: run '\(name)' differs from \(state.places.display(original)): \(difference)")
        isSame = false
      } else {
        let rule = tolerance == .exact ? "byte for byte" : "within the tolerance"
        state.console.note("verify: run '\(name)' is the original \(rule)")
      }
    }
    return isSame
  }

  private func original(named name: String) -> URL? {
    let folders =
      against.map { [$0.appending(path: "runs"), $0] } ?? [state.places.runs]
    return folders.map { $0.appending(path: name) }
      .first { FileManager.default.fileExists(atPath: $0.appending(path: "metrics.csv").path) }
  }

  /// The first row in which two runs differ, in words; nil when there is none.
  private func difference(_ made: URL, _ original: URL) -> String? {
    func rows(_ run: URL) -> [[Substring]] {
      let data = (try? Data(contentsOf: run.appending(path: "metrics.csv"))) ?? Data()
      return String(decoding: data, as: UTF8.self).split(separator: "\n")
        .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    }
    let (new, old) = (rows(made), rows(original))
    guard let columns = old.first, new.first == columns else { return "other columns" }
    for (row, before) in zip(new.dropFirst(), old.dropFirst()) {
      for (index, column) in columns.enumerated()
      where !MetricsRow.clockColumns.contains(String(column)) {
        let (field, was) = (row.indices.contains(index) ? row[index] : "", before[index])
        if !tolerance.accepts(field, was) {
          return "epoch \(row[0]): \(column) is \(field), was \(was)"
        }
      }
    }
    guard new.count != old.count else { return nil }
    return "it has \(new.count - 1) epochs, the original \(old.count - 1)"
  }

  private func sayDifferences(_ original: URL) {
    let file = original.appending(path: "env.json")
    guard let data = try? Data(contentsOf: file),
      let then = try? JSONDecoder().decode(EnvironmentRecord.self, from: data)
    else { return }
    let now = EnvironmentRecord(
      version: ProgramVersion.number, git: ProgramVersion.commit, threads: then.threads)
    let pairs: [(String, String, String)] = [
      ("processor", now.processor, then.processor),
      ("features", now.features.joined(separator: " "), then.features.joined(separator: " ")),
      ("program", now.version, then.version), ("commit", now.git ?? "", then.git ?? ""),
      ("compiler", now.swift, then.swift),
    ]
    for (name, new, old) in pairs where new != old {
      state.console.warn(
        "the \(name) of run '\(original.lastPathComponent)' was \(old), here it is \(new): "
          + "the same bits are not promised, --verify=tol:1e-4 compares nearly")
    }
  }
}
