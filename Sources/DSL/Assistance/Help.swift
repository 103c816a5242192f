/// A text of the help that belongs to no command: `help tour`.
public struct HelpTopic: Hashable, Sendable {
  /// The word behind `help`.
  public let name: String
  /// One line about it.
  public let summary: String
  /// The text; paragraphs are separated by an empty line, indented lines stay as they are.
  public let text: String
  /// Commands that can be run as they stand; at least two.
  public let examples: [Example]

  /// A text of the help.
  public init(_ name: String, _ summary: String, text: String, examples: [Example]) {
    precondition(examples.count >= 2, "the topic '\(name)' needs two examples")
    self.name = name
    self.summary = summary
    self.text = text
    self.examples = examples
  }
}

/// The help, made from the signatures. Every page ends with runnable examples.
public struct Help: Sendable {
  /// The commands.
  public let vocabulary: Vocabulary
  /// The texts besides the commands.
  public let topics: [HelpTopic]
  /// How many columns a line may have.
  public let width: Int

  /// The help for these commands, wrapped to `width` columns (at least 40).
  public init(vocabulary: Vocabulary, topics: [HelpTopic] = [], width: Int = 80) {
    self.vocabulary = vocabulary
    self.topics = topics
    self.width = max(40, width)
  }

  /// The page about a command, a key or a topic; nil when there is none of that name.
  public func page(about word: String) -> String? {
    let bare = normalizedName(word.drop { $0 == "-" })
    if let signature = vocabulary.signature(named: bare) {
      // `drop` is a command for cells and the share of dropout.
      let isSetting = vocabulary.signatures.contains { $0.mergesKeys && $0.key(bare) != nil }
      let setting = isSetting ? key(bare) : nil
      return command(signature) + (setting.map { "\n" + $0 } ?? "")
    }
    if let topic = topics.first(where: { $0.name == bare }) { return self.topic(topic) }
    return key(bare)
  }

  /// The nearest command, key or topic to a word that has no page.
  public func suggestion(for word: String) -> String? {
    let names = vocabulary.signatures.flatMap { signature in
      [signature.name] + signature.aliases + signature.keys.map(\.name)
    }
    return Suggestion.nearest(to: word, among: names + topics.map(\.name))
  }

  /// All commands under their headings.
  public func overview() -> String {
    var lines: [String] = []
    for group in groups {
      let rows = vocabulary.signatures.filter { $0.group == group }.map { ($0.name, $0.summary) }
      lines += [group] + TextLayout.definitions(rows, width: width, termWidth: nameWidth) + [""]
    }
    if !topics.isEmpty {
      lines += ["Topics"]
      lines += TextLayout.definitions(
        topics.map { ($0.name, $0.summary) }, width: width, termWidth: nameWidth)
      lines += [""]
    }
    // Where to begin stands last, next to the prompt.
    let command = vocabulary.signatures.first { $0.mergesKeys } ?? vocabulary.signatures.first
    let name = command?.name ?? "help"
    let key = command?.keys.first?.name
    lines += examples([
      key.map { Example("help \($0)", "about one key") }
        ?? Example("apropos \(name)", "everything that mentions a word"),
      topics.first.map { Example("help \($0.name)", $0.summary) }
        ?? Example("help \(name)", "about one command"),
    ])
    return text(lines)
  }

  /// The page about one command.
  public func command(_ signature: Signature) -> String {
    var lines = TextLayout.wrapped(signature.usage, width: width)
    lines += TextLayout.wrapped(signature.summary, width: width, indent: 2) + [""]
    if !signature.discussion.isEmpty {
      lines += TextLayout.paragraphs(signature.discussion, width: width, indent: 2) + [""]
    }
    if !signature.positionals.isEmpty {
      let rows = signature.positionals.map {
        ($0.name.uppercased(), Self.sentence($0.summary, $0.kind.phrase))
      }
      lines += ["Arguments"] + TextLayout.definitions(rows, width: width) + [""]
    }
    lines += keySections(signature)
    var switches = signature.flags.map { ($0.spelling, $0.summary) }
    if signature.allowsOutput { switches.append(("> PATH", "write to a file")) }
    if !switches.isEmpty {
      lines += ["Flags"] + TextLayout.definitions(switches, width: width) + [""]
    }
    var remarks: [String] = []
    if !signature.aliases.isEmpty {
      remarks.append("Also written: \(signature.aliases.joined(separator: ", "))")
    }
    if !signature.isAllowedInScripts { remarks.append("At the prompt only.") }
    if !remarks.isEmpty { lines += remarks + [""] }
    return text(lines + examples(signature.examples))
  }

