/// What kind of value a parameter takes: this one declaration drives parsing, checking, messages,
/// help and completion.
public indirect enum ValueKind: Hashable, Sendable {
  /// A whole number: `12`, `64k`.
  case integer(Bounds = .any)
  /// A number: `0.5`, `1e-3`, `50%`.
  case number(Bounds = .any)
  /// `on` or `off`.
  case boolean
  /// A short name without spaces.
  case word
  /// Any text.
  case text
  /// A file or a directory.
  case path(PathRole = .input)
  /// One of a few words.
  case choice([String])
  /// Several values: `a,b` or `[a, b]`; `count` restricts how many.
  case list(of: ValueKind, count: ClosedRange<Int>? = nil)
  /// A span of time: `30m`, `1h30m`, `90` (seconds).
  case duration
  /// A number of bytes: `64k`, `2G` (powers of 1024).
  case size
  /// `from..to`, either end may be missing: `1e-6..1`, `2..`.
  case interval
  /// A name out of a domain that only the program knows (models, runs, metrics …): completion
  /// asks for the names, the program checks them.
  case named(String)
  /// One of a few special words (`auto`, `none`), or else an ordinary value.
  case either([String], or: ValueKind)

  /// What a path is for.
  public enum PathRole: String, Hashable, Sendable {
    /// A file that is read.
    case input
    /// A file that is written.
    case output
    /// A directory.
    case directory
  }

  /// What is accepted, in words, for messages and help: `an integer from 1`, `one of a, b, c`.
  public var phrase: String {
    switch self {
    case .integer(let bounds): "an integer\(bounds.phrase)"
    case .number(let bounds): "a number\(bounds.phrase)"
    case .boolean: "on or off"
    case .word: "a word"
    case .text: "a text"
    case .path(.input): "a path"
    case .path(.output): "a path to write to"
    case .path(.directory): "a directory"
    case .choice(let words):
      words.count == 1 ? "'\(words[0])'" : "one of \(words.joined(separator: ", "))"
    case .list(let kind, let count): Self.listPhrase(of: kind, count: count)
    case .duration: "a time such as 90, 30m or 2h"
    case .size: "a size such as 64k or 2G"
    case .interval: "a range such as 2..5"
    case .named(let domain): "the name of \(Self.article(for: domain))"
    case .either(let words, let kind):
      "\(kind.phrase), or \(words.map { "'\($0)'" }.joined(separator: " or "))"
    }
  }

  /// The kind in one word, for tables: `int`, `float`, `on|off`, `sgd|adamw`.
  public var shortName: String {
    switch self {
    case .integer: "int"
    case .number: "float"
    case .boolean: "on|off"
    case .word: "word"
    case .text: "text"
    case .path(.directory): "dir"
    case .path: "path"
    case .choice(let words): words.joined(separator: "|")
    case .list(let kind, _): "\(kind.shortName),…"
    case .duration: "time"
    case .size: "size"
    case .interval: "from..to"
    case .named(let domain): domain
    case .either(let words, let kind): (words + [kind.shortName]).joined(separator: "|")
    }
  }

  private static func article(for domain: String) -> String {
    "\("aeiou".contains(domain.first ?? " ") ? "an" : "a") \(domain)"
  }

  private static func listPhrase(of kind: ValueKind, count: ClosedRange<Int>?) -> String {
    let item = kind.phrase
    guard let count else { return "a list, each item \(item)" }
    if count.lowerBound == count.upperBound { return "a list of \(count.lowerBound), each \(item)" }
    if count.upperBound == Int.max { return "a list of at least \(count.lowerBound), each \(item)" }
    return "a list of \(count.lowerBound) to \(count.upperBound), each \(item)"
  }
}
