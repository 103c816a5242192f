/// Python scripts in cells: the percent format of jupytext and of many editors, and what nbconvert
/// writes.
enum PercentScript {
  /// The cells of a script; one without markers is a single cell of code.
  static func cells(of text: String) -> [JupyterNotebook.Cell] {
    var cells: [JupyterNotebook.Cell] = []
    var kind = JupyterNotebook.Cell.Kind.code
    var lines: [Substring] = []
    func close() {
      let source = kind == .code ? lines.map(code) : lines.map(prose)
      let text = trimmed(source).joined(separator: "\n")
      if !text.isEmpty { cells.append(JupyterNotebook.Cell(kind: kind, source: text)) }
      lines = []
    }
    let normal = text.replacing("\r\n", with: "\n")
    for line in header(dropped: normal.split(separator: "\n", omittingEmptySubsequences: false)) {
      if let next = marker(line) {
        close()
        kind = next
      } else {
        lines.append(line)
      }
    }
    close()
    return cells
  }

  /// Without the first line for the shell and jupytext's header between `# ---` and `# ---`.
  private static func header(dropped lines: [Substring]) -> ArraySlice<Substring> {
    var rest = lines[...]
    if rest.first?.hasPrefix("#!") == true { rest = rest.dropFirst() }
    if rest.first == "# ---", let end = rest.dropFirst().firstIndex(of: "# ---") {
      rest = rest[(end + 1)...]
    }
    return rest
  }

  /// What kind of cell a line opens.
  private static func marker(_ line: Substring) -> JupyterNotebook.Cell.Kind? {
    if line.hasPrefix("# In["), line.hasSuffix("]:") { return .code }
    guard line.hasPrefix("# %%") || line.hasPrefix("#%%") else { return nil }
    if line.contains("[markdown]") || line.contains("[md]") { return .markdown }
    return line.contains("[raw]") ? .raw : .code
  }

  /// Magics stand behind `# `, so that the script is Python.
  private static func code(_ line: Substring) -> String {
    for prefix in ["# %", "# !"] where line.hasPrefix(prefix) { return String(line.dropFirst(2)) }
    return String(line)
  }

  private static func prose(_ line: Substring) -> String {
    line.hasPrefix("# ") ? String(line.dropFirst(2)) : line == "#" ? "" : String(line)
  }

  private static func trimmed(_ lines: [String]) -> [String] {
    let tail = lines.drop(while: \.isEmpty).reversed().drop(while: \.isEmpty)
    return tail.reversed()
  }
}
