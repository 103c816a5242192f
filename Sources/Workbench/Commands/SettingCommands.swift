import DSL
import Foundation
import Model

// `set`, `unset`, `show`, `seed`: the hyperparameters.

enum SettingCommands {
  static let all: [Command<WorkbenchState>] = [set, unset, show, seed]

  private static let set = Command<WorkbenchState>(
    Signature(
      "set", group: "settings", "Sets hyperparameters.",
      discussion: """
        The keys are the flags of the original notebook's train.py without the dashes in front. \
        'show all' lists them with their values, 'help KEY' explains one. At the prompt the word \
        'set' may be left out: lr=0.01.
        """,
      keys: HyperparameterKey.parameters, keyNoun: "hyperparameter",
      keyHints: TrainScriptFlags.hints, mergesKeys: true,
      effect: .change, writes: [.eachKey(prefix: "params.")],
      examples: [
        Example("set lr=0.01 batch-size=64", "a lower rate, larger batches"),
        Example("set scale=[0.6,1] hflip=0 color-jitter=0", "gentle augmentation, for digits"),
      ])
  ) { invocation, state in
    guard !invocation.keys.isEmpty else {
      throw CommandError(
        "'set' needs at least one key=value", hint: "such as set lr=0.01; 'show all' lists the keys"
      )
    }
    var values = state.values
    var changes: [(key: String, old: HyperparameterValue, new: HyperparameterValue)] = []
    for argument in invocation.keys {
      if let change = try state.assign(argument, to: &values) {
        changes.append((argument.name, change.old, change.new))
      }
    }
    try state.refuseConflict(of: values, settingOne: changes.map(\.key))
    state.values = values
    let width = changes.map(\.key.count).max() ?? 0
    for change in changes {
      state.sources[change.key] = "set"
      let name = change.key.padding(toLength: width, withPad: " ", startingAt: 0)
      state.console.note("\(name)  \(change.old.text) → \(change.new.text)")
    }
    warnAboutInertKeys(changes.map(\.key), state)
  }

  private static let unset = Command<WorkbenchState>(
    Signature(
      "unset", group: "settings", "Gives hyperparameters their defaults again.",
      positionals: [
        Positional(
          "key", .named("hyperparameter"), "a hyperparameter, or 'all'", .variadic(minimum: 1))
      ],
      restoresDefaults: true, effect: .change, writes: [.argument("key", prefix: "params.")],
      examples: [
        Example("unset lr", "the default rate again"),
        Example("unset smoothing hflip", "several at once"),
      ])
  ) { invocation, state in
    let names = invocation.strings("key")
    var values = state.values
    var undone: [(String, HyperparameterValue, HyperparameterValue)] = []
    let keys =
      names == ["all"] ? Array(values.explicit.keys).sorted() : try names.map { try known($0).name }
    for name in keys where !state.forcedKeys.contains(name) {
      let old = try values.unset(name)
      undone.append((name, old, values[name]))
    }
    try state.refuseConflict(of: values, settingOne: [])
    state.values = values
    // The journal knows settings, not 'all'.
    if names == ["all"] {
      if undone.isEmpty { state.onlyLooked = true }
      state.canonicalText = "unset \((keys.isEmpty ? names : keys).joined(separator: " "))"
    }
    for (name, old, new) in undone {
      state.sources[name] = nil
      state.console.note("\(name)  \(old.text) → \(new.text) (default)")
    }
  }

  private static let seed = Command<WorkbenchState>(
    Signature(
      "seed", group: "settings", "Sets the seed of every random draw.",
      discussion: """
        The same as set seed=NUMBER. New weights are drawn when a model is loaded, so give the seed \
        first.
        """,
      positionals: [
        Positional("number", .integer(.from(0)), "a whole number from 0")
      ],
      effect: .change, writes: [.slot("params.seed")],
      examples: [
        Example("seed 42", "the seed of the original notebook"),
        Example("seed 7; load tf_efficientnetv2_b0 classes=10", "other new weights"),
      ])
  ) { invocation, state in
    guard !state.forcedKeys.contains("seed") else { return }
    guard let number = invocation.integer("number") else { return }
    let old = try state.values.set("seed", to: .integer(number))
    state.sources["seed"] = "seed"
    state.console.note("seed  \(old.text) → \(number)")
  }

