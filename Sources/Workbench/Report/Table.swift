/// A table as a value: aligned text for people, CSV and JSON for programs, from the same rows.
struct Table: Sendable, Equatable {
  /// Where a column's text stands.
  enum Alignment: Sendable { case left, right }

  /// One column: its heading for people and its key for programs.
  struct Column: Sendable, Equatable {
    var title: String
    var key: String
    var alignment: Alignment
    /// Columns are never narrower than this, so that rows printed one by one stay aligned.
    var minimumWidth: Int
    /// Cells kept free for marks when rows are printed one by one.
    var markWidth: Int

    /// - Parameter key: the name in JSON and CSV; the title with `_` for spaces if not given.
    init(
      _ title: String, key: String? = nil, _ alignment: Alignment = .left, minimumWidth: Int = 0,
      markWidth: Int = 0
    ) {
      self.title = title
      self.key = key ?? String(title.map { $0 == " " ? "_" : $0 })
      self.alignment = alignment
      self.minimumWidth = minimumWidth
      self.markWidth = markWidth
    }
  }

  /// One cell: a value for programs, its text for people, and a mark (`*` on the best).
  struct Cell: Sendable, Equatable {
    var value: ReportValue
    var text: String
    var mark: String
    var role: Style.Role?

    init(_ value: ReportValue, text: String, mark: String = "", role: Style.Role? = nil) {
      self.value = value
      self.text = text
      self.mark = mark
      self.role = role
    }

    /// Text, the same for people and programs.
    init(_ text: String, role: Style.Role? = nil) {
      self.init(.text(text), text: text, role: role)
    }

    /// A whole number.
    init(_ value: Int) {
      self.init(.integer(value), text: String(value))
    }

    /// A number shown with a fixed count of decimals; blank if there is none.
    init(_ value: Double?, decimals: Int, mark: String = "", role: Style.Role? = nil) {
      self.init(
        value.map { .real($0) } ?? .missing,
        text: value.map { NumberText.fixed($0, decimals) } ?? "",
        mark: mark, role: role)
    }

    /// A span of time in seconds.
    init(seconds: Double?) {
      self.init(
        seconds.map { .real($0) } ?? .missing, text: seconds.map(NumberText.duration) ?? "")
    }

    /// No value.
    static let blank = Cell(.missing, text: "")
  }

  var columns: [Column]
  var rows: [[Cell]]

  /// - Parameter rows: each as long as `columns`, or shorter: the rest is blank.
  init(_ columns: [Column], rows: [[Cell]] = []) {
    self.columns = columns
    self.rows = rows
  }

  // MARK: For people

  /// The whole table as aligned lines, each ended by a newline.
  ///
  /// - Parameter width: the terminal's width: wider tables lose the end of their widest
  ///   left-aligned column. `nil` keeps everything.
  func text(style: Style = .plain, width: Int? = nil) -> String {
    let widths = columnWidths(fitting: width)
    var lines = [headerLine(widths: widths, style: style)]
    lines += rows.map { line($0, widths: widths, style: style) }
    return lines.map { $0 + "\n" }.joined()
  }

  /// The heading alone, for tables whose rows appear one by one; widths are the columns' minimum.
  func headerLine(style: Style = .plain) -> String {
    headerLine(widths: streamingWidths, style: style)
  }

  /// One row alone, aligned with ``headerLine(style:)``.
  func line(_ row: [Cell], style: Style = .plain) -> String {
    line(row, widths: streamingWidths, style: style)
  }

  private var streamingWidths: [Int] {
    columns.map { max($0.minimumWidth, $0.title.displayWidth) + $0.markWidth }
  }

  /// Marks stand in a column of their own, so that digits stay aligned under one another.
  private func markWidth(_ index: Int) -> Int {
    let used = rows.map { index < $0.count ? $0[index].mark.displayWidth : 0 }.max() ?? 0
    return max(used, columns[index].markWidth)
  }

  private func columnWidths(fitting limit: Int?) -> [Int] {
    var widths = columns.indices.map { index in
      let cells = rows.map { index < $0.count ? $0[index].text.displayWidth : 0 }
      let column = columns[index]
      return max(column.title.displayWidth, column.minimumWidth, cells.max() ?? 0)
        + markWidth(index)
    }
    guard let limit else { return widths }
    let total = widths.reduce(0, +) + 2 * max(0, widths.count - 1)
    let flexible = columns.indices.filter { columns[$0].alignment == .left }
    if total > limit, let widest = flexible.max(by: { widths[$0] < widths[$1] }) {
      widths[widest] = max(8, widths[widest] - (total - limit))
    }
    return widths
  }

  private func headerLine(widths: [Int], style: Style) -> String {
    var fields: [String] = []
    for (index, column) in columns.enumerated() {
      let room = max(1, widths[index] - markWidth(index))
      let field = column.title.truncated(to: room).padded(to: room, column.alignment)
      fields.append(field.padded(to: widths[index], .left))
    }
    return style(trimmed(fields.joined(separator: "  ")), .strong)
  }

  private func line(_ row: [Cell], widths: [Int], style: Style) -> String {
    var fields: [String] = []
    for (index, column) in columns.enumerated() {
      let cell = index < row.count ? row[index] : .blank
      let marks = markWidth(index)
      let shown = cell.text.truncated(to: max(1, widths[index] - marks))
      let colored = cell.role.map { style(shown, $0) } ?? shown
      let field = colored.padded(to: widths[index] - marks, column.alignment)
      fields.append((field + cell.mark).padded(to: widths[index], .left))
    }
    return trimmed(fields.joined(separator: "  "))
  }

  private func trimmed(_ line: String) -> String {
    var line = line
    while line.last == " " { line.removeLast() }
    return line
  }

  // MARK: For programs

  /// RFC 4180 text with one header line; missing values are blank.
  var csv: String {
    var lines = [columns.map { ReportValue.csvField($0.key) }.joined(separator: ",")]
    for row in rows {
      let fields = columns.indices.map { $0 < row.count ? row[$0].value.csv : "" }
      lines.append(fields.joined(separator: ","))
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// One JSON array of objects, a row per line, keys sorted.
  var json: String {
    rows.isEmpty
      ? "[]\n" : "[\n" + records.map { "  " + $0.json }.joined(separator: ",\n") + "\n]\n"
  }

  /// One JSON object per line (JSON Lines).
  var jsonLines: String {
    records.map { $0.json + "\n" }.joined()
  }

  private var records: [ReportValue] {
    rows.map { row in
      var fields: [String: ReportValue] = [:]
      for (index, column) in columns.enumerated() {
        fields[column.key] = index < row.count ? row[index].value : .missing
      }
      return .record(fields)
    }
  }
}
