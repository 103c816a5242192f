import DSL
import Foundation
import Model

/// Writes the session as a script.
enum SessionSaving {
  /// Writes what mattered, or everything, and checks that the file means what it should.
  static func save(to url: URL, raw: Bool, force: Bool, _ state: WorkbenchState) throws {
    guard url.pathExtension == "wb" else {
      throw CommandError(
        "a session file ends in .wb, not '\(url.lastPathComponent)'",
        hint: "save \(url.lastPathComponent).wb", argument: "file")
    }
    if FileManager.default.fileExists(atPath: url.path), !force,
      !state.savedFiles.contains(url.path)
    {
      throw CommandError(
        "\(state.places.display(url)) exists, and this session did not write it",
        hint: "choose another name, or add --force", argument: "file")
    }
    let records = state.journal.records
    // A run whose folder is gone is not worth repeating.
    let runs = Set(RunDirectory.all(in: state.places.runs).map { Slot.run($0.name) })
    let slicer = Slicer(isLive: { slot in
      slot.name.hasPrefix("run:") && slot.name != "run:current" ? runs.contains(slot) : true
    })
    let slice = slicer.slice(records.map(\.entry))
    let body = raw ? rawLines(records) : slice.lines.map(\.text)
    guard raw || !body.isEmpty else {
      throw CommandError(
        "there is nothing to save yet", hint: "load data and a model, train, draw; then save")
    }
    let summary = raw ? "\(records.count) commands, all kept" : slice.summary
    let text = script(body, summary: summary, addsSeed: !raw && needsSeed(slice), state)
    try verify(text, url)
    try FileWriting.write(text, to: url, executable: true)
    state.savedFiles.insert(url.path)
    state.savedCommands = records.count
    state.console.note(summary)
    state.console.print(
      "wrote \(state.places.display(url)); replay it: workbench replay \(state.places.display(url))"
    )
  }

  /// The whole file: header, then the commands with an empty line before each new part.
  private static func script(
    _ body: [String], summary: String, addsSeed: Bool, _ state: WorkbenchState
  ) -> String {
    let commit = ProgramVersion.commit.map { " (commit \($0.prefix(7)))" } ?? ""
    let environment = EnvironmentRecord(
      version: ProgramVersion.number, git: nil, threads: Hyperparameters.threadCount(state.values))
    var lines = [
      "#!/usr/bin/env -S workbench replay",
      "version 1",
      "# saved \(DateText.universal(Date())) by workbench \(ProgramVersion.number)\(commit)"
        + " from session \(state.journal.session)",
      "# \(summary)",
      "# env: \(environment.kernel) \(environment.architecture), \(environment.processor), "
        + "\(environment.threads) threads, swift \(environment.swift)",
      "",
    ]
    if addsSeed { lines.append("seed \(state.seed)") }
    for (index, line) in body.enumerated() {
      if index > 0, startsPart(line, after: body[index - 1]) { lines.append("") }
      lines.append(line)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func verb(_ line: String) -> Substring { line.prefix { $0 != " " } }

  /// Whether an empty line makes the script easier to read here.
  private static func startsPart(_ line: String, after previous: String) -> Bool {
    let (verb, before) = (verb(line), verb(previous))
    return before == "train" || before == "resume" || (before == "plot") != (verb == "plot")
  }

  /// Whether the seed counts and nobody has given it.
  private static func needsSeed(_ slice: Slice) -> Bool {
    let kept = slice.lines.map(\.text)
    let uses = kept.contains { ["load", "train", "data"].contains(verb($0)) }
    let gives = kept.contains { $0.hasPrefix("seed ") || $0.contains(" seed=") }
    return uses && !gives
  }

  private static func rawLines(_ records: [JournalRecord]) -> [String] {
    records.map { record in
      if let saved = record.entry.savedText, record.entry.status != .failed { return saved }
      if record.entry.status == .ok { return record.entry.text }
      return record.typed.split(separator: "\n", omittingEmptySubsequences: false)
        .map { "#x \($0)" }.joined(separator: "\n")
    }
  }

  /// A saved script that would not run is a mistake of this program; it is found here.
  private static func verify(_ text: String, _ url: URL) throws {
    let source = Source(name: url.lastPathComponent, text: text)
    _ = try ScriptChecking.checked(source, as: .file).validated()
  }
}
