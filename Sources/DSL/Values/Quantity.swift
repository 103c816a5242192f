/// Reads numbers with their units. Each function returns nil for a text that is not one.
enum Quantity {
  /// A finite number, with an optional `%`: `1e-3`, `.5`, `50%`.
  static func number(_ text: some StringProtocol) -> Double? {
    if text.last == "%" { return plain(text.dropLast()).map { $0 / 100 } }
    return plain(text)
  }

  /// A whole number, with an optional `k` (thousand) or `M` (million): `12`, `+10`, `64k`.
  static func integer(_ text: some StringProtocol) -> Int? {
    if let number = Int(text) { return number }
    let factors: [Character: Int] = ["k": 1000, "K": 1000, "M": 1_000_000]
    guard let last = text.last, let factor = factors[last], let number = plain(text.dropLast())
    else { return nil }
    return whole(number * Double(factor))
  }

  /// Seconds: `90`, `1.5h`, `1h30m`, `500ms`. Units descend and none occurs twice.
  static func duration(_ text: some StringProtocol) -> Double? {
    if let seconds = plain(text) { return seconds >= 0 ? seconds : nil }
    let units: [(name: String, seconds: Double)] = [
      ("d", 86400), ("h", 3600), ("m", 60), ("s", 1), ("ms", 0.001),
    ]
    var rest = Substring(text)
    var total = 0.0
    var nextUnit = 0
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(digits.count)
      let letters = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(letters.count)
      guard let count = plain(digits),
        let unit = units.firstIndex(where: { $0.name == letters }), unit >= nextUnit
      else { return nil }
      total += count * units[unit].seconds
      nextUnit = unit + 1
    }
    return nextUnit > 0 ? total : nil
  }

  /// Bytes, in powers of 1024: `512`, `64k`, `1.5G`, `2GiB`.
  static func size(_ text: some StringProtocol) -> Int? {
    var letters = String(text.drop { $0.isASCII && ($0.isNumber || $0 == ".") })
    let digits = text.dropLast(letters.count)
    if letters.hasSuffix("iB") {
      letters.removeLast(2)
    } else if letters.hasSuffix("B") {
      letters.removeLast()
    }
    let factors = ["": 0, "k": 10, "K": 10, "M": 20, "G": 30, "T": 40]
    guard let shift = factors[letters], let number = plain(digits) else { return nil }
    return whole(number * Double(1 << shift))
  }

  /// `from..to` with either end missing; a single number stands for both ends.
  static func interval(_ text: some StringProtocol) -> (lower: Double?, upper: Double?)? {
    let characters = Array(text)
    guard
      let dots = characters.indices.dropLast().first(where: {
        characters[$0] == "." && characters[$0 + 1] == "."
      })
    else { return number(text).map { ($0, $0) } }
    let left = String(characters[..<dots])
    let right = String(characters[(dots + 2)...])
    let lower = number(left)
    let upper = number(right)
    guard left.isEmpty || lower != nil, right.isEmpty || upper != nil else { return nil }
    guard lower != nil || upper != nil else { return nil }
    if let lower, let upper, lower > upper { return nil }
    return (lower, upper)
  }

  /// A finite decimal number; unlike `Double.init`, no `nan`, `inf` or hexadecimal.
  private static func plain(_ text: some StringProtocol) -> Double? {
    let allowed = text.allSatisfy { $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }
    guard allowed, text.contains(where: \.isNumber), let number = Double(String(text)),
      number.isFinite
    else { return nil }
    return number
  }

  private static func whole(_ number: Double) -> Int? {
    guard number == number.rounded(), abs(number) < 9e18 else { return nil }
    return Int(number)
  }
}
