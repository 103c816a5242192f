/// In what two lists of lines differ, as `diff -u` shows it.
struct TextDifference {
  /// A line of the comparison.
  private enum Line: Equatable {
    case same(String), removed(String), added(String)
  }

  private var lines: [Line] = []

  /// Compares two lists by their longest common subsequence.
  init(_ old: [String], _ new: [String]) {
    let difference = new.difference(from: old)
    var removed: Set<Int> = []
    var added: Set<Int> = []
    for change in difference {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): added.insert(offset)
      }
    }
    var (from, to) = (0, 0)
    while from < old.count || to < new.count {
      if from < old.count, removed.contains(from) {
        lines.append(.removed(old[from]))
        from += 1
      } else if to < new.count, added.contains(to) {
        lines.append(.added(new[to]))
        to += 1
      } else {
        lines.append(.same(new[to]))
        from += 1
        to += 1
      }
    }
  }

  /// Whether the lists are equal.
  var isEmpty: Bool { lines.allSatisfy { if case .same = $0 { true } else { false } } }

  /// The changed lines with two lines of their surroundings.
  func text(_ old: String, _ new: String, style: Style) -> String {
    var shown: [String] = []
    var last = -1
    for (index, line) in lines.enumerated() {
      let near = lines[max(0, index - 2)...min(lines.count - 1, index + 2)]
      guard near.contains(where: { if case .same = $0 { false } else { true } }) else { continue }
      if index > last + 1 { shown.append(style("...", .faint)) }
      last = index
      switch line {
      case .same(let text): shown.append("  " + text)
      case .removed(let text): shown.append(style("- " + text, .error))
      case .added(let text): shown.append(style("+ " + text, .success))
      }
    }
    return (["--- \(old)", "+++ \(new)"] + shown).map { $0 + "\n" }.joined()
  }
}