  /// The page about a key, or nil when no command has it.
  public func key(_ name: String) -> String? {
    let owners = vocabulary.keys(named: name)
    guard let key = owners.first?.key else { return nil }
    var heading = key.name
    if !key.aliases.isEmpty { heading += " (also \(key.aliases.joined(separator: ", ")))" }
    heading += ": \(key.kind.phrase)"
    if let standard = key.defaultText { heading += "; default \(standard)" }
    var lines = TextLayout.wrapped(heading, width: width)
    lines += TextLayout.wrapped(key.summary, width: width, indent: 2)
    if !key.discussion.isEmpty {
      lines += [""] + TextLayout.paragraphs(key.discussion, width: width, indent: 2)
    }
    if let condition = key.activeWhen {
      lines += [""] + TextLayout.wrapped("In effect \(condition).", width: width, indent: 2)
    }
    let verbs = owners.map(\.signature.name).joined(separator: ", ")
    lines += [""] + TextLayout.wrapped("Key of: \(verbs)", width: width, indent: 2) + [""]
    return text(lines + examples(keyExamples(key, owners.map(\.signature))))
  }

  /// The page about a topic.
  public func topic(_ topic: HelpTopic) -> String {
    var lines = [topic.summary, ""]
    for block in topic.text.split(separator: "\n\n") {
      let isLaidOut = block.split(separator: "\n").contains { $0.hasPrefix(" ") }
      lines +=
        isLaidOut
        ? block.split(separator: "\n").map(String.init)
        : TextLayout.wrapped(String(block), width: width)
      lines.append("")
    }
    return text(lines + examples(topic.examples))
  }

  // MARK: Pieces

  private var groups: [String] {
    var seen: Set<String> = []
    return vocabulary.signatures.map(\.group).filter { seen.insert($0).inserted }
  }

  private var nameWidth: Int {
    (vocabulary.signatures.map(\.name) + topics.map(\.name)).map(\.count).max() ?? 0
  }

  /// The keys, under the headings of their groups when they have several.
  private func keySections(_ signature: Signature) -> [String] {
    var order: [String] = []
    for key in signature.keys where !order.contains(key.group ?? "") {
      order.append(key.group ?? "")
    }
    return order.flatMap { group -> [String] in
      let keys = signature.keys.filter { ($0.group ?? "") == group }
      let rows = keys.map { key in
        var about = Self.sentence(key.summary, key.kind.phrase)
        if !key.aliases.isEmpty { about += ". Also: \(key.aliases.joined(separator: ", "))" }
        if key.isRequired { about += ". Required" }
        return ("\(key.name)=\(key.defaultText ?? "")", about)
      }
      let heading = group.isEmpty ? "Keys" : "Keys: \(group)"
      return [heading] + TextLayout.definitions(rows, width: width) + [""]
    }
  }

  private static func sentence(_ summary: String, _ phrase: String) -> String {
    summary.isEmpty ? phrase : "\(summary) (\(phrase))"
  }

  /// Two examples for a key: of the commands that have it, or else made for the purpose.
  private func keyExamples(_ key: Parameter, _ owners: [Signature]) -> [Example] {
    let spellings = [key.name] + key.aliases
    var found = owners.flatMap(\.examples).filter { example in
      spellings.contains { example.text.contains(" \($0)=") }
    }
    if let setter = owners.first(where: \.mergesKeys) {
      if let (value, meaning) = Self.example(of: key) {
        found.append(
          Example("\(setter.name) \(key.name)=\(CanonicalText.value(value))", meaning))
      }
    }
    found += owners.map { Example("help \($0.name)", "about '\($0.name)'") }
    found.append(Example("help", "all commands"))
    return Array(found.prefix(2))
  }

  /// A value worth trying, and what it is; the default where no other can be told.
  private static func example(of key: Parameter) -> (value: String, meaning: String)? {
    guard let standard = key.defaultText else {
      return sample(of: key.kind).map { ($0, "gives it a value") }
    }
    switch key.kind {
    case .boolean: return standard == "on" ? ("off", "switches it off") : ("on", "switches it on")
    case .choice(let words):
      if let other = words.first(where: { $0 != standard }) { return (other, "another choice") }
    case .integer(let bounds), .number(let bounds):
      if let number = Double(standard), number != 0, bounds.contains(2 * number) {
        return (shortest(2 * number), "twice the default")
      }
    default: break
    }
    return (standard, "the default")
  }

  /// A value of a kind, if one can be named without knowing the program.
  private static func sample(of kind: ValueKind) -> String? {
    switch kind {
    case .integer(let bounds), .number(let bounds):
      [1, 0, bounds.lower, bounds.upper].compactMap { $0 }.first { bounds.contains($0) }
        .map(shortest)
    case .boolean: "on"
    case .choice(let words): words.first
    case .duration: "30m"
    case .size: "1G"
    case .either(let words, or: let kind): words.first ?? sample(of: kind)
    default: nil
    }
  }

  func examples(_ examples: [Example]) -> [String] {
    ["Examples"]
      + examples.flatMap { example in
        ["  \(example.text)"]
          + TextLayout.wrapped(example.explanation, width: width, indent: 6)
      }
  }

  func text(_ lines: [String]) -> String { lines.joined(separator: "\n") + "\n" }
}
