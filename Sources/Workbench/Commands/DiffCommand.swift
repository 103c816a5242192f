import DSL
import Foundation
import Model

// `diff`: in what settings, runs and scripts differ.

enum DiffCommand {
  static let diff = Command<WorkbenchState>(
    Signature(
      "diff", group: "settings", "Shows in what settings, runs or scripts differ.",
      discussion: """
        Without a name the session is compared with the defaults, with one name with that run, and \
        two names are compared with each other. 'last' is the run that was trained last. Only what \
        differs is listed; a key that has no effect with the other values is marked with the reason, \
        so that runs which differ in nothing else are the same.

        Two session files are compared command by command, with their loops unrolled.
        """,
      positionals: [
        Positional("which", .named("run"), "runs, 'last', or two .wb files", .variadic(minimum: 0))
      ],
      flags: [Flag("json", "one JSON object per key"), Flag("csv", "comma-separated values")],
      allowsOutput: true, effect: .look,
      reads: [
        .argument("which", prefix: "run:"), .only(.slot("run:current"), .among("which", ["last"])),
        .slot("params.*"),
      ],
      examples: [
        Example("set lr=0.01 decay-epochs=30; diff", "what is not at its default"),
        Example("diff last", "what was set since the last training"),
        Example("diff a b", "two runs"),
      ])
  ) { invocation, state in
    let names = invocation.strings("which")
    guard names.count < 3 else {
      throw CommandError("'diff' compares two things at most", argument: "which")
    }
    if names.contains(where: { $0.hasSuffix(".wb") }) {
      return try scripts(names, invocation, state)
    }
    let session = Side(name: "session", values: state.values, facts: facts(state))
    let first = try names.first.map { try run($0, state) } ?? .defaults
    let second = names.count > 1 ? try run(names[1], state) : session
    let rows = first.facts.keys.sorted().compactMap { key -> [Table.Cell]? in
      guard let one = first.facts[key], let other = second.facts[key], one != other else {
        return nil
      }
      return [.init(key), .init(one), .init(other), .blank]
    }
    let table = SettingTables.differences(
      (name: first.name, values: first.values), (name: second.name, values: second.values),
      also: rows)
    let isForPeople =
      invocation.outputPath == nil && !invocation.has("json") && !invocation.has("csv")
      && !state.console.isForPrograms
    if table.rows.isEmpty, isForPeople {
      state.console.print("\(second.name) and \(first.name) do not differ")
    } else {
      try state.show(table, as: invocation)
    }
  }

  /// Something that can be compared.
  private struct Side {
    let name: String
    let values: HyperparameterValues
    /// What besides the settings decides the numbers; only what both sides know is compared.
    var facts: [String: String] = [:]

    static let defaults = Side(name: "default", values: HyperparameterValues())
  }

  private static func facts(_ state: WorkbenchState) -> [String: String] {
    var facts: [String: String] = [:]
    if let model = state.model { facts["model"] = model.variant.qualifiedName }
    if let data = state.data { facts["data"] = data.source.name }
    return facts
  }

  private static func run(_ word: String, _ state: WorkbenchState) throws -> Side {
    let name = word.hasPrefix("run:") ? String(word.dropFirst(4)) : word
    let isThere = (try? RunDirectory.open(name, in: state.places.runs)) != nil
    let run = try RunAccess.directory(name == "last" && !isThere ? nil : name, state)
    let parameters = try RunParameters(of: run)
    let facts = [
      "model": parameters.model, "data": parameters.data,
      "weights": parameters.weights ?? "new", "images": parameters.limit.map(String.init) ?? "all",
    ]
    return Side(name: run.name, values: parameters.parameters, facts: facts)
  }

  private static func scripts(
    _ names: [String], _ invocation: Invocation, _ state: WorkbenchState
  ) throws {
    guard names.count == 2 else {
      throw CommandError("name two session files", hint: "diff a.wb b.wb", argument: "which")
    }
    let texts = try names.map { name in
      let source = try ScriptFile.read(state.places.input(name), named: name)
      return ScriptChecking.checked(source, as: .file).steps.map(\.invocation.canonicalText)
    }
    let difference = TextDifference(texts[0], texts[1])
    guard difference.isEmpty == false else {
      return state.console.print("the commands of \(names[0]) and \(names[1]) are the same")
    }
    state.console.write(difference.text(names[0], names[1], style: state.console.style))
  }
}
