import DSL
import Foundation

/// A value of the session that a saved script offers as a parameter: `save x.wb --params epochs,data`.
struct OfferedParameter {
  /// What it is called: a key, `data` or `model`.
  let name: String
  /// `param epochs:int = 5 "…"`
  let declaration: String
  /// What stands in the commands, and what is to stand there.
  private let replacements: [(old: String, new: String)]

  /// The parameter of a name, from the commands that a script will hold.
  ///
  /// - Throws: a failure that says why the value cannot be offered.
  init(_ name: String, in lines: [String]) throws {
    let name = name.lowercased().replacing("_", with: "-")
    let binder = Binder(vocabulary: CommandSet.table.vocabulary)
    let invocations = lines.compactMap { try? binder.bind(line: $0) }
    let verb = ["data": "data", "model": "load"][name]
    var values: [String] = []
    var found: (type: String, help: String) = ("str", "")
    for invocation in invocations {
      if let verb {
        guard invocation.name == verb, let first = invocation.positionals.first else { continue }
        values.append(first.canonicalText)
        found.help = name == "data" ? "the data set" : "the network"
      } else if let argument = invocation.keys.first(where: { $0.name == name }),
        let key = invocation.signature.key(name)
      {
        values.append(argument.canonicalText)
        found = (Self.type(of: key.kind, argument.value), key.summary)
      }
    }
    guard let value = values.first else {
      throw CommandError(
        "nothing that is saved says '\(name)'",
        hint: "--params takes keys that were set, 'data' and 'model'", argument: "params")
    }
    guard Set(values).count == 1 else {
      throw CommandError(
        "'\(name)' has several values in this session: "
          + Set(values).sorted().joined(separator: ", "),
        hint: "only what is the same everywhere can be a parameter", argument: "params")
    }
    self.name = name
    let help = found.help.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    declaration = "param \(name):\(found.type) = \(value) \"\(help)\""
    replacements =
      verb.map { [("\($0) \(value)", "\($0) ${\(name)}")] }
      ?? [(" \(name)=\(value)", " \(name)=${\(name)}")]
  }

  /// A command with the parameter in the place of its value.
  func replaced(in line: String) -> String {
    for (old, new) in replacements {
      // Only whole words: `lr=0.1` is not the beginning of `lr=0.15`.
      guard let range = line.range(of: old),
        range.upperBound == line.endIndex || line[range.upperBound] == " ",
        old.first == " " || range.lowerBound == line.startIndex
      else { continue }
      return line.replacingCharacters(in: range, with: new)
    }
    return line
  }

  private static func type(of kind: ValueKind, _ value: Value) -> String {
    switch value {
    case .integer: "int"
    case .number: "float"
    case .boolean: "bool"
    default: "str"
    }
  }
}
