/// The names that differ little from a mistyped one, the closest first and at most three.
func closestNames(to name: String, among known: [String]) -> [String] {
  let contained = known.filter { !name.isEmpty && $0.contains(name) }
  if !contained.isEmpty { return Array(contained.prefix(3)) }
  let scored = known.map { ($0, editDistance(name, $0)) }.filter { $0.1 <= 4 }
  return scored.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.prefix(3).map(\.0)
}

/// How many bytes must be inserted, removed or replaced to make one text the other (Levenshtein).
private func editDistance(_ first: String, _ second: String) -> Int {
  let a = Array(first.utf8.prefix(64))
  let b = Array(second.utf8)
  var previous = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var row = [i + 1]
    for (j, y) in b.enumerated() {
      row.append(min(row[j] + 1, previous[j + 1] + 1, previous[j] + (x == y ? 0 : 1)))
    }
    previous = row
  }
  return previous[b.count]
}
