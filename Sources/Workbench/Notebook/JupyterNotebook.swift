import DSL
import Foundation

/// A Jupyter notebook as far as an import needs it.
///
/// The forms 3 and 4 of the file are read; whatever is missing or of another type than it should be
/// is passed over, since many tools write notebooks.
struct JupyterNotebook: Equatable {
  /// One cell.
  struct Cell: Equatable {
    /// What a cell holds.
    enum Kind: Equatable { case code, markdown, raw }

    var kind: Kind
    /// The text, with line feeds alone between its lines.
    var source: String
    var tags: [String] = []
    /// The lines that running it printed.
    var printed: [String] = []
    /// The names of pictures within the text.
    var attachments: [String] = []
  }

  var cells: [Cell]

  /// A notebook of these cells.
  init(cells: [Cell]) { self.cells = cells }

  /// A notebook or a Python script in cells, by the ending of its name.
  ///
  /// - Throws: a failure with exit code 7 for a file that cannot be read, 3 for one that is no notebook.
  init(contentsOf url: URL, named name: String) throws {
    let data: Data
    do {
      data = try Data(contentsOf: url, options: .mappedIfSafe)
    } catch {
      let exists = FileManager.default.fileExists(atPath: url.path)
      throw CommandError(
        exists ? "cannot read \(name)" : "there is no file \(name)",
        hint: exists ? "is it a file, and may you read it?" : "check the path", argument: "file",
        exitCode: 7)
    }
    switch url.pathExtension.lowercased() {
    case "py":
      guard let text = String(data: data, encoding: .utf8) else {
        throw CommandError("\(name) is not text in UTF-8", argument: "file")
      }
      self.init(cells: PercentScript.cells(of: text))
    case "ipynb": try self.init(json: data, named: name)
    default:
      throw CommandError(
        "'\(name)' is neither a notebook (.ipynb) nor a Python script (.py)", argument: "file")
    }
  }

  /// A notebook from the bytes of its file.
  init(json data: Data, named name: String) throws {
    func refuse(_ reason: String, _ hint: String) -> CommandError {
      CommandError("\(name) is no notebook: \(reason)", hint: hint, argument: "file")
    }
    guard !data.isEmpty else {
      throw refuse("it is empty", "an interrupted download leaves such files; fetch it again")
    }
    // Some editors put the mark of UTF-8 in front.
    let mark = Data([0xEF, 0xBB, 0xBF])
    let bytes = data.starts(with: mark) ? data.dropFirst(mark.count) : data
    guard let value = try? JSONSerialization.jsonObject(with: Data(bytes)) else {
      throw refuse("it is not valid JSON", "open it in Jupyter, which names the place, and save it")
    }
    guard let root = value as? [String: Any] else {
      throw refuse("it is JSON, but no object", "is it really a notebook?")
    }
    if let cells = root["cells"] as? [Any] {
      self.init(cells: cells.compactMap(Self.cell))
    } else if let sheets = root["worksheets"] as? [Any] {
      self.init(
        cells: sheets.flatMap { sheet in
          (((sheet as? [String: Any])?["cells"] as? [Any]) ?? []).compactMap(Self.cell)
        })
    } else {
      throw refuse(
        "it has no cells", "is it really a notebook? 'jupyter nbconvert' brings old ones up to date"
      )
    }
  }

  private static func cell(_ value: Any) -> Cell? {
    guard let fields = value as? [String: Any], let kind = fields["cell_type"] as? String else {
      return nil
    }
    // Form 3 calls the text of code `input`.
    let source = text(fields["source"] ?? fields["input"])
    let metadata = fields["metadata"] as? [String: Any] ?? [:]
    var cell: Cell
    switch kind {
    case "code": cell = Cell(kind: .code, source: source)
    case "markdown": cell = Cell(kind: .markdown, source: source)
    case "heading":
      let level = min(max(fields["level"] as? Int ?? 1, 1), 6)
      cell = Cell(kind: .markdown, source: String(repeating: "#", count: level) + " " + source)
    default: cell = Cell(kind: .raw, source: source)
    }
    cell.tags = (metadata["tags"] as? [Any] ?? []).compactMap { $0 as? String }
    cell.attachments = (fields["attachments"] as? [String: Any] ?? [:]).keys.sorted()
    cell.printed = (fields["outputs"] as? [Any] ?? []).flatMap(printed)
    return cell
  }

  /// The lines of one output, if it is text.
  private static func printed(_ value: Any) -> [String] {
    guard let output = value as? [String: Any] else { return [] }
    let data = output["data"] as? [String: Any]
    switch output["output_type"] as? String {
    case "stream":
      // What went to standard error is progress and warnings.
      guard output["name"] as? String != "stderr", output["stream"] as? String != "stderr" else {
        return []
      }
      return lines(text(output["text"]))
    case "execute_result", "pyout": return lines(text(data?["text/plain"] ?? output["text"]))
    default: return []
    }
  }

  private static func lines(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
  }

  /// A text that is stored whole or as a list of its lines.
  private static func text(_ value: Any?) -> String {
    let whole: String
    switch value {
    case let text as String: whole = text
    case let lines as [Any]: whole = lines.compactMap { $0 as? String }.joined()
    default: whole = ""
    }
    return whole.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
  }
}
