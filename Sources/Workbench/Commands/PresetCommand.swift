import DSL
import Foundation
import Model

// `preset`: a recipe by name, as the settings that it stands for.

enum PresetCommand {
  static let preset = Command<WorkbenchState>(
    Signature(
      "preset", group: "settings", "Takes a recipe; without a name it lists the recipes.",
      discussion: """
        Every hyperparameter of the recipe gets the preset's value or its default; the seed, threads, \
        limits, mean and std stay. What changes is shown as a 'set' line, and 'save' writes that \
        line, so that a script says what it does.
        """,
      positionals: [
        Positional("name", .choice(Preset.all.map(\.name)), "the recipe", .optional)
      ],
      flags: [Flag("json", "one JSON object per recipe"), Flag("csv", "comma-separated values")],
      effect: .change, reads: [.slot("params.*")], writes: [.slot("params.*")],
      examples: [
        Example("preset", "the recipes"),
        Example("preset notebook-intent; set epochs=2", "one of them, shortened"),
      ])
  ) { invocation, state in
    guard let name = invocation.string("name"), let preset = Preset.named(name) else {
      state.onlyLooked = true
      return try state.show(table, as: invocation)
    }
    var values = try preset.applied(to: state.values)
    for key in state.forcedKeys where values[key] != state.values[key] {
      try values.set(key, to: state.values[key])
      state.console.note("\(key) stays \(values[key].text): -O forces it")
    }
    let changed = HyperparameterKey.all.filter { values[$0.name] != state.values[$0.name] }
    state.values = values
    for key in changed {
      state.sources[key.name] = values[key.name] == key.defaultValue ? nil : "preset \(name)"
    }
    state.console.note("\(preset.summary) Source: \(preset.source).")
    if changed.isEmpty {
      state.onlyLooked = true
      state.console.note("nothing changes")
    } else {
      let words = changed.map { "\($0.name)=\(values[$0.name].text)" }
      state.canonicalText = "set " + words.joined(separator: " ")
      state.console.print(state.canonicalText)
    }
    if !preset.advice.isEmpty { state.console.note(preset.advice) }
  }

  private static let table = Table(
    [.init("preset"), .init("what it is"), .init("source")],
    rows: Preset.all.map { [.init($0.name), .init($0.summary), .init($0.source)] })
}
