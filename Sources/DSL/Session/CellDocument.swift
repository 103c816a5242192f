/// The cells of a session: what a person steps through, edits, moves and saves.
///
/// The first cell is the preamble, which has no marker and the number 0; it always exists.
public struct CellDocument: Hashable, Sendable {
  /// One cell.
  public struct Cell: Hashable, Sendable {
    /// What it is known by while it moves about; never used twice in a document.
    public let key: Int
    /// The title; empty for none.
    public var title = ""
    /// Its `id`.
    public var id: String?
    /// Its `tags`.
    public var tags: [String] = []
    /// Other `key="value"` pairs of its marker, which are kept as they are.
    public var attributes: [CellMarker.Attribute] = []
    /// Whether it holds text, not commands.
    public var isMarkdown = false
    /// Its lines, without the marker and without empty lines at either end.
    public var text = ""

    /// A cell that holds nothing.
    public init(key: Int) { self.key = key }

    /// The line that opens it.
    public var marker: String {
      var words = ["# %%"]
      if !title.isEmpty { words.append(title) }
      if isMarkdown { words.append("[markdown]") }
      var pairs: [(String, String)] = []
      if let id { pairs.append(("id", id)) }
      if !tags.isEmpty { pairs.append(("tags", tags.joined(separator: ","))) }
      pairs += attributes.map { ($0.key, $0.value) }
      words += pairs.map { key, value in
        let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\(key)=\"\(escaped)\""
      }
      return words.joined(separator: " ")
    }

    fileprivate func withKey(_ key: Int) -> Cell {
      var cell = Cell(key: key)
      (cell.title, cell.id, cell.tags, cell.attributes) = (title, id, tags, attributes)
      (cell.isMarkdown, cell.text) = (isMarkdown, text)
      return cell
    }

    /// The command lines, comments and blank lines left out.
    public var commandLines: [Substring] {
      text.split(separator: "\n").filter {
        let line = $0.drop(while: \.isWhitespace)
        return !line.isEmpty && line.first != "#"
      }
    }
  }

  /// The cells in order, the preamble first.
  public private(set) var cells = [Cell(key: 0)]
  private var nextKey = 1

  /// A document that holds nothing.
  public init() {}

