import DSL
import Foundation

/// Brings session files up to the newest version of the language: the version line, then every
/// spelling that is understood but no longer written. What is not touched stays as it is, byte for
/// byte.
struct ScriptUpgrade {
  /// Renames of one step from a version to the next.
  struct Step {
    /// Old verbs and what they are called now.
    var verbs: [String: String] = [:]
    /// Old keys and what they are called now.
    var keys: [String: String] = [:]
  }

  /// The newest version.
  var newest = 1
  /// What changed from each version to the next, by the older one's number. Version 1 is the first.
  var steps: [Int: Step] = [:]
  var vocabulary = CommandSet.table.vocabulary

  /// Replaces one stretch of the text.
  private struct Edit {
    let range: SourceRange
    let text: String
  }

  /// The upgraded text; the same text if there is nothing to do.
  ///
  /// - Throws: what keeps the file from being read, with exit code 4.
  func upgraded(_ source: Source) throws -> String {
    let script = Parser.parse(source)
    guard !script.diagnostics.containsErrors else {
      throw ScriptError(script.diagnostics, in: source)
    }
    if let version = script.version, version.number > newest {
      var checker = Checker(vocabulary: vocabulary, newestVersion: newest)
      checker.release = "workbench \(ProgramVersion.number)"
      throw ScriptError(checker.check(script, as: .file).diagnostics, in: source)
    }
    let written = script.version?.number ?? newest
    let renames = (written..<max(written, newest)).compactMap { steps[$0] }
    var edits = commands(of: script.items).flatMap { changes($0, renames, source) }
    if let version = script.version, version.number < newest {
      edits.append(Edit(range: version.range, text: "version \(newest)"))
    }
    var text = apply(edits, to: source)
    if script.version == nil { text = addingVersion(to: text) }
    return text
  }

  /// Every command, those within loops too.
  private func commands(of items: [Item]) -> [CommandSyntax] {
    items.flatMap { item -> [CommandSyntax] in
      switch item {
      case .statement(.command(let command)): [command]
      case .statement(.loop(let loop)): commands(of: loop.body)
      default: []
      }
    }
  }

  private func changes(_ command: CommandSyntax, _ renames: [Step], _ source: Source) -> [Edit] {
    var edits: [Edit] = []
    func rename(_ word: String, _ part: KeyPath<Step, [String: String]>) -> String {
      renames.reduce(word) { $1[keyPath: part][$0] ?? $0 }
    }
    let verb = rename(command.verb.text, \.verbs)
    let signature: Signature?
    switch vocabulary.lookUp(verb) {
    case .exact(let found), .prefix(let found): signature = found
    default: signature = nil
    }
    if command.isBareAssignment {
      edits.append(Edit(range: SourceRange(command.range.start, command.range.start), text: "set "))
    } else if let name = signature?.name ?? (verb == command.verb.text ? nil : verb),
      name != command.verb.text
    {
      edits.append(Edit(range: command.verb.range, text: name))
    }
    for argument in command.arguments {
      switch argument.kind {
      case .key(let key, _):
        let renamed = rename(key.text, \.keys)
        let name = signature?.key(renamed)?.name ?? renamed
        if name != key.text { edits.append(Edit(range: key.range, text: name)) }
      case .flag(let flag):
        guard let spelling = signature?.flag(flag.text)?.spelling else { continue }
        if source.text(in: argument.range) != spelling {
          edits.append(Edit(range: argument.range, text: spelling))
        }
      default: continue
      }
    }
    return edits
  }

  private func apply(_ edits: [Edit], to source: Source) -> String {
    let whole = SourceRange(0, source.text.utf8.count)
    var text = ""
    var position = 0
    for edit in edits.sorted(by: { $0.range.start < $1.range.start }) {
      text += source.text(in: SourceRange(position, edit.range.start)) + edit.text
      position = edit.range.end
    }
    return text + source.text(in: SourceRange(position, whole.end))
  }

  /// The version stands first, behind the line for the shell.
  private func addingVersion(to text: String) -> String {
    guard text.hasPrefix("#!") else { return "version \(newest)\n" + text }
    let first = text.prefix { $0 != "\n" }
    return first + "\nversion \(newest)\n" + text.dropFirst(first.count + 1)
  }
}
