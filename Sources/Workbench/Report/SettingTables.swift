import Model

/// Hyperparameters side by side.
enum SettingTables {
  /// Settings with the name they are shown under.
  typealias Named = (name: String, values: HyperparameterValues)

  /// The keys that are not at their defaults, with the reason where one has no effect.
  static func changed(_ values: HyperparameterValues) -> Table {
    differences((name: "default", values: HyperparameterValues()), (name: "value", values: values))
  }

  /// The keys in which two sets of settings differ.
  static func differences(_ first: Named, _ second: Named, also rows: [[Table.Cell]] = []) -> Table
  {
    let keys = HyperparameterKey.all.filter { first.values[$0.name] != second.values[$0.name] }
    return Table(
      [.init("key"), .init(first.name), .init(second.name), .init("note")],
      rows: rows
        + keys.map { key in
          [
            .init(key.name), .init(first.values[key.name].text),
            .init(second.values[key.name].text),
            .init(note(key, first, second), role: .warning),
          ]
        })
  }

  /// Why a difference is none, or where.
  private static func note(_ key: HyperparameterKey, _ first: Named, _ second: Named) -> String {
    let reasons = [first, second].map { named in
      (name: named.name, reason: named.values.inertReason(key))
    }
    switch (reasons[0].reason, reasons[1].reason) {
    case (nil, nil): return key.changesResult ? "" : "changes no result"
    // Defaults have no effect of their own to speak of.
    case (_, let reason?) where first.name == "default": return "inert: \(reason)"
    case (_, nil) where first.name == "default": return key.changesResult ? "" : "changes no result"
    case (let one?, let other?):
      return one == other
        ? "inert: \(one)" : "inert: \(one) in \(first.name), \(other) in \(second.name)"
    case (let reason?, nil): return "inert in \(first.name): \(reason)"
    case (nil, let reason?): return "inert in \(second.name): \(reason)"
    }
  }
}
