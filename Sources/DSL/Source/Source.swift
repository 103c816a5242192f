/// A half-open range of UTF-8 offsets into the text of a ``Source``.
public struct SourceRange: Hashable, Sendable {
  /// The offset of the first byte.
  public var start: Int
  /// The offset after the last byte; equal to `start` for a point between two characters.
  public var end: Int

  /// The range from `start` up to, but without, `end`.
  public init(_ start: Int, _ end: Int) {
    precondition(start <= end, "a source range ends before it starts")
    self.start = start
    self.end = end
  }

  /// The number of bytes in the range.
  public var count: Int { end - start }

  /// Whether the range holds no byte.
  public var isEmpty: Bool { start == end }

  /// The smallest range that holds both this one and `other`.
  public func union(_ other: SourceRange) -> SourceRange {
    SourceRange(min(start, other.start), max(end, other.end))
  }

  /// Whether the byte at `offset` lies in the range.
  public func contains(_ offset: Int) -> Bool { start <= offset && offset < end }
}

/// A position as people count it: both numbers start at 1, columns count characters.
public struct SourceLocation: Hashable, Sendable {
  /// The line, from 1.
  public let line: Int
  /// The column in characters (not bytes), from 1.
  public let column: Int
}

/// A text with a name: a script file, standard input, or one line typed at the prompt.
public struct Source: Sendable {
  /// What error messages call the text: a path, `<stdin>`, `<prompt>`.
  public let name: String
  /// The whole text.
  public let text: String
  /// The text in UTF-8, which every ``SourceRange`` counts in.
  let bytes: [UInt8]
  /// The offset at which each line starts.
  let lineStarts: [Int]

  /// A text under the name that error messages give it.
  public init(name: String, text: String) {
    self.name = name
    self.text = text
    bytes = Array(text.utf8)
    var starts = [0]
    for (offset, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
      starts.append(offset + 1)
    }
    lineStarts = starts
  }

  /// The number of lines; a final line break does not open another one.
  public var lineCount: Int {
    let endsWithBreak = lineStarts.count > 1 && lineStarts.last == bytes.count
    return endsWithBreak ? lineStarts.count - 1 : lineStarts.count
  }

  /// The line, from 1, that the byte at `offset` belongs to.
  ///
  /// - Complexity: O(log *n*) in the number of lines.
  public func line(at offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return low + 1
  }

  /// The line and the column, in characters, of the byte at `offset`.
  public func location(of offset: Int) -> SourceLocation {
    let offset = min(max(0, offset), bytes.count)
    let line = line(at: offset)
    let before = text(in: SourceRange(lineStarts[line - 1], offset))
    return SourceLocation(line: line, column: before.count + 1)
  }

  /// The text of a range; offsets outside the text are moved to its ends.
  public func text(in range: SourceRange) -> String {
    let start = min(max(0, range.start), bytes.count)
    let end = min(max(start, range.end), bytes.count)
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  /// The bytes of one line (from 1) without its line break.
  public func rangeOfLine(_ line: Int) -> SourceRange {
    let start = lineStarts[line - 1]
    var end = line < lineStarts.count ? lineStarts[line] - 1 : bytes.count
    if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    return SourceRange(start, end)
  }

  /// The place of `offset` in the form `name:line:column`.
  public func describe(_ offset: Int) -> String {
    let place = location(of: offset)
    return "\(name):\(place.line):\(place.column)"
  }
}
