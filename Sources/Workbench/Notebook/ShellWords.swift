/// Reads command lines as a shell does, as far as calls of train.py need it: words, quotes, line
/// continuations, and what stands between commands.
enum ShellWords {
  /// The commands of a text, each as its words; comments are left out.
  static func commands(in text: String) -> [[String]] {
    var commands: [[String]] = []
    var words: [String] = []
    var word: String?
    var quote: Character?
    func endWord() {
      if let finished = word { words.append(finished) }
      word = nil
    }
    func endCommand() {
      endWord()
      if !words.isEmpty { commands.append(words) }
      words = []
    }
    var rest = text.replacing("\\\n", with: " ")[...]
    while let character = rest.popFirst() {
      if let open = quote {
        if character == open {
          quote = nil
        } else if character == "\\", open == "\"", let next = rest.first, "\"\\$".contains(next) {
          word?.append(rest.removeFirst())
        } else {
          word?.append(character)
        }
        continue
      }
      switch character {
      case "'", "\"":
        quote = character
        word = word ?? ""
      case "\\": if let next = rest.popFirst() { word = (word ?? "") + String(next) }
      case ";", "&", "|", "\n": endCommand()
      case "#" where word == nil:
        rest = rest.drop { $0 != "\n" }
      case _ where character.isWhitespace: endWord()
      default: word = (word ?? "") + String(character)
      }
    }
    endCommand()
    return commands
  }

  /// A word as a shell takes it for one.
  static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty
      && word.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil)
          || "-_./:=@%+,".unicodeScalars.contains($0)
      }
    return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