  /// The document as a script, without what makes a file one.
  public var text: String {
    cells.enumerated().map { index, cell in
      let lines = index == 0 ? cell.text : "\(cell.marker)\n\(cell.text)"
      return lines.isEmpty ? "" : lines + "\n"
    }.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  /// The cells of a script, with keys that were given to them before.
  public init?(_ script: Script, keys: [Int]) {
    self.init(script)
    guard keys.count == cells.count else { return nil }
    cells = zip(cells, keys).map { $0.withKey($1) }
    nextKey = (keys.max() ?? 0) + 1
  }

  /// The cells of a script, with keys from `firstKey` on. What makes the file a script (its first line, the version, and what a
  /// former `save` said about itself) is left out; it is written anew.
  public init(_ script: Script, firstKey: Int = 0) {
    self.init(lines: script, firstKey: firstKey)
    cells[0].text = Self.withoutHeader(cells[0].text)
  }

  /// A key that no cell has had.
  public var unusedKey: Int { nextKey }

  /// Whether there is nothing in it.
  public var isEmpty: Bool { cells.count == 1 && cells[0].text.isEmpty }

  /// The place of a cell by its key; nil if it was dropped.
  public func index(ofKey key: Int) -> Int? { cells.firstIndex { $0.key == key } }

  /// The place of the cell that a user means: its number, its id, or its title.
  public func index(of name: String) -> Int? {
    if let number = Int(name) { return cells.indices.contains(number) ? number : nil }
    return cells.firstIndex { $0.id == name } ?? cells.firstIndex { $0.title == name }
      ?? cells.firstIndex { $0.title.lowercased() == name.lowercased() && !$0.title.isEmpty }
  }

  /// How messages name the cell at a place: `cell 2 "Train"`, `the preamble`.
  public func label(_ index: Int) -> String {
    if index == 0 { return "the preamble" }
    let title = cells[index].title
    return title.isEmpty ? "cell \(index)" : "cell \(index) \"\(title)\""
  }

  /// Adds a cell at the end.
  ///
  /// - Returns: its key.
  @discardableResult
  public mutating func append(
    title: String, id: String? = nil, tags: [String] = [], isMarkdown: Bool = false,
    attributes: [CellMarker.Attribute] = []
  ) -> Int {
    var cell = Cell(key: nextKey)
    (cell.title, cell.id, cell.tags, cell.attributes) = (title, id, tags, attributes)
    cell.isMarkdown = isMarkdown
    cells.append(cell)
    nextKey += 1
    return nextKey - 1
  }

  /// Adds the cell that a marker opens.
  ///
  /// - Returns: its key.
  @discardableResult
  public mutating func append(_ marker: CellMarker) -> Int {
    append(
      title: marker.title, id: marker.id, tags: marker.tags, isMarkdown: marker.isMarkdown,
      attributes: marker.attributes.filter { !["id", "tags"].contains($0.key) })
  }

  /// Adds lines at the end of the cell with a key.
  public mutating func add(_ text: String, toKey key: Int) {
    guard let index = index(ofKey: key), !text.isEmpty else { return }
    cells[index].text += cells[index].text.isEmpty ? text : "\n" + text
  }

  /// Replaces the lines of a cell. Markers in them open further cells behind it.
  ///
  /// - Parameter script: the new lines, parsed.
  public mutating func replace(_ index: Int, with script: Script) {
    let edited = CellDocument(lines: script, firstKey: nextKey)
    nextKey = edited.nextKey
    cells[index].text = edited.cells[0].text
    cells.insert(contentsOf: edited.cells.dropFirst(), at: index + 1)
  }

  /// Takes a cell out; the preamble is only emptied.
  public mutating func drop(_ index: Int) {
    if index == 0 { cells[0].text = "" } else { cells.remove(at: index) }
  }

  /// Moves a cell so that it stands at a place in the new order; neither may be the preamble's.
  public mutating func move(_ index: Int, to target: Int) {
    precondition(index > 0 && target > 0, "the preamble stays where it is")
    let cell = cells.remove(at: index)
    cells.insert(cell, at: min(target, cells.count))
  }

  /// Forgets the cells behind those that were there before; for an entry that failed.
  public mutating func truncate(toCount count: Int) {
    cells.removeLast(cells.count - count)
  }

  private init(lines script: Script, firstKey: Int) {
    cells = [Cell(key: firstKey)]
    nextKey = firstKey + 1
    var start = 0
    for case .cell(let marker) in script.items {
      setText(of: cells.count - 1, script, start, marker.range.start)
      append(marker)
      start = marker.range.end
    }
    setText(of: cells.count - 1, script, start, script.source.bytes.count)
  }

  private mutating func setText(of index: Int, _ script: Script, _ start: Int, _ end: Int) {
    let text = script.source.text(in: SourceRange(start, max(start, end)))
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      var line = line
      while line.last?.isWhitespace == true { line.removeLast() }
      return line
    }
    let kept = lines.drop { $0.isEmpty }.reversed().drop { $0.isEmpty }.reversed()
    cells[index].text = kept.joined(separator: "\n")
  }

  /// The preamble without `#!`, `version` and the remarks of ``header(_:)``.
  private static func withoutHeader(_ text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let kept = lines.enumerated().filter { index, line in
      if index == 0, line.hasPrefix("#!") { return false }
      if line.hasPrefix("version "), Int(line.dropFirst(8).prefix { $0 != " " }) != nil {
        return false
      }
      return !headerRemarks.contains { line.hasPrefix($0) }
    }.map(\.element)
    return kept.drop { $0.isEmpty }.joined(separator: "\n")
  }

  /// How the lines begin that `save` writes about the file itself.
  public static let headerRemarks = ["# saved ", "# kept: ", "# env: "]
}
