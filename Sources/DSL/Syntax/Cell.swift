/// A stretch of a script between two cell markers.
public struct Cell: Hashable, Sendable {
  /// The number that people see, from 1; 0 for what stands before the first marker.
  public let number: Int
  /// The line that opens it; nil for what stands before the first marker.
  public let marker: CellMarker?
  /// What it holds, without its marker.
  public let items: [Item]
  /// From its marker up to the next one.
  public let range: SourceRange

  /// Its statements.
  public var statements: [Statement] {
    items.compactMap { if case .statement(let statement) = $0 { statement } else { nil } }
  }

  /// How messages name it: `cell 2 "Train"`, `the preamble`.
  public var label: String {
    guard let marker else { return "the preamble" }
    return marker.title.isEmpty ? "cell \(number)" : "cell \(number) \"\(marker.title)\""
  }
}

extension Script {
  /// How messages name the cell of that number: `cell 2 "Train"`; nil in a script without cells.
  public func label(ofCell number: Int) -> String? {
    let cells = cells
    guard cells.contains(where: { $0.marker != nil }) else { return nil }
    return cells.first { $0.number == number }?.label
  }

  /// The cells in order. What stands before the first marker is cell 0; it is left out when it
  /// is empty.
  public var cells: [Cell] {
    var cells: [Cell] = []
    var marker: CellMarker?
    var collected: [Item] = []
    var start = 0
    var number = 0
    func close(at end: Int) {
      guard marker != nil || !collected.isEmpty else { return }
      let range = SourceRange(start, max(start, end))
      cells.append(Cell(number: number, marker: marker, items: collected, range: range))
    }
    for item in items {
      if case .cell(let next) = item {
        close(at: next.range.start)
        marker = next
        collected = []
        start = next.range.start
        number += 1
      } else {
        collected.append(item)
      }
    }
    close(at: source.bytes.count)
    return cells
  }
}

extension Script {
  /// The comments on lines of their own that stand before a statement, by where the statement
  /// starts, each with its `#`.
  public var leadingComments: [Int: [String]] {
    var found: [Int: [String]] = [:]
    func walk(_ items: [Item]) {
      var pending: [String] = []
      for item in items {
        switch item {
        case .comment(let comment):
          let isFirstLine = comment.range.start == 0 && comment.text.hasPrefix("!")
          let text = "#\(comment.text)"
          let isHeader = CellDocument.headerRemarks.contains { text.hasPrefix($0) }
          if !comment.isTrailing, !isFirstLine, !isHeader { pending.append(text) }
        case .cell: pending = []
        case .statement(let statement):
          // What a loop says before its first command belongs to that.
          if case .loop(let loop) = statement {
            let inner = loop.body.lazy.compactMap {
              if case .statement(let first) = $0 { first } else { nil }
            }.first
            walk(loop.body)
            if let inner { found[inner.range.start] = pending + (found[inner.range.start] ?? []) }
          } else if !pending.isEmpty {
            found[statement.range.start] = pending
          }
          pending = []
        }
      }
    }
    walk(items)
    return found
  }
}
