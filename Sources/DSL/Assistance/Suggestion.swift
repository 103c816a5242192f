/// Finds what somebody probably meant. Only near misses count: a far-fetched suggestion is worse
/// than none.
public enum Suggestion {
  /// The candidate closest to `word`, if it is close: one slip in a short word, two in a longer
  /// one, three from nine letters on. Letter case and `_` for `-` do not count.
  public static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
    let wanted = Array(normalizedName(word).lowercased())
    guard !wanted.isEmpty else { return nil }
    let allowed = wanted.count < 5 ? 1 : wanted.count < 9 ? 2 : 3
    var best: (distance: Int, candidate: String)?
    for candidate in candidates {
      let letters = Array(normalizedName(candidate).lowercased())
      guard abs(letters.count - wanted.count) <= allowed else { continue }
      let distance = editDistance(wanted, letters)
      // A one-letter candidate is one slip away from every letter.
      guard distance <= allowed, distance < letters.count else { continue }
      if distance < best?.distance ?? Int.max { best = (distance, candidate) }
    }
    return best?.candidate
  }

  /// `did you mean 'x'?`, or nil when nothing is close.
  public static func didYouMean(
    _ word: String, among candidates: some Sequence<String>
  ) -> String? {
    nearest(to: word, among: candidates).map { "did you mean '\($0)'?" }
  }

  /// The number of insertions, deletions, replacements and swaps of neighbours that turn one text
  /// into the other (Damerau-Levenshtein, optimal string alignment).
  ///
  /// - Complexity: O(*n*·*m*).
  public static func distance(_ first: String, _ second: String) -> Int {
    editDistance(Array(first), Array(second))
  }

  private static func editDistance(_ first: [Character], _ second: [Character]) -> Int {
    guard !first.isEmpty, !second.isEmpty else { return max(first.count, second.count) }
    var beforeLast = [Int](repeating: 0, count: second.count + 1)
    var last = Array(0...second.count)
    for row in 1...first.count {
      var current = [row]
      for column in 1...second.count {
        let same = first[row - 1] == second[column - 1]
        var cost = min(last[column] + 1, current[column - 1] + 1)
        cost = min(cost, last[column - 1] + (same ? 0 : 1))
        if row > 1, column > 1, first[row - 1] == second[column - 2],
          first[row - 2] == second[column - 1]
        {
          cost = min(cost, beforeLast[column - 2] + 1)
        }
        current.append(cost)
      }
      beforeLast = last
      last = current
    }
    return last[second.count]
  }
}
