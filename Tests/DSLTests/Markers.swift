import DSL
import Testing

/// A text with the places that markers (1️⃣, 2️⃣ …) stood at, the markers taken out.
struct MarkedText {
  let text: String
  let places: [Int]

  init(_ marked: String) {
    var text = ""
    var places: [Int: Int] = [:]
    for character in marked {
      if let number = Self.markers.firstIndex(of: character) {
        places[number] = text.utf8.count
      } else {
        text.append(character)
      }
    }
    self.text = text
    self.places = places.sorted { $0.key < $1.key }.map(\.value)
  }

  private static let markers: [Character] = ["1️⃣", "2️⃣", "3️⃣", "4️⃣", "5️⃣", "6️⃣"]
}

/// What a diagnostic should be: its code, and the markers between which it stands.
struct Finding: Hashable, CustomStringConvertible {
  let code: String
  let start: Int
  let end: Int
  var description: String { "\(code)@\(start)..<\(end)" }
}

/// Checks that a marked text gives exactly these diagnostics. Each code is paired with two
/// markers, in order.
func expectFindings(
  _ marked: String, _ codes: [Diagnostic.Code], as mode: Checker.Mode = .inline,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let text = MarkedText(marked)
  let wanted = codes.enumerated().map { index, code in
    Finding(code: code.rawValue, start: text.places[2 * index], end: text.places[2 * index + 1])
  }
  let found = Fake.check(text.text, as: mode).diagnostics.map {
    Finding(code: $0.code, start: $0.range?.start ?? -1, end: $0.range?.end ?? -1)
  }
  #expect(found == wanted, sourceLocation: sourceLocation)
}

typealias SourceLocation = Testing.SourceLocation
