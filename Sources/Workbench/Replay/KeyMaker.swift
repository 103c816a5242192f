import DSL
import Foundation
import Model

/// Says what steps follow from, while a script goes by.
///
/// Settings and data count by what they are in the session, whichever lines made them so; networks
/// and runs by the keys of the commands that made them, so that nothing must be trained to know them.
struct KeyMaker {
  private(set) var trace = SlotTrace()
  let script: Script
  /// What decides the bits besides the script: the program and the processor.
  let program: String
  private var counts: [String: Int] = [:]

  init(_ script: Script, program: String = NumericsFingerprint.text) {
    self.script = script
    self.program = program
  }

  /// What is replaced when the step is done again; the same words for a second time get a number.
  mutating func subject(of step: Step) -> String {
    let invocation = step.invocation
    let words: String
    if let run = step.namedRun {
      words = "\(invocation.name) \(run)"
    } else if let path = invocation.outputPath {
      words = "\(invocation.name) > \(path)"
    } else if StepKind(invocation) == .training {
      words = invocation.name
    } else {
      words = invocation.canonicalText
    }
    counts[words, default: 0] += 1
    let count = counts[words] ?? 1
    return count == 1 ? words : "\(words) #\(count)"
  }

  /// What a step follows from, in the session as it is before the step.
  func key(of step: Step, _ state: WorkbenchState) -> ResultKey {
    let invocation = step.invocation
    var inputs = [ResultKey.Input(.command, "command", Self.command(invocation))]
    var slots = invocation.reads.map(Self.whole)
    if slots.contains(where: { $0.name.hasPrefix("params.") }) {
      inputs += settings(invocation, state)
    } else if ["resume", "fork"].contains(invocation.name) {
      // Their settings are the run's, but for those that are forced.
      inputs += settings(invocation, state).filter { state.forcedKeys.contains($0.name) }
    }
    slots.removeAll { $0.name.hasPrefix("params.") }
    if invocation.name == "resume" { slots.removeAll { ["model", "data"].contains($0.name) } }
    // A named run is what counts, whichever is the current one.
    if slots.contains(where: { $0.name.hasPrefix("run:") && $0.name != "run:current" }) {
      slots.removeAll { $0.name == "run:current" }
    }
    inputs += trace.inputs(slots) { slot in
      Self.outside(slot, isTraining: StepKind(invocation) == .training, state)
    }
    inputs += Self.files(invocation, state)
    inputs.append(.init(.outside, "the language", "\(script.version?.number ?? 1)"))
    inputs.append(.init(.outside, "the program or the processor", program))
    return ResultKey(inputs)
  }

  /// Notes what a step has left in the session.
  ///
  /// - Parameter key: the key of a training.
  mutating func passed(
    _ step: Step, key: ResultKey? = nil, run: String? = nil, _ state: WorkbenchState
  ) {
    let invocation = step.invocation
    let origin = step.origin(in: script)
    switch invocation.name {
    case "load":
      trace.write("model", Self.digest(loading(invocation, state)), origin: origin)
    case "data" where StepKind(invocation) == .setup:
      let before = trace.value(of: "data")
      let now = state.data.map(Self.identity)
      trace.write("data", now ?? "", origin: origin)
      // A network whose head follows the data may have got a new one.
      if let model = trace.value(of: "model"), before != now, state.model?.classes == .auto {
        let head = "\(model) head \(state.data?.classCount ?? 0) \(state.seed)"
        trace.write("model", Self.digest(head), origin: origin)
      }
    case "checkpoint" where StepKind(invocation) == .setup:
      let key = key ?? self.key(of: step, state)
      trace.write("model", Self.digest(key.text), origin: origin)
    case "train", "resume", "fork":
      let key = key ?? self.key(of: step, state)
      let value = Self.digest(key.text)
      for slot in ["model", "run:current"] + (run ?? step.namedRun).map({ ["run:\($0)"] }).orEmpty {
        trace.write(Slot(slot), value, origin: origin)
      }
      if invocation.name != "train", let data = state.data {
        trace.write("data", Self.identity(data), origin: origin)
      }
    default: break
    }
  }

  // MARK: Parts

  /// The command without the settings that it makes and without what has no part in its result.
  private static func command(_ invocation: Invocation) -> String {
    guard invocation.name == "train" else { return invocation.canonicalText }
    let own = invocation.keys.filter { HyperparameterKey.find($0.name) == nil }
    return (["train"] + own.map { "\($0.name)=\($0.canonicalText)" }).joined(separator: " ")
  }

  private func settings(_ invocation: Invocation, _ state: WorkbenchState) -> [ResultKey.Input] {
    let values = state.effectiveValues(invocation)
    return HyperparameterKey.all.filter {
      values[$0.name] != $0.defaultValue && Self.matters($0, to: invocation)
    }.map { .init(.setting, $0.name, values[$0.name].text) }
  }

