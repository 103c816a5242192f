import DSL
import Foundation
import Model

/// Answers Tab at the prompt: the language says what may stand at the cursor, the session which
/// names there are.
struct SessionCompletion: CompletionProvider {
  let state: WorkbenchState
  /// Whether runs come with a few words about them, for which their files are read.
  private var describesRuns = true

  init(state: WorkbenchState) { self.state = state }

  /// The ways to go on at the cursor (a UTF-8 offset).
  func candidates(line: String, cursor: Int) -> CompletionList {
    let found = Completion.complete(
      line, cursor: cursor, vocabulary: CommandSet.table.vocabulary, provider: self)
    return CompletionList(
      start: found.range.start,
      candidates: found.candidates.map {
        CompletionCandidate($0.text, detail: $0.summary, suffix: $0.isComplete ? " " : "")
      })
  }

  /// How a line would go on that is typed with the cursor at its end.
  func hint(line: String, history: [String]) -> LineHint? {
    // Asked at every key: the names alone are quick to find.
    var names = self
    names.describesRuns = false
    return InlineHint.after(
      line, history: history, vocabulary: CommandSet.table.vocabulary, scope: state.cells.scope,
      provider: names
    ).map { LineHint(text: $0.text, isText: $0.isText) }
  }

  /// The names of a domain.
  func names(in domain: String) -> [Completion.Name] {
    switch domain {
    case "model": return Variant.all.map { Completion.Name($0.name, $0.summary) }
    case "run": return runs
    case "checkpoint":
      let runs = runs
      return runs + runs.flatMap { [.init("\($0.text)@last"), .init("\($0.text)@best")] }
    case "hyperparameter": return HyperparameterKey.all.map { .init($0.name, $0.summary) }
    case "metric": return CurveMetric.all.map { .init($0.name, $0.axis) }
    case "plot":
      return CurveMetric.all.map { .init($0.name, $0.axis) }
        + EvaluationPicture.allCases.map { .init($0.rawValue, $0.summary) }
    default: return []
    }
  }

  private var runs: [Completion.Name] {
    guard describesRuns else {
      return RunDirectory.all(in: state.places.runs).map { .init($0.name, "") }
    }
    return RunSummary.all(in: state.places.runs).map { run in
      .init(run.name, "\(run.status.rawValue), \(run.epochs) epochs")
    }
  }

  /// The files that a path begins, folders with a `/` behind.
  func paths(startingWith text: String, role: ValueKind.PathRole) -> [String] {
    let slash = text.lastIndex(of: "/").map { text.index(after: $0) } ?? text.startIndex
    let folder = String(text[..<slash])
    let start = text[slash...]
    let place = folder.isEmpty ? state.places.current : state.places.input(folder)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
    return names.filter { $0.hasPrefix(start) && ($0.first != "." || start.first == ".") }.sorted()
      .compactMap { name in
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(
          atPath: place.appendingPathComponent(name).path, isDirectory: &isFolder)
        if role == .directory && !isFolder.boolValue { return nil }
        return folder + name + (isFolder.boolValue ? "/" : "")
      }
  }
}
