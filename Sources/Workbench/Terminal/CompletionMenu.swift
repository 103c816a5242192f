/// What Tab does with a list of candidates: pure decisions, so that they can be tested without a
/// terminal.
struct CompletionMenu {
  /// The effect of one press.
  enum Action: Equatable {
    case nothing
    /// Replace the word: the only candidate, with its suffix.
    case insert(String)
    /// Replace the word by the longest common beginning of several candidates.
    case choose(prefix: String)
    /// No beginning in common beyond what is typed: list them.
    case show([CompletionCandidate])
  }

  let action: Action

  /// - Parameter typed: the part of the word before the cursor.
  init(_ candidates: [CompletionCandidate], typed: String) {
    guard let first = candidates.first else {
      action = .nothing
      return
    }
    if candidates.count == 1 {
      action = .insert(first.text + first.suffix)
      return
    }
    let prefix = candidates.dropFirst().reduce(first.text) { $0.commonPrefix(with: $1.text) }
    action =
      prefix.count > typed.count && prefix.hasPrefix(typed)
      ? .choose(prefix: prefix) : .show(candidates)
  }

  /// The candidates as lines ended by newlines: with their details one per line, without any in
  /// columns. Lists longer than `rows` lines say how many are left out.
  static func listing(_ candidates: [CompletionCandidate], columns: Int, rows: Int) -> String {
    let widest = candidates.map(\.text.displayWidth).max() ?? 0
    var lines: [String] = []
    if candidates.contains(where: { !$0.detail.isEmpty }) {
      let field = min(widest, max(12, columns / 2))
      lines = candidates.map { candidate in
        let name = candidate.text.padded(to: field, .left)
        return "  \(name)  \(candidate.detail)".truncated(to: max(1, columns - 1))
      }
    } else {
      let field = widest + 2
      let perLine = max(1, (columns - 1) / field)
      let height = (candidates.count + perLine - 1) / perLine
      lines = (0..<height).map { row in
        stride(from: row, to: candidates.count, by: height)
          .map { candidates[$0].text.padded(to: field, .left) }
          .joined()
      }
    }
    lines = lines.map { line in
      var line = line
      while line.last == " " { line.removeLast() }
      return line
    }
    if lines.count > rows {
      let left = lines.count - rows
      lines =
        lines.prefix(rows) + ["  … \(left) more line\(left == 1 ? "" : "s"); type more letters"]
    }
    return lines.map { $0 + "\n" }.joined()
  }
}

extension String {
  fileprivate func commonPrefix(with other: String) -> String {
    String(zip(self, other).prefix { $0 == $1 }.map { $0.0 })
  }
}
