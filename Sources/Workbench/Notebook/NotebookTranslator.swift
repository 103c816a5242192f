import DSL
import Foundation

/// Turns the cells of a notebook into those of a session file: calls of train.py and timm become
/// commands, text stays text, and what nobody here understands stays as a comment.
struct NotebookTranslator {
  /// What a remark is about.
  struct Remark: Equatable {
    /// The cell, from 1.
    let cell: Int
    /// The line within the cell, from 1; nil for the cell as a whole.
    let line: Int?
    let message: String
  }

  /// In front of what is kept of other languages.
  static let keptMark = "#| "
  /// In front of what a command printed.
  static let printedMark = "#> "
  /// The lines of printed text that are kept of a cell.
  private static let mostPrinted = 6

  /// Take fine-tuning for what the flags of train.py say, as the notebook's text does.
  let intent: Bool
  private(set) var remarks: [Remark] = []
  /// The commands that were made.
  private(set) var commandCount = 0

  // What the commands so far leave behind.
  private var seed: String?
  private var data: String?
  private var settings: Set<String> = []
  private var runs: [String] = []
  private var drawsFigures = true
  /// Texts and numbers that the notebook gave names.
  private var constants: [String: String] = [:]
  var python = PythonNames()

  private var cell = 0
  private var lines: [String] = []

  init(intent: Bool = false) { self.intent = intent }

  /// The lines of a cell, its marker first.
  mutating func translate(_ source: JupyterNotebook.Cell, number: Int) -> [String] {
    cell = number
    lines = []
    let id: String?
    let title: String
    switch source.kind {
    case .markdown:
      for name in source.attachments {
        remark("the picture '\(name)' within the text is left out", at: nil)
      }
      return [Self.marker(Self.heading(source.source), isMarkdown: true, tags: source.tags)]
        + Self.comment(source.source)
    case .raw:
      return [Self.marker("Raw text", tags: source.tags)] + Self.comment(source.source)
    case .code:
      let trained = runs.count
      translateCode(source.source)
      id = runs.count > trained ? runs[trained] : nil
      title = id.map { "Train \($0)" } ?? "Cell \(number)"
    }
    let marker = Self.marker(title, id: id, tags: source.tags)
    // What Python alone printed says nothing about the commands.
    let made = lines.contains { !$0.hasPrefix("#") }
    let printed = (made ? source.printed : []).suffix(Self.mostPrinted).map {
      Self.printedMark + Self.clean($0.prefix(200))
    }
    return [marker] + lines + printed
  }

  // MARK: Code

  private mutating func translateCode(_ source: String) {
    var source = source
    let first = source.drop(while: \.isWhitespace).prefix { $0 != "\n" }
    if first.hasPrefix("%%") {
      let words = first.dropFirst(2).split(separator: " ").map(String.init)
      let rest = source.drop(while: \.isWhitespace).dropFirst(first.count).drop { $0 == "\n" }
      switch words.first ?? "" {
      case "time", "timeit", "capture", "prun": source = "\n" + rest
      case "bash", "sh", "cmd": return shell(String(rest), line: 2, all: source)
      case "script" where words.dropFirst().contains { $0.hasSuffix("workbench") }:
        return own(String(rest))
      case "script" where words.contains { ["bash", "sh", "zsh"].contains($0) }:
        return shell(String(rest), line: 2, all: source)
      case "writefile", "file": return file(words.dropFirst().last, String(rest))
      case "markdown":
        lines += Self.comment(String(rest))
        return
      default: return keep(source, line: 1, "%%\(words.first ?? "") is not known here")
      }
    }
    translatePython(source)
  }

