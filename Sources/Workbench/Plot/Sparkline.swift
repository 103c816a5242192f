/// A curve in one line of text, for logs and tables.
enum Sparkline {
  /// One character per value; more values than `width` are averaged in groups. Values that are not
  /// finite leave a blank.
  static func text(_ values: [Double?], width: Int = 40, showsUnicode: Bool = true) -> String {
    let steps: [Character] =
      showsUnicode ? ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] : ["_", ".", "-", "=", "^"]
    let groups = grouped(values, into: max(1, width))
    let finite = groups.compactMap { $0 }
    guard let low = finite.min(), let high = finite.max() else {
      return String(repeating: " ", count: groups.count)
    }
    let cells: [Character] = groups.map { value in
      guard let value else { return " " }
      let fraction = high > low ? (value - low) / (high - low) : 0.5
      return steps[min(steps.count - 1, Int(fraction * Double(steps.count)))]
    }
    return String(cells)
  }

  private static func grouped(_ values: [Double?], into width: Int) -> [Double?] {
    let finite = values.map { $0.flatMap { $0.isFinite ? $0 : nil } }
    guard finite.count > width else { return finite }
    return (0..<width).map { index in
      let group = finite[(index * finite.count / width)..<((index + 1) * finite.count / width)]
      let present = group.compactMap { $0 }
      return present.isEmpty ? nil : present.reduce(0, +) / Double(present.count)
    }
  }
}
