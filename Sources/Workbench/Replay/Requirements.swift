import DSL
import Foundation
import Model

/// What a script demands of the machine with `require`, checked before anything runs.
enum Requirements {
  /// - Throws: the first demand that is not met, joined to its place, with exit code 7.
  static func check(_ script: CheckedScript, _ state: WorkbenchState) throws {
    let demands = script.steps.filter { $0.invocation.name == "require" }
    for step in demands {
      do {
        try meet(step.invocation, data: Self.data(for: step, in: script, state), state)
      } catch let error as CommandError {
        let range = error.argument.map { step.invocation.range(of: $0) } ?? step.range
        throw ScriptError(
          [
            Diagnostic(
              rule: .requirement, message: error.message, at: range, hint: error.hint,
              notes: [.init("nothing was run")])
          ], in: script.script.source, exitCode: error.exitCode)
      }
    }
  }

  /// Whether a demand is met.
  ///
  /// - Parameter data: the data that it is about; nil for that of the session.
  static func meet(
    _ invocation: Invocation, data: LoadedData? = nil, _ state: WorkbenchState
  ) throws {
    let value = invocation.string("value")
    switch invocation.requiredString("what") {
    case "weights": try weights(value, invocation, state)
    case "data": try self.data(value, data, invocation, state)
    case "threads":
      let wanted = try number(value, .integer(.from(1)), "threads 2")
      let present = ProcessInfo.processInfo.activeProcessorCount
      try demand(Double(present) >= wanted, "\(present) cores", "\(Int(wanted)) threads")
    case "free-disk":
      let wanted = try number(value, .size, "free-disk 2G")
      let free = Machine.freeDisk(at: state.places.output)
      try demand(
        free.map { Double($0) >= wanted } ?? true,
        "\(NumberText.bytes(free ?? 0)) free in \(state.places.display(state.places.output))",
        NumberText.bytes(Int(wanted)))
    case "memory":
      let wanted = try number(value, .size, "memory 4G")
      let present = availableMemory()
      try demand(
        present.map { Double($0) >= wanted } ?? true,
        "\(NumberText.bytes(present ?? 0)) of memory free", NumberText.bytes(Int(wanted)))
    default:
      guard let value, let wanted = Version(value), let own = Version(ProgramVersion.number) else {
        throw CommandError(
          "require version takes a version such as \(ProgramVersion.number)", argument: "value")
      }
      try demand(
        own >= wanted, "workbench \(ProgramVersion.number)", "version \(value) or a newer one",
        hint: "use a newer release")
    }
  }

  private static func demand(
    _ isMet: Bool, _ present: String, _ wanted: String, hint: String? = nil
  ) throws {
    guard !isMet else { return }
    throw CommandError(
      "the script requires \(wanted); here is \(present)", hint: hint, argument: "value",
      exitCode: 7)
  }

  private static func number(_ text: String?, _ kind: ValueKind, _ example: String) throws -> Double
  {
    guard let text, let value = try? kind.parse(text) else {
      throw CommandError(
        text.map { "'\($0)' is not \(kind.phrase)" } ?? "how much?", hint: "require \(example)",
        argument: text == nil ? "what" : "value")
    }
    switch value {
    case .integer(let number), .size(let number): return Double(number)
    default: return 0
    }
  }

  private static func weights(
    _ name: String?, _ invocation: Invocation, _ state: WorkbenchState
  ) throws {
    guard let name else {
      throw CommandError(
        "whose weights?", hint: "require weights NAME sha256=…, with a name of 'models' or a file",
        argument: "what")
    }
    let place = state.places.input(name)
    let file: URL
    if FileManager.default.fileExists(atPath: place.path) {
      file = place
    } else {
      let variant: Variant
      do {
        variant = try Variant.named(name)
      } catch {
        throw CommandError(
          "there is no model and no file '\(name)'", hint: "'models' lists the models",
          argument: "value", exitCode: 7)
      }
      do {
        file = try WeightLocator.find(variant)
      } catch let error as any ModelError {
        throw CommandError(error.message, hint: error.advice, argument: "value", exitCode: 7)
      }
    }
    let opened = try WeightFile.open(file)
    try compare(
      [try opened.sha256(knownBy: DigestCache(file: HomeFolder.digests))], file.path, invocation)
  }

  private static func data(
    _ name: String?, _ data: LoadedData?, _ invocation: Invocation, _ state: WorkbenchState
  ) throws {
    let data = try data ?? state.requireData()
    if let name, name != data.source.name, name != data.request.name {
      throw CommandError(
        "the data is \(data.source.name), not \(name)", argument: "value", exitCode: 7)
    }
    try compare(
      [data.source.fingerprint] + data.source.files.map(\.sha256), data.source.name, invocation)
  }

  private static func compare(
    _ digests: [String], _ name: String, _ invocation: Invocation
  ) throws {
    guard let wanted = invocation.string("sha256")?.lowercased() else { return }
    guard wanted.utf8.count >= 6, digests.contains(where: { $0.hasPrefix(wanted) }) else {
      throw CommandError(
        "\(name) has the SHA-256 \(digests[0]), the script requires \(wanted)",
        hint: "it is not what the script was written with", argument: "sha256", exitCode: 7)
    }
  }

  /// The data that a demand is about, read without being given to the session: that of the last `data`
  /// before it, or of the first one behind it.
  private static func data(
    for step: Step, in script: CheckedScript, _ state: WorkbenchState
  ) throws -> LoadedData? {
    guard step.invocation.string("what") == "data" else { return nil }
    let all = script.steps.filter {
      $0.invocation.name == "data" && StepKind($0.invocation) == .setup
    }
    guard let wanted = all.last(where: { $0.index < step.index }) ?? all.first else { return nil }
    do {
      return try DataLoading.load(
        try DataCommands.request(wanted.invocation, state), state)
    } catch {
      throw translated(error)
    }
  }
}

/// What the machine has left.
enum Machine {
  /// The bytes that may be written where a folder is or will be; nil where nobody knows.
  static func freeDisk(at folder: URL) -> Int? {
    var place = folder.standardizedFileURL
    while !FileManager.default.fileExists(atPath: place.path), place.path != "/" {
      place.deleteLastPathComponent()
    }
    var room = statvfs()
    guard statvfs(place.path, &room) == 0 else { return nil }
    return Int(room.f_bavail) * Int(room.f_frsize)
  }
}

/// A release: numbers with dots between them.
private struct Version: Comparable {
  let parts: [Int]

  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...4).contains(parts.count), !parts.contains(nil) else { return nil }
    self.parts = parts.compactMap { $0 } + Array(repeating: 0, count: 4 - parts.count)
  }

  static func < (first: Version, second: Version) -> Bool {
    first.parts.lexicographicallyPrecedes(second.parts)
  }
}
