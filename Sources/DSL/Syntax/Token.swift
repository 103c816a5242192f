/// The smallest piece of a script that means something.
public struct Token: Hashable, Sendable {
  /// What a token is.
  public enum Kind: Hashable, Sendable {
    /// Text without quotes: a verb, a number, a path, `top1,top5`, `s-${data}`.
    case word([Segment])
    /// Text in double quotes.
    case string([Segment])
    /// The name before `=` where the two touch: `lr=`. Its range leaves the `=` out.
    case key(String)
    /// `--name` or `-n`, without the dashes.
    case flag(String)
    /// A comparator between spaces, `>` among them.
    case comparator(Comparator)
    /// An `=` that does not touch a name before it.
    case equals
    /// `[`
    case leftBracket
    /// `]`
    case rightBracket
    /// A comma inside brackets.
    case comma
    /// `{`
    case leftBrace
    /// `}`
    case rightBrace
    /// `;`
    case semicolon
    /// A line break that ends a command.
    case newline
    /// `#` and the rest of the line, without `#`.
    case comment(String)
    /// `# %%` and the rest of the line, without `# %%`.
    case cell(String)
    /// `!` at the beginning of a command and the rest of the line, without `!`.
    case shell(String)
    /// The end of the text.
    case end
  }

  /// What it is.
  public let kind: Kind
  /// Where it stands.
  public let range: SourceRange
  /// Whether a space, or the beginning of a line, precedes it.
  public let hasSpaceBefore: Bool
}
