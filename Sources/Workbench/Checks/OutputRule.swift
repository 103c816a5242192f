import DSL
import Foundation
import Model

/// C8: places that cannot be written to, and disks that are too full for the checkpoints.
enum OutputRule {
  static func rule(_ situation: CheckSituation) -> CheckRule {
    let places = situation.places
    return CheckRule { script in
      files(script, places) + runs(script, places)
    }
  }

  private static func files(_ script: CheckedScript, _ places: Places) -> [Diagnostic] {
    script.steps.flatMap { step -> [Diagnostic] in
      outputs(of: step.invocation).compactMap { argument in
        let file = places.output(argument.text)
        guard let reason = obstacle(to: file) else { return nil }
        return Diagnostic(
          rule: .cannotWrite, message: "cannot write '\(argument.text)': \(reason)",
          at: argument.range,
          hint: "choose another place")
      }
    }
  }

  /// The arguments that name a file to write.
  private static func outputs(of invocation: Invocation) -> [Argument] {
    let named = invocation.signature.positionals.filter { $0.kind == .path(.output) }.map(\.name)
    return invocation.positionals.filter { named.contains($0.name) }
      + (invocation.output.map { [$0] } ?? [])
  }

  private static func obstacle(to file: URL) -> String? {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder) {
      return isFolder.boolValue ? "it is a folder" : nil
    }
    return folderObstacle(file.deletingLastPathComponent())
  }

  /// Why a folder cannot be written to or made; nil if it can.
  private static func folderObstacle(_ folder: URL) -> String? {
    var place = folder.standardizedFileURL
    var isFolder: ObjCBool = false
    while !FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder) {
      guard place.path != "/" else { return "there is no such folder" }
      place.deleteLastPathComponent()
    }
    if !isFolder.boolValue { return "\(place.path) is not a folder" }
    return access(place.path, W_OK | X_OK) == 0 ? nil : "permission denied in \(place.path)"
  }

  private static func runs(_ script: CheckedScript, _ places: Places) -> [Diagnostic] {
    guard let first = script.steps.first(where: { StepKind($0.invocation) == .training }) else {
      return []
    }
    if let reason = folderObstacle(places.runs) {
      return [
        Diagnostic(
          rule: .cannotWrite,
          message: "cannot make runs in \(places.display(places.output)): \(reason)",
          at: first.range, hint: "--out names another folder")
      ]
    }
    let needed = script.steps.reduce(0) { $0 + leastBytes(of: $1, in: script) }
    guard let free = Machine.freeDisk(at: places.runs), needed > free else { return [] }
    return [
      Diagnostic(
        rule: .diskFull,
        message: "the checkpoints take at least \(NumberText.bytes(needed)), and "
          + "\(NumberText.bytes(free)) are free",
        at: first.range, hint: "--out names a folder on another disk")
    ]
  }

  /// The least that a training writes: the weights and one slot of the optimizer, for the last
  /// checkpoint and the one that is written before it goes.
  private static func leastBytes(of step: Step, in script: CheckedScript) -> Int {
    guard step.invocation.name == "train",
      let load = script.last(before: step, where: { $0.name == "load" }),
      let variant = load.invocation.string("model").flatMap({ try? Variant.named($0) }),
      let blueprint = try? Blueprint(variant, classCount: load.invocation.integer("classes") ?? 10)
    else { return 0 }
    return 2 * 2 * 4 * blueprint.parameterCount
  }
}
