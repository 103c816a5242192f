import Foundation
import Glibc
import Testing

@testable import Workbench

struct TerminalTests {
  @Test func historyKeepsEntriesWhole() throws {
    let folder = try ScratchFolder()
    let file = HistoryFile(url: folder.file("deep/history"), limit: 3)
    let entries = ["set lr=0.1", "for a in 1 2 {\n  train\n}", #"load C:\new \"#, "größe 日本"]
    for entry in entries { #expect(file.append(entry)) }
    #expect(file.load() == Array(entries.suffix(3)))
    #expect(HistoryFile(url: folder.file("deep/history")).load() == entries)
    for index in 0..<4 { file.append("more \(index)") }
    // More than twice the limit: cut at the next start.
    #expect(file.load() == ["more 1", "more 2", "more 3"])
    let text = try String(contentsOf: folder.file("deep/history"), encoding: .utf8)
    #expect(text == "more 1\nmore 2\nmore 3\n")
  }

  @Test func historyThatCannotBeWrittenStopsNobody() {
    let file = HistoryFile(url: URL(fileURLWithPath: "/proc/nowhere/history"))
    #expect(!file.append("x"))
    #expect(file.load() == [])
    #expect(HistoryFile(url: nil).load() == [])
  }

  @Test func completionMenu() {
    func action(_ texts: [String], _ typed: String) -> CompletionMenu.Action {
      CompletionMenu(texts.map { CompletionCandidate($0) }, typed: typed).action
    }
    #expect(action([], "x") == .nothing)
    #expect(action(["train"], "tr") == .insert("train "))
    #expect(
      CompletionMenu([.init("lr=", suffix: "")], typed: "l").action == .insert("lr="))
    #expect(action(["warmup-lr", "warmup-epochs"], "wa") == .choose(prefix: "warmup-"))
    let both = ["train", "track"].map { CompletionCandidate($0) }
    #expect(CompletionMenu(both, typed: "tra").action == .show(both))
  }

  @Test func completionListing() {
    let plain = (1...7).map { CompletionCandidate("run\($0)") }
    #expect(
      CompletionMenu.listing(plain, columns: 20, rows: 10)
        == "run1  run4  run7\nrun2  run5\nrun3  run6\n")
    let detailed = [
      CompletionCandidate("lr", detail: "learning rate"), .init("epochs", detail: "how many"),
    ]
    #expect(
      CompletionMenu.listing(detailed, columns: 80, rows: 10)
        == "  lr      learning rate\n  epochs  how many\n")
    let cut = CompletionMenu.listing(detailed + detailed, columns: 16, rows: 2)
    #expect(cut == "  lr      lear…\n  epochs  how …\n  … 2 more lines; type more letters\n")
  }

  @Test @MainActor func promptEscapesAreMarked() {
    #expect(
      ReadlineEditor.guarded("\u{1B}[1mwb\u{1B}[0m> ")
        == "\u{01}\u{1B}[1m\u{02}wb\u{01}\u{1B}[0m\u{02}> ")
    #expect(ReadlineEditor.lines(of: "a\nb\n\n") == ["a", "b"])
    #expect(ReadlineEditor.lines(of: "a\r\n\nb") == ["a", "", "b"])
    #expect(ReadlineEditor.lines(of: "") == [""])
  }

  @Test func windowSizeFallsBackToTheEnvironment() {
    #expect(
      TerminalDevice.size(of: [-1], environment: ["COLUMNS": "132", "LINES": "0"])
        == .init(columns: 132, rows: 24))
    #expect(TerminalDevice.showsUnicode(environment: ["LANG": "de_DE.UTF-8"]))
    #expect(TerminalDevice.showsUnicode(environment: [:]))
    #expect(!TerminalDevice.showsUnicode(environment: ["LC_ALL": "de_DE.ISO-8859-1"]))
  }

  @Test @MainActor func confirmAsksUntilItUnderstands() {
    let editor = ScriptedEditor([.line("perhaps"), .line(" YES ")])
    #expect(editor.confirm("Leave?"))
    #expect(editor.prompts == ["Leave? [y/N] ", "Leave? [y/N] "])
    #expect(!ScriptedEditor([.line("")]).confirm("Leave?"))
    #expect(ScriptedEditor([.interrupted]).confirm("Stay?", standard: true))
    #expect(!ScriptedEditor([.line("n")]).confirm("Stay?", standard: true))
  }
}

/// Answers from a list.
@MainActor
final class ScriptedEditor: LineEditor {
  var hinter: Hinter?
  private var inputs: [LineInput]
  var prompts: [String] = []
  var isInteractive: Bool { true }
  var pendingLines: [String] { [] }
  var history: [String] { [] }

  init(_ inputs: [LineInput]) { self.inputs = inputs }

  func readLine(prompt: String) -> LineInput {
    prompts.append(prompt)
    return inputs.isEmpty ? .end : inputs.removeFirst()
  }
  func readLine(prompt: String, initial: String) -> LineInput { readLine(prompt: prompt) }
  func discardPendingLines() {}
  func remember(_ entry: String) {}
  func setCompleter(_ completer: @escaping Completer) {}
}
