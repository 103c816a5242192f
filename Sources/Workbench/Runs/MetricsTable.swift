import Foundation

/// The numbers of a metrics file, by column name.
///
/// It reads our metrics.csv and the CSV logs of other tools: timm's summary.csv, which may repeat its
/// header, Keras's with any separator, Lightning's with its sparse rows. A last line that a crash
/// tore is left out.
struct MetricsTable: Equatable {
  /// The names in the header.
  let columns: [String]
  /// One array per row, as long as `columns`; nil where a field is blank or no number.
  let rows: [[Double?]]

  init(columns: [String], rows: [[Double?]]) {
    self.columns = columns
    self.rows = rows
  }

  /// Reads a file.
  /// - Throws: an error of the file system when the file cannot be read.
  init(contentsOf url: URL) throws {
    self.init(text: String(decoding: try Data(contentsOf: url), as: UTF8.self))
  }

  /// Reads the text of a file.
  init(text: String) {
    // Python's csv module ends lines with CR LF, which is one character.
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    // What stands after the last line's end is a torn line, or nothing.
    lines.removeLast()
    let separator = Self.separator(of: lines.first ?? "")
    let table = lines.map { Self.fields($0, separator: separator) }
    guard let header = table.first else {
      self.init(columns: [], rows: [])
      return
    }
    let rows = table.dropFirst().filter { $0 != header && $0.count == header.count }
      .map { $0.map { Double($0).flatMap { $0.isFinite ? $0 : nil } } }
    self.init(columns: header, rows: rows)
  }

  /// The values of a column, nil where they are missing; nil when there is no such column.
  subscript(column: String) -> [Double?]? {
    guard let index = columns.firstIndex(of: column) else { return nil }
    return rows.map { $0[index] }
  }

  /// The most frequent of the characters that tools put between fields.
  private static func separator(of header: Substring) -> Character {
    let candidates: [Character] = [",", ";", "\t"]
    let counts = candidates.map { candidate in header.count { $0 == candidate } }
    let most = counts.max() ?? 0
    return zip(candidates, counts).first { $0.1 == most }?.0 ?? ","
  }

  /// The fields of a line; quotes (RFC 4180) protect separators.
  private static func fields(_ line: Substring, separator: Character) -> [String] {
    guard line.contains("\"") else {
      return line.split(separator: separator, omittingEmptySubsequences: false)
        .map { String($0.trimmingPrefix(" ")) }
    }
    var fields = [""]
    var isQuoted = false
    for character in line {
      if character == "\"" {
        isQuoted.toggle()
      } else if character == separator, !isQuoted {
        fields.append("")
      } else {
        fields[fields.count - 1].append(character)
      }
    }
    return fields
  }
}
