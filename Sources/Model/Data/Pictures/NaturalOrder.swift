/// The order in which people and timm sort names: `image2` before `image10`, capitals like small
/// letters.
///
/// It is that of timm's `natural_key`, which compares the text between the numbers by code points
/// and the numbers by value. Names that are equal by these rules follow each other by their bytes,
/// so that the order is the same on every machine.
struct NaturalName: Comparable {
  /// The name as it is.
  let name: String
  private let folded: [UInt8]

  init(_ name: String) {
    self.name = name
    folded = Array(name.lowercased().utf8)
  }

  static func == (first: NaturalName, second: NaturalName) -> Bool {
    first.name.utf8.elementsEqual(second.name.utf8)
  }

  static func < (first: NaturalName, second: NaturalName) -> Bool {
    let (a, b) = (first.folded, second.folded)
    var (i, j) = (0, 0)
    while i < a.count, j < b.count {
      switch (isDigit(a[i]), isDigit(b[j])) {
      case (true, true):
        let (left, right) = (number(a, &i), number(b, &j))
        if left.count != right.count { return left.count < right.count }
        if !left.elementsEqual(right) { return left.lexicographicallyPrecedes(right) }
      case (false, false):
        if a[i] != b[j] { return a[i] < b[j] }
        i += 1
        j += 1
      // The text of one side ends here: it is the beginning of the other's.
      case (let isFirst, _): return isFirst
      }
    }
    if i < a.count || j < b.count { return i == a.count }
    return first.name.utf8.lexicographicallyPrecedes(second.name.utf8)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

  /// The digits from `start` without leading zeros; `start` moves behind them.
  private static func number(_ text: [UInt8], _ start: inout Int) -> ArraySlice<UInt8> {
    let first = start
    while start < text.count, isDigit(text[start]) { start += 1 }
    return text[first..<start].drop { $0 == 48 }
  }
}
