/// Colours and weights of text for people: the one place that knows escape sequences for looks.
///
/// A style that is off returns its input unchanged, so callers never ask "colour or not".
struct Style: Sendable, Equatable {
  /// What the user asked for on the command line (`--color=…`).
  enum Choice: String, Sendable, CaseIterable {
    case auto, always, never
  }

  /// What a piece of text means; the looks follow from it.
  enum Role: Sendable, CaseIterable {
    case error, warning, success, strong, faint, accent, source

    fileprivate var code: String {
      switch self {
      case .error: "1;31"
      case .warning: "33"
      case .success: "32"
      case .strong: "1"
      case .faint: "2"
      case .accent: "36"
      case .source: "34"
      }
    }
  }

  /// Whether escape sequences are written at all.
  let isColored: Bool

  /// A style that never writes an escape sequence.
  static let plain = Style(isColored: false)

  init(isColored: Bool) {
    self.isColored = isColored
  }

  /// Decides by the usual rules: an explicit choice wins; otherwise colour needs a terminal that
  /// is not `dumb`, and `NO_COLOR` (any non-empty value) turns it off.
  init(choice: Choice = .auto, isTerminal: Bool, environment: [String: String]) {
    switch choice {
    case .always: isColored = true
    case .never: isColored = false
    case .auto:
      let term = environment["TERM"] ?? ""
      let refused = !(environment["NO_COLOR"] ?? "").isEmpty
      isColored = isTerminal && !refused && !term.isEmpty && term != "dumb"
    }
  }

  /// The text in the looks of its role.
  func callAsFunction(_ text: String, _ role: Role) -> String {
    isColored && !text.isEmpty ? "\u{1B}[\(role.code)m\(text)\u{1B}[0m" : text
  }
}
