import Foundation
import Model

/// What several trainings differ in, and what came of them.
struct RunComparison {
  /// Something that is not the same for all.
  struct Difference: Equatable {
    let name: String
    /// The value for each training, in their order; nil where it is not known.
    let values: [String?]
    /// Why it has no effect, for each training; nil where it has one.
    let inertReasons: [String?]

    /// Why the difference means nothing in any of them.
    var inertReason: String? {
      let known = zip(values, inertReasons).filter { $0.0 != nil }.map(\.1)
      guard !known.isEmpty, known.allSatisfy({ $0 != nil }) else { return nil }
      var reasons: [String] = []
      for case let reason? in known where !reasons.contains(reason) { reasons.append(reason) }
      return reasons.joined(separator: "; ")
    }
  }

  let logs: [TrainingLog]
  let differences: [Difference]

  init(_ logs: [TrainingLog]) {
    self.logs = logs
    let descriptions = logs.map(\.description)
    var found: [Difference] = []
    func add(
      _ name: String, _ value: (RunParameters) -> String?,
      inert: (RunParameters) -> String? = { _ in nil }
    ) {
      let values = descriptions.map { $0.flatMap(value) }
      guard Set(values.compactMap { $0 }).count > 1 else { return }
      found.append(
        Difference(name: name, values: values, inertReasons: descriptions.map { $0.flatMap(inert) })
      )
    }
    add("model") { $0.model }
    add("global-pool") { $0.pooling?.rawValue ?? "avg" }
    add("weights") { $0.weights.map { String($0.prefix(8)) } ?? "new" }
    add("data") { $0.data }
    add("data-sha256") { String($0.dataFingerprint.prefix(8)) }
    add("limit") { $0.limit.map(String.init) ?? "all" }
    for key in HyperparameterKey.all {
      add(key.name) {
        $0.parameters[key.name].text
      } inert: { description in
        key.changesResult
          ? description.parameters.inertReason(key) : "it never changes a result"
      }
    }
    // A digest says nothing that the name or the limit has not said.
    if found.contains(where: { ["data", "limit"].contains($0.name) }) {
      found.removeAll { $0.name == "data-sha256" }
    }
    differences = found
  }
}
