/// How many terminal columns characters take.
///
/// The standard library has no East Asian width property, so the wide blocks are listed here; the
/// emoji come from Unicode's own properties.
enum TextWidth {
  /// The columns that a text takes, without tabs and control characters.
  static func of(_ text: some StringProtocol) -> Int {
    text.reduce(0) { $0 + of($1) }
  }

  /// The columns that one character takes: 0, 1 or 2.
  static func of(_ character: Character) -> Int {
    guard let first = character.unicodeScalars.first else { return 0 }
    if first.isASCII { return first.properties.isControl ? 0 : 1 }
    if first.properties.isZeroWidth { return 0 }
    if first.properties.isEmojiPresentation { return 2 }
    // A text symbol followed by the emoji variation selector is drawn as an emoji.
    if character.unicodeScalars.contains("\u{FE0F}") { return 2 }
    return wideBlocks.contains { $0.contains(first.value) } ? 2 : 1
  }

  private static let wideBlocks: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
    0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
    0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x17000...0x18AFF, 0x1B000...0x1B2FF, 0x20000...0x3FFFD,
  ]
}

extension Unicode.Scalar.Properties {
  fileprivate var isControl: Bool { generalCategory == .control }

  fileprivate var isZeroWidth: Bool {
    switch generalCategory {
    case .control, .format, .nonspacingMark, .enclosingMark: true
    default: false
    }
  }
}