  /// A cell for this program: its commands, without those that an export repeats from earlier cells.
  private mutating func own(_ source: String) {
    var isRepeated = false
    var text: [Substring] = []
    for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
      if line == NotebookExport.repeatedMark {
        isRepeated = true
      } else if line == NotebookExport.ownMark {
        isRepeated = false
      } else if !isRepeated {
        text.append(line)
      }
    }
    let commands = text.joined(separator: "\n").trimmingNewline
    let checker = Checker(vocabulary: CommandSet.table.vocabulary)
    let script = checker.check(Source(name: "", text: commands), as: .inline)
    guard script.isSound, script.script.version == nil else {
      return keep(commands, line: 2, "the cell has errors, or a version of its own")
    }
    lines.append(commands)
    commandCount += script.steps.count
  }

  private mutating func file(_ name: String?, _ text: String) {
    guard let name, name.split(separator: "/").last == "train.py" else {
      keep(text, line: 2, "'\(name ?? "")' is not written; its text is kept as a comment")
      return
    }
    drawsFigures = text.contains("plot_figures") || text.contains("savefig")
    lines.append("# train.py is built in: its arguments are hyperparameters of the same names.")
    lines.append("# 'show all' lists them, 'help lr' explains one.")
  }

  /// Lines for a shell, from a cell of their own or behind `!`.
  mutating func shell(_ text: String, line: Int, all: String) {
    for words in ShellWords.commands(in: filled(text)) {
      if let place = words.firstIndex(where: { $0.split(separator: "/").last == "train.py" }) {
        train(Array(words[(place + 1)...]), line: line, kept: all)
      } else if Self.isInstallation(words) {
        lines.append("# nothing needs to be installed: \(Self.clean(words.joined(separator: " ")))")
      } else if let word = words.first,
        ["cd", "ls", "pwd", "echo", "nvidia-smi", "set"].contains(word)
      {
        lines.append(Self.keptMark + Self.clean(words.joined(separator: " ")))
      } else if ["wget", "curl"].contains(words.first),
        words.contains(where: { $0.contains("://") })
      {
        lines.append("# fetch it first: \(Self.clean(words.joined(separator: " ")))")
      } else {
        keep(words.joined(separator: " "), line: line, "a shell command")
      }
    }
  }

  private static func isInstallation(_ words: [String]) -> Bool {
    let tools = ["pip", "pip3", "conda", "mamba", "apt", "apt-get", "uv"]
    return words.prefix(4).contains("install") && words.prefix(3).contains(where: tools.contains)
  }

  /// Names in braces or behind `$`, which Jupyter fills in from Python.
  private func filled(_ text: String) -> String {
    text.replacing(#/\{(\w+)\}|\$\{(\w+)\}|\$(\w+)/#) { match in
      let name = match.1 ?? match.2 ?? match.3 ?? ""
      return constants[String(name)] ?? String(match.0)
    }
  }

  /// Remembers `NAME = "text"` or a number.
  mutating func remember(_ name: String, _ value: String) { constants[name] = value }

  /// The text that a Python expression stands for, if it is simple: in quotes, or a name.
  func text(of expression: Substring) -> String? {
    let bare = expression.trimmingPrefix(while: \.isWhitespace)
    if let quote = bare.first, "'\"".contains(quote) {
      return String(bare.dropFirst().prefix { $0 != quote })
    }
    return constants[String(bare.prefix { $0.isLetter || $0.isNumber || $0 == "_" })]
  }

  // MARK: Calls of train.py

  mutating func train(_ words: [String], line: Int, kept: String) {
    if let open = words.first(where: { $0.contains("{") || $0.contains("$") }) {
      return keep(kept, line: line, "what '\(open)' stands for is known only while Python runs")
    }
    let call = TrainPyCall(words)
    let dataLine: String
    let loadLine: String
    do {
      dataLine = try call.dataLine().get()
      loadLine = try call.loadLine(intent: intent).get()
    } catch {
      let hint = error.hint.map { "; \($0)" } ?? ""
      return keep(kept, line: line, error.message + hint)
    }
    for problem in call.problems { remark(problem, at: line) }
    lines.append("# train.py \(Self.clean(words.joined(separator: " ")))")
    if !intent, runs.isEmpty {
      if !call.isPretrained {
        lines.append("# without --pretrained: training begins with new weights")
      }
      if call.classes == nil {
        lines.append("# without --num-classes: the network keeps the classifier it comes with")
      }
    }
    let wanted = call.settings.first { $0.key == "seed" }?.value ?? "42"
    if seed != wanted { command("seed \(wanted)") }
    seed = wanted
    if data != dataLine { command(dataLine, line: line) }
    data = dataLine
    command(loadLine, line: line)
    python.loaded = nil
    let given = call.settings.filter { $0.key != "seed" }
    let left = settings.subtracting(given.map(\.key)).sorted()
    if !left.isEmpty { command("unset \(left.joined(separator: " "))") }
    if !given.isEmpty {
      command("set " + given.map { "\($0.key)=\($0.value)" }.joined(separator: " "))
    }
    settings = Set(given.map(\.key))
    let name = freeName(call.runName)
    runs.append(name)
    command("train name=\(name)")
    if drawsFigures { figures(of: name) }
  }

  private func freeName(_ name: String) -> String {
    var candidate = name
    var number = 2
    while runs.contains(candidate) {
      candidate = "\(name)-\(number)"
      number += 1
    }
    return candidate
  }

  /// The three figures of train.py, one set for each run.
  mutating func figures(of run: String? = nil) {
    let prefix = (run ?? runs.last).map { "\($0)-" } ?? ""
    for (metric, file) in [("train_loss", "loss"), ("top1", "top1"), ("top5", "top5")] {
      command("plot \(metric) > \(prefix)\(file).png")
    }
  }

  // MARK: Lines

  /// Whether data was loaded before.
  var hasData: Bool { data != nil }

  /// Adds a command, if the language takes it; a value out of a foreign file may be anything.
  mutating func command(_ text: String, line: Int? = nil) {
    do {
      _ = try Binder(vocabulary: CommandSet.table.vocabulary).bind(line: text)
      lines.append(text)
      commandCount += 1
    } catch {
      lines.append(Self.keptMark + Self.clean(text))
      let reason = error.diagnostics.first?.message ?? "it is no command"
      remark("kept as a comment: '\(Self.clean(text))' (\(reason))", at: line)
    }
  }

  mutating func say(_ comment: String) { lines.append("# " + Self.clean(comment)) }

  mutating func remark(_ message: String, at line: Int?) {
    remarks.append(Remark(cell: cell, line: line, message: message))
  }

  /// Keeps text of another language as a comment, and says so.
  mutating func keep(_ text: String, line: Int, _ reason: String) {
    lines += text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { Self.keptMark + Self.clean($0) }
    let first = text.split(separator: "\n").first.map(String.init) ?? ""
    let shown = first.count > 60 ? first.prefix(57) + "..." : first[...]
    remark("kept as a comment: '\(Self.clean(shown))' (\(reason))", at: line)
  }

  // MARK: Text

  /// The line that opens a cell.
  static func marker(
    _ title: String, isMarkdown: Bool = false, id: String? = nil, tags: [String] = []
  ) -> String {
    var words = ["# %%"]
    if !title.isEmpty { words.append(title) }
    if isMarkdown { words.append("[markdown]") }
    if let id { words.append("id=\"\(id)\"") }
    let plain = tags.map { $0.filter { !"\"\\,".contains($0) && !$0.isNewline } }
    if !plain.isEmpty { words.append("tags=\"\(plain.joined(separator: ","))\"") }
    return words.joined(separator: " ")
  }

  /// The first heading of a text, as the title of its cell.
  private static func heading(_ text: String) -> String {
    guard let line = text.split(separator: "\n").first, line.hasPrefix("#") else { return "" }
    let title = clean(line.drop { $0 == "#" }).trimmingCharacters(in: .whitespaces)
    // What looks like the end of a marker would be read as one.
    return title.contains("[") || title.contains("=") ? "" : title
  }

  /// Text as comment lines, which never look like the marker of a cell.
  static func comment(_ text: String) -> [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    while lines.last?.allSatisfy(\.isWhitespace) == true { lines.removeLast() }
    return lines.map { line in
      let clean = clean(line)
      let isMarker = clean.trimmingPrefix(while: { $0 == " " }).hasPrefix("%%")
      return clean.isEmpty ? "#" : isMarker ? "#  \(clean)" : "# \(clean)"
    }
  }

  /// Without escape sequences and characters that no line of text holds.
  static func clean(_ text: some StringProtocol) -> String {
    let plain = String(text).replacing(#/\u{1B}\[[0-9;?]*[A-Za-z]/#, with: "")
    return String(
      String.UnicodeScalarView(
        plain.unicodeScalars.filter {
          $0 == "\t" || $0.properties.generalCategory != .control
        }))
  }
}