  private static let show = Command<WorkbenchState>(
    Signature(
      "show", group: "settings",
      "Shows hyperparameters: the changed ones, all, or those of a pattern.",
      discussion: """
        Keys that have no effect with the other values are marked with the reason. Once a model is \
        loaded, 'auto' is followed by the value it stands for.

        'show stages' lists the stages of progressive learning with what holds in each.

        'show batch' draws the pictures of a training batch as the network is shown them with the \
        present settings: resized, augmented, mixed, erased.
        """,
      positionals: [
        Positional(
          "pattern", .named("hyperparameter"),
          "'all', 'stages', 'batch', names, or patterns with *", .variadic(minimum: 0))
      ],
      keys: BatchSheet.keys,
      flags: [
        Flag("json", "one JSON object per key"), Flag("csv", "comma-separated values"),
      ],
      allowsOutput: true, effect: .look,
      reads: [.slot("params.*"), .slot("model"), .slot("data")],
      examples: [
        Example("show", "what differs from the defaults"),
        Example("show lr* warmup*", "everything about the learning rate"),
        Example("show batch > batch.png", "the first pictures that training will see"),
      ])
  ) { invocation, state in
    let patterns = invocation.strings("pattern")
    if patterns == ["batch"] { return try BatchSheet.show(invocation, state) }
    if patterns == ["stages"], state.values["progressive"] != .none {
      let settings = state.settings(for: try state.requireModel())
      return try state.show(StageReport.table(settings), as: invocation)
    }
    let keys: [HyperparameterKey]
    if patterns.isEmpty {
      keys = state.values.changed
      if keys.isEmpty {
        state.console.print("everything is at its default; 'show all' lists every key")
        return
      }
    } else if patterns == ["all"] {
      keys = HyperparameterKey.all
    } else {
      keys = try matching(patterns)
    }
    let resolved = state.model.map(state.settings)
    let rows = keys.map { row($0, state, resolved?.values) }
    let table = Table(
      [
        .init("key"), .init("value"), .init("default"), .init("source"), .init("group"),
        .init("note"),
      ], rows: rows)
    try state.show(table, as: invocation)
  }

  private static func row(
    _ key: HyperparameterKey, _ state: WorkbenchState, _ resolved: HyperparameterValues?
  ) -> [Table.Cell] {
    let value = state.values[key.name]
    var text = value.text
    if value == .auto, let meant = resolved?[key.name], meant != .auto {
      text += " = \(meant.text)"
    }
    let isChanged = value != key.defaultValue
    let source =
      state.forcedKeys.contains(key.name)
      ? "-O" : isChanged ? state.sources[key.name] ?? "set" : "default"
    let note =
      state.values.inertReason(key).map { "inert: \($0)" }
      ?? (key.name == "freeze" && isChanged ? state.model.map { trainedNote($0, state) } : nil)
      ?? ""
    return [
      .init(key.name), .init(.text(value.text), text: text, role: isChanged ? .strong : nil),
      .init(key.defaultValue.text), .init(source), .init(key.group.rawValue),
      .init(note, role: .warning),
    ]
  }

  /// How much of a network trains, or why `freeze` does not fit it.
  private static func trainedNote(_ model: LoadedModel, _ state: WorkbenchState) -> String {
    do {
      return "trains \(try ModelReport.trained(model, state.settings(for: model)))"
    } catch {
      return error.message
    }
  }

  /// The keys that names or patterns with `*` mean, in the order of the registry.
  private static func matching(_ patterns: [String]) throws -> [HyperparameterKey] {
    var wanted: Set<String> = []
    for pattern in patterns {
      if pattern.contains("*") {
        let found = HyperparameterKey.all.filter { matchesWildcards($0.name, pattern) }
        guard !found.isEmpty else {
          throw CommandError(
            "no hyperparameter matches '\(pattern)'", hint: "'show all' lists them",
            argument: "pattern")
        }
        wanted.formUnion(found.map(\.name))
      } else {
        wanted.insert(try known(pattern).name)
      }
    }
    return HyperparameterKey.all.filter { wanted.contains($0.name) }
  }

  private static func known(_ name: String) throws -> HyperparameterKey {
    if let key = HyperparameterKey.find(name) { return key }
    let names = HyperparameterKey.all.flatMap { [$0.name] + $0.aliases }
    throw CommandError(
      "unknown hyperparameter '\(name)'",
      hint: TrainScriptFlags.hints[name.replacing("_", with: "-")]
        ?? Suggestion.didYouMean(name, among: names) ?? "'show all' lists them")
  }

  /// Warns of keys that were just set and have no effect.
  private static func warnAboutInertKeys(_ names: [String], _ state: WorkbenchState) {
    for name in names {
      guard let key = HyperparameterKey.find(name), state.values[name] != key.defaultValue,
        let reason = state.values.inertReason(key)
      else { continue }
      state.console.warn("\(name) has no effect: \(reason)")
    }
  }
}
