extension String {
  /// The number of terminal cells the text takes: escape sequences and combining marks take none,
  /// East Asian wide characters and emoji take two.
  var displayWidth: Int {
    var width = 0
    var scalars = unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
      if scalar == "\u{1B}" {
        // Skip one control sequence: ESC [ parameters final-byte.
        guard scalars.next() == "[" else { continue }
        while let next = scalars.next(), !("\u{40}"..."\u{7E}" ~= next) {}
        continue
      }
      width += scalar.displayWidth
    }
    return width
  }

  /// The text padded with spaces to `width` cells.
  func padded(to width: Int, _ alignment: Table.Alignment) -> String {
    let space = String(repeating: " ", count: Swift.max(0, width - displayWidth))
    return alignment == .left ? self + space : space + self
  }

  /// The text cut to `width` cells, with `mark` in place of what is missing. Escape sequences are
  /// not understood: cut before coloring.
  func truncated(to width: Int, mark: Character = "…") -> String {
    guard displayWidth > width else { return self }
    guard width > 1 else { return width == 1 ? String(mark) : "" }
    var kept = ""
    var used = 0
    for character in self {
      let next = String(character).displayWidth
      if used + next > width - 1 { break }
      kept.append(character)
      used += next
    }
    return kept + String(mark)
  }
}

extension Unicode.Scalar {
  fileprivate var displayWidth: Int {
    switch value {
    case 0..<0x20, 0x7F..<0xA0: return 0
    case 0x20..<0x300: return 1
    default: break
    }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    switch value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
      0xA000...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
      0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,
      0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }
}
