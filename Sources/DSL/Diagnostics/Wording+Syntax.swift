/// The sentences of the lexer and the parser, all in one place.
extension Diagnostic {
  // MARK: Text

  static func unclosedString(at range: SourceRange) -> Diagnostic {
    Diagnostic(.unclosedString, "this string is not closed", at: range, hint: "add '\"'")
  }

  static func unclosedList(at range: SourceRange) -> Diagnostic {
    Diagnostic(.unclosedList, "this list is not closed", at: range, hint: "add ']'")
  }

  static func unfinishedContinuation(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .unfinishedContinuation, "'\\' continues the line, but nothing follows", at: range)
  }

  static func unknownEscape(_ text: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .unknownEscape, "unknown escape '\(text)' in a string", at: range,
      hint: #"a backslash itself is written '\\'"#)
  }

  static func badReference(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .badReference, "'${' must be followed by a name and '}'", at: range,
      hint: "as in '${epochs}'")
  }

  static func looseDollar(_ name: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .looseDollar, "'$\(name)' does not stand for a parameter", at: range,
      hint: "write '${\(name)}'; a dollar sign itself is written \"\\$\" in quotes")
  }

  static func wrongQuotes(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .wrongQuotes, "strings are written in double quotes", at: range, hint: #"use "…""#)
  }

  static func quoteInsideWord(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .quoteInsideWord, "a quoted and an unquoted text touch", at: range,
      hint: "quote the whole, or put a space between them")
  }

  static func strangeCharacter(_ scalar: Unicode.Scalar, at range: SourceRange) -> Diagnostic {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    let code = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    let name = scalar.properties.name.map { " (\($0.lowercased()))" } ?? ""
    return Diagnostic(
      .strangeCharacter, "invisible character U+\(code)\(name)", at: range,
      hint: "replace it by a space, or quote the text")
  }

  static func operatorSpacing(_ text: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .operatorSpacing, "'\(text)' needs a space on both sides", at: range,
      hint: "write ' \(text) ', or quote the text it belongs to")
  }

  // MARK: Syntax

  static func expectedCommand(_ text: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .expectedCommand, "expected a command, found '\(text)'", at: range,
      hint: "a line begins with a verb, such as 'help'")
  }

  static func unexpectedText(
    _ text: String, _ place: String, hint: String? = nil, at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(.unexpectedText, "unexpected '\(text)' \(place)", at: range, hint: hint)
  }

  static func unclosedBlock(at range: SourceRange, cell: SourceRange?) -> Diagnostic {
    let notes = cell.map { [Note("the next cell begins here", at: $0)] } ?? []
    return Diagnostic(
      .unclosedBlock, "this block is not closed", at: range,
      hint: "add '}' on a line of its own", notes: notes)
  }

  static func strayBrace(_ brace: String, at range: SourceRange) -> Diagnostic {
    let message = brace == "}" ? "'}' closes nothing" : "'{' opens a block only after 'for'"
    return Diagnostic(
      .strayBrace, message, at: range, hint: "quote it if it belongs to a text: \"\(brace)\"")
  }

  static func missingValue(of key: String, next: String?, at range: SourceRange) -> Diagnostic {
    let advice = next.map { "write '\(key)=\($0)' without spaces" }
    return Diagnostic(
      .missingValue, "no value behind '\(key)='", at: range,
      hint: advice ?? "an empty text is written \(key)=\"\"")
  }

  static func spacedAssignment(key: String?, value: String?, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .spacedAssignment, "'=' stands alone", at: range,
      hint: "write '\(key ?? "key")=\(value ?? "value")' without spaces")
  }

  static func badKeyName(_ text: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .badKeyName, "'\(text)' cannot be a key", at: range,
      hint: "keys consist of letters, digits and '-'; quote the argument if it is a text")
  }

  static func flagWithValue(_ name: String, value: String?, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .flagWithValue, "'--\(name)=' mixes a flag with a key", at: range,
      hint: "write '\(name)=\(value ?? "value")'")
  }

  static func missingOutputPath(at range: SourceRange) -> Diagnostic {
    Diagnostic(.missingOutputPath, "nothing follows '>'", at: range, hint: "name the file to write")
  }

  static func badList(_ message: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(.badList, message, at: range, hint: "a list is written '[a, b]' or 'a,b'")
  }

  static func badVersion(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .badDeclaration, "'version' takes one whole number", at: range, hint: "write 'version 1'")
  }

  static func badParameterDeclaration(_ message: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .badDeclaration, message, at: range,
      hint: "as in 'param epochs:int = 50 in 1.. \"training epochs\"'")
  }

  static func badLoop(_ message: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .badLoop, message, at: range, hint: "as in 'for size in 32 64, seed in 1 2 {'")
  }

  static func declarationInLoop(_ word: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .declarationInLoop, "'\(word)' cannot stand inside a 'for' block", at: range,
      hint: "move it before the block")
  }

  static func tooDeep(_ what: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(.tooDeep, "\(what) are nested too deeply", at: range)
  }
}
