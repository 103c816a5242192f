import DSL
import Foundation
import Testing

/// Every diagnostic has a golden file: `diagnostics/CODE[-VARIANT].wb` and what it prints beside it.
///
/// The first line of a script may say how to check it: `#: prompt -p epochs=3`.
@Suite struct DiagnosticTests {
  static let scripts = Fixtures.files(in: "diagnostics", ending: "wb")

  @Test(arguments: scripts) func golden(_ script: URL) throws {
    let text = try String(contentsOf: script, encoding: .utf8)
    let source = Source(name: script.lastPathComponent, text: text)
    let (mode, overrides) = Self.options(text)
    let checked = Fake.checker().check(source, as: mode, overrides: overrides)
    var diagnostics = checked.diagnostics
    var context: String?
    if checked.isSound {
      let recorder = Recorder()
      let outcome = Interpreter(table: Fake.table).run(checked, in: recorder)
      diagnostics += outcome.failures.map(\.diagnostic)
      if let failure = outcome.failures.first {
        let label = checked.script.label(ofCell: failure.step.cell).map { "in \($0) · " }
        context = (label ?? "") + "\(outcome.completed) of \(outcome.total) steps run"
      }
    }
    let name = script.deletingPathExtension().lastPathComponent
    #expect(
      diagnostics.contains { name == $0.code || name.hasPrefix($0.code + "-") },
      "\(name) shows \(diagnostics.map(\.code))")
    let rendered = Renderer().render(diagnostics, in: source, context: context)
    Fixtures.expectSnapshot(rendered, "diagnostics/\(name).txt")
  }

  @Test func everyCodeHasAGoldenFile() {
    let names = Self.scripts.map { $0.deletingPathExtension().lastPathComponent }
    for code in Diagnostic.Code.allCases {
      #expect(
        names.contains { $0 == code.rawValue || $0.hasPrefix(code.rawValue + "-") },
        "no golden file for \(code.rawValue)")
    }
  }

  @Test func messagesFollowTheStyle() throws {
    for script in Self.scripts {
      let text = try String(contentsOf: script, encoding: .utf8)
      let (mode, overrides) = Self.options(text)
      let source = Source(name: "x", text: text)
      for diagnostic in Fake.checker().check(source, as: mode, overrides: overrides).diagnostics {
        let message = diagnostic.message
        #expect(!message.hasSuffix(".") || message.hasSuffix(".."), "\(message)")
        #expect(!message.contains("\n"), "\(message)")
        #expect(!diagnostic.message.isEmpty)
      }
    }
  }

  static func options(_ text: String) -> (Checker.Mode, [ParameterOverride]) {
    guard text.hasPrefix("#: ") else { return (.inline, []) }
    let words = text.prefix { $0 != "\n" }.dropFirst(3).split(separator: " ").map(String.init)
    let mode: Checker.Mode = words[0] == "prompt" ? .prompt : words[0] == "file" ? .file : .inline
    return (mode, words.dropFirst().compactMap { ParameterOverride(parsing: $0) })
  }
}
