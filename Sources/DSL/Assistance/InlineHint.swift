/// What is shown behind a line that is being typed: how it would go on.
public struct InlineHint: Hashable, Sendable {
  /// What is shown.
  public let text: String
  /// Whether it can be taken over as it is; otherwise it only tells what the command takes.
  public let isText: Bool

  /// The hint for a line with the cursor at its end; nil where there is nothing to say.
  ///
  /// The latest line of the history that begins like this one comes first, then the only word that
  /// completes it, then what the command still takes.
  public static func after(
    _ line: String, history: [String], vocabulary: Vocabulary, scope: Scope = Scope(),
    provider: any CompletionProvider
  ) -> InlineHint? {
    let typed = Array(line.utf8)
    guard line.contains(where: { !$0.isWhitespace }), !line.contains(where: \.isNewline) else {
      return nil
    }
    if let entry = history.last(where: { goesOn($0, from: typed) }) {
      return InlineHint(text: rest(of: entry, behind: typed.count), isText: true)
    }
    let completion = Completion.complete(
      line, cursor: typed.count, vocabulary: vocabulary, scope: scope, provider: provider)
    let word = Array(typed[completion.range.start...])
    if !word.isEmpty, completion.candidates.count == 1,
      goesOn(completion.candidates[0].text, from: word)
    {
      return InlineHint(
        text: rest(of: completion.candidates[0].text, behind: word.count), isText: true)
    }
    let request = CompletionRequest(
      line: line, cursor: typed.count, vocabulary: vocabulary, scope: scope, provider: provider)
    return request.expectation().map { InlineHint(text: $0, isText: false) }
  }

  private static func goesOn(_ text: String, from beginning: [UInt8]) -> Bool {
    text.utf8.count > beginning.count && text.utf8.starts(with: beginning)
      && !text.contains(where: \.isNewline)
  }

  private static func rest(of text: String, behind count: Int) -> String {
    String(decoding: text.utf8.dropFirst(count), as: UTF8.self)
  }
}
