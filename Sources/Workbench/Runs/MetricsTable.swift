import Foundation

/// The numbers of a metrics file, by column name.
///
/// It reads our metrics.csv and timm's summary.csv, which repeats its header. A last line that a
/// crash tore is left out.
struct MetricsTable: Equatable {
  /// The names in the header.
  let columns: [String]
  /// One array per row, as long as `columns`; nil where a field is blank or no number.
  let rows: [[Double?]]

  /// Reads a file.
  /// - Throws: an error of the file system when the file cannot be read.
  init(contentsOf url: URL) throws {
    self.init(text: String(decoding: try Data(contentsOf: url), as: UTF8.self))
  }

  /// Reads the text of a file.
  init(text: String) {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    // What stands after the last line's end is a torn line, or nothing.
    lines.removeLast()
    let table = lines.map { line in
      line.split(separator: ",", omittingEmptySubsequences: false)
        .map { String($0.trimmingPrefix(" ")).replacing("\r", with: "") }
    }
    guard let header = table.first else {
      columns = []
      rows = []
      return
    }
    columns = header
    rows = table.dropFirst()
      .filter { $0 != header && $0.count == header.count }
      .map { $0.map { Double($0).flatMap { $0.isFinite ? $0 : nil } } }
  }

  /// The values of a column, nil where they are missing; nil when there is no such column.
  subscript(column: String) -> [Double?]? {
    guard let index = columns.firstIndex(of: column) else { return nil }
    return rows.map { $0[index] }
  }
}