  /// Whether a key takes part in a result. The metric does not change a step, but which epoch is best.
  static func matters(_ key: HyperparameterKey) -> Bool {
    key.changesResult || key.name == "eval-metric"
  }

  /// Whether a key takes part in the result of a command.
  private static func matters(_ key: HyperparameterKey, to invocation: Invocation) -> Bool {
    switch invocation.name {
    case "eval", "predict", "features":
      return key.group == .preprocess || key.name == "input-size"
    // Only the schedule of a training that has not begun comes from the settings.
    case "plot": return invocation.strings("metrics") == ["lr"] && !invocation.isGiven("runs")
    default: return matters(key)
    }
  }

  private func loading(_ invocation: Invocation, _ state: WorkbenchState) -> String {
    let arguments = invocation.canonicalText.split(separator: " ")
      .filter { !$0.hasPrefix("weights=") && !$0.hasPrefix("sha256=") }
    var text = arguments.joined(separator: " ") + " seed \(state.seed)"
    if let model = state.model {
      text += " classes \(model.classCount)"
      if case .file(_, let sha256) = model.weights { text += " weights \(sha256)" }
    }
    return text
  }

  private static func identity(_ data: LoadedData) -> String {
    digest("\(data.source.fingerprint) \(data.source.train.count)")
  }

  /// The slot of a run for that of one of its checkpoints: `run:a` for `run:a@best`.
  private static func whole(_ slot: Slot) -> Slot {
    guard slot.name.hasPrefix("run:"), let at = slot.name.firstIndex(of: "@") else { return slot }
    return Slot(String(slot.name[..<at]))
  }

  /// A run that the script has not made, as it is on disk.
  private static func outside(
    _ slot: Slot, isTraining: Bool, _ state: WorkbenchState
  ) -> String? {
    guard slot.name.hasPrefix("run:"), !slot.isPattern else { return nil }
    let name = String(slot.name.dropFirst(4))
    let run =
      name == "current"
      ? RunSummary.all(in: state.places.runs).first
      : (try? RunDirectory.open(name, in: state.places.runs)).map(RunSummary.init)
    guard let run, let began = run.started?.timeIntervalSince1970 else { return nil }
    // A training goes on with it and thereby changes it.
    let modified = isTraining ? nil : run.modified?.timeIntervalSince1970
    return "\(run.name) \(began) \(modified ?? 0)"
  }

  /// The files that a command reads, by their contents; of a folder the names, sizes and times.
  private static func files(_ invocation: Invocation, _ state: WorkbenchState) -> [ResultKey.Input]
  {
    let signature = invocation.signature
    let kinds =
      signature.positionals.map { ($0.name, $0.kind) } + signature.keys.map { ($0.name, $0.kind) }
    return kinds.filter { $0.1 == .path(.input) || $0.1 == .path(.directory) }
      .flatMap { invocation.strings($0.0) }
      .map { .init(.outside, $0, contents(of: state.places.input($0))) }
  }

  private static func contents(of url: URL) -> String {
    let inside = FileManager.default.subpaths(atPath: url.path) ?? []
    guard inside.isEmpty else {
      let stamps = inside.sorted().map { name -> String in
        let stamp = FileStamp(of: url.appendingPathComponent(name))
        return "\(name) \(stamp?.size ?? 0) \(stamp?.modified ?? 0)"
      }
      return digest(stamps.joined(separator: "\n"))
    }
    return (try? sha256(of: url, knownBy: DigestCache(file: HomeFolder.digests))) ?? "none"
  }

  private static func digest(_ text: String) -> String { sha256(of: Array(text.utf8)) }
}

extension Optional where Wrapped == [String] {
  fileprivate var orEmpty: [String] { self ?? [] }
}

extension WorkbenchState {
  /// The settings with a command's own keys on top, without a word; what cannot be set is left out.
  func effectiveValues(_ invocation: Invocation) -> HyperparameterValues {
    var values = self.values
    for argument in invocation.keys
    where HyperparameterKey.find(argument.name) != nil && !forcedKeys.contains(argument.name) {
      _ = try? values.assign(argument)
    }
    return values
  }
}

/// What decides the bits of a training besides its script: the program's own bytes, and what its
/// kernels can use of the processor.
enum NumericsFingerprint {
  static let text: String = {
    let features = EnvironmentRecord(version: "", git: nil, threads: 1).features
    let program =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      .map { URL(fileURLWithPath: $0) }
    let digest = program.flatMap {
      try? sha256(of: $0, knownBy: DigestCache(file: HomeFolder.digests))
    }
    return "\(digest ?? ProgramVersion.number) \(features.joined(separator: " "))"
  }()
}
