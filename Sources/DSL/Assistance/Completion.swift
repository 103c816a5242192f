/// What the program knows that completion asks for.
public protocol CompletionProvider {
  /// The names in a domain of ``ValueKind/named(_:)``: models, runs, metrics. The domains
  /// `command` and `key` are known from the vocabulary; for `help` these are both, and what is
  /// given here (the topics) besides.
  func names(in domain: String) -> [Completion.Name]
  /// The paths that begin with `prefix` (as typed, quotes removed); directories end in `/`.
  func paths(startingWith prefix: String, role: ValueKind.PathRole) -> [String]
}

/// What may follow at the cursor: a pure function of the line, so that it can be tested without a
/// terminal.
public struct Completion: Hashable, Sendable {
  /// A name of a domain with a few words about it.
  public struct Name: Hashable, Sendable {
    /// The name.
    public let text: String
    /// A few words about it; may be empty.
    public let summary: String

    /// A name with a few words about it.
    public init(_ text: String, _ summary: String = "") {
      self.text = text
      self.summary = summary
    }
  }

  /// What a candidate is.
  public enum Kind: String, Hashable, Sendable {
    /// A verb.
    case command
    /// `key=`.
    case key
    /// A switch.
    case flag
    /// A value.
    case value
    /// A path.
    case path
    /// `${name}`.
    case parameter
  }

  /// One way to go on.
  public struct Candidate: Hashable, Sendable {
    /// What replaces the text in ``Completion/range``, quoted where needed.
    public let text: String
    /// A few words about it; may be empty.
    public let summary: String
    /// What it is.
    public let kind: Kind
    /// Whether a space may follow: not after `key=` or a directory.
    public let isComplete: Bool

    /// One way to go on.
    public init(text: String, summary: String, kind: Kind, isComplete: Bool) {
      self.text = text
      self.summary = summary
      self.kind = kind
      self.isComplete = isComplete
    }
  }

  /// The bytes of the line that a candidate replaces; they end at the cursor.
  public let range: SourceRange
  /// The ways to go on.
  public let candidates: [Candidate]

  /// What may follow at the cursor.
  ///
  /// - Parameters:
  ///   - line: the whole text typed so far.
  ///   - cursor: the offset of the cursor in UTF-8 bytes.
  ///   - scope: the names that `${name}` may mention.
  public static func complete(
    _ line: String, cursor: Int, vocabulary: Vocabulary, scope: Scope = Scope(),
    provider: any CompletionProvider
  ) -> Completion {
    var request = CompletionRequest(
      line: line, cursor: cursor, vocabulary: vocabulary, scope: scope, provider: provider)
    return request.answer()
  }
}
