/// A small deterministic generator (SplitMix64).
struct RandomSource: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Random pieces of scripts.
enum RandomText {
  static let pieces = [
    "set", "load", "b0", "train", "plot", "for", "in", "param", "version", "1", "note", "!", "!ls",
    "lr=", "lr=0.1", "epochs:int", "=", "==", ">=", "<", ">", "> a.png", "{", "}", "[", "]",
    "[1,2]",
    ",", "a,b", "\"", "\"x y\"", "\"${a}\"", "${", "${a}", "$", "$a", "\\", "\\\n", "\n", "\n\n",
    ";",
    "#", "# c", "# %% T [md] id=\"x\"\n", "--raw", "--", "-x", "--lr=3", "auto", "default", "50%",
    "2h",
    "1..", "'", "“", "é", "日本", "👩‍👩‍👧", "\u{301}", "\t", "\r\n", "\u{A0}", "\u{7}", "\u{0}", "*",
    "a|b", "expect",
    "top1", "pretrained", "scale=", "s.wb", " ", "  ",
  ]

  /// Tokens, and things that are none, in any order.
  static func soup(_ random: inout RandomSource, length: Int) -> String {
    var text = ""
    for _ in 0..<length {
      text += pieces.randomElement(using: &random) ?? ""
      if Bool.random(using: &random) { text += " " }
    }
    return text
  }

  /// Any text that a value may hold.
  static func value(_ random: inout RandomSource) -> String {
    let alphabet = Array("ab1.,-_=#'\"\\$ {}[]<>!;:é日\n\t\u{7}|*%\u{301}\u{A0}")
    let count = Int.random(in: 0...6, using: &random)
    return String((0..<count).map { _ in alphabet.randomElement(using: &random) ?? "a" })
  }

  /// A text as a string of the language, every character escaped that must be.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\", "$": result += "\\" + String(Character(scalar))
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
