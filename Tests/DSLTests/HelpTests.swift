import DSL
import Testing

@Suite struct HelpTests {
  static let tour = HelpTopic(
    "tour", "the first ten minutes", text: "Load a network, then train it.\n\n  load b0\n  train",
    examples: [Example("load b0", "begin"), Example("help train", "go on")])
  static let help = Help(vocabulary: Fake.vocabulary, topics: [tour], width: 72)

  @Test func overview() { Fixtures.expectSnapshot(Self.help.overview(), "help/overview.txt") }

  @Test(arguments: ["set", "load", "plot", "expect", "note", "dataset", "train"])
  func command(name: String) throws {
    let page = try #require(Self.help.page(about: name))
    Fixtures.expectSnapshot(page, "help/command-\(name).txt")
  }

  @Test(arguments: ["lr", "batch_size", "decay-epochs", "--epochs", "weights", "name"])
  func key(name: String) throws {
    let page = try #require(Self.help.page(about: name))
    Fixtures.expectSnapshot(page, "help/key-\(name.drop { $0 == "-" }).txt")
  }

  @Test func topic() throws {
    let page = try #require(Self.help.page(about: "tour"))
    Fixtures.expectSnapshot(page, "help/topic-tour.txt")
  }

  @Test(arguments: ["learning rate", "curves", "epochs", "published"])
  func search(words: String) throws {
    let page = try #require(Self.help.search(words))
    Fixtures.expectSnapshot(
      page, "help/search-\(words.split(separator: " ").joined(separator: "-")).txt")
  }

  @Test func nothingFound() {
    #expect(Self.help.page(about: "xyzzy") == nil)
    #expect(Self.help.search("xyzzy") == nil)
    #expect(Self.help.search("  ") == nil)
    #expect(Self.help.suggestion(for: "laod") == "load")
    #expect(Self.help.suggestion(for: "tuor") == "tour")
  }

  /// Every page ends with two examples, and each can be run as it stands.
  @Test func everyPageEndsWithTwoRunnableExamples() throws {
    var pages = [Self.help.overview()]
    for signature in Fake.signatures {
      pages.append(Self.help.command(signature))
      for key in signature.keys { pages.append(try #require(Self.help.key(key.name))) }
    }
    let helpCommand = Signature(
      "help", group: "Session", "help",
      positionals: [Positional("word", .named("help"), "what", .optional)], effect: .look,
      examples: [Example("help", ""), Example("help load", "")])
    let checker = Checker(vocabulary: Vocabulary(Fake.signatures + [helpCommand]))
    for page in pages {
      let lines = page.split(separator: "\n", omittingEmptySubsequences: false)
      let start = try #require(lines.lastIndex(of: "Examples"))
      let examples = lines[(start + 1)...].filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
      #expect(examples.count >= 2, "\(page)")
      for example in examples {
        let checked = checker.check(Source(name: "e", text: String(example)), as: .prompt)
        #expect(checked.isSound, "\(example): \(checked.diagnostics.map(\.message))")
      }
    }
  }

  @Test(arguments: [40, 60, 100]) func linesFit(width: Int) {
    let help = Help(vocabulary: Fake.vocabulary, width: width)
    for signature in Fake.signatures {
      for line in help.command(signature).split(separator: "\n") where !line.hasPrefix("  ") {
        #expect(line.count <= width, "\(line)")
      }
    }
  }
}
