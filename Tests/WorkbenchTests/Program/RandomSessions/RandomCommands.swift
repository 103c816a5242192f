/// Numbers from a seed, the same on every machine (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: Int) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A number from a range.
  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

  /// Whether something of this probability, in percent, happens.
  mutating func chance(_ percent: Int) -> Bool { number(1...100) <= percent }

  /// One of several.
  mutating func pick<T>(_ choices: [T]) -> T { choices[number(0...choices.count - 1)] }
}

/// Writes sessions as somebody would type them: sensible commands for the most part, mistakes, looks
/// and second thoughts among them. Every training takes a step or a few.
struct RandomCommands {
  private(set) var random: SeededRandom
  /// The runs there may be.
  private var runs: [String] = []
  private var trainings = 0
  private var cells = 0
  private var files = 0

  init(seed: Int) { random = SeededRandom(seed: seed) }

  /// Loads data and a network, in either order, with the small settings that keep trainings short.
  mutating func preparation() -> [String] {
    var lines = random.chance(70) ? ["seed \(random.number(1...9))"] : []
    lines += random.chance(70) ? [data(), load()] : [load(), data()]
    // Most train the classifier alone, which is quick.
    lines.append(Self.small + (random.chance(70) ? " freeze=backbone" : ""))
    if random.chance(40) { lines.append(settings()) }
    return lines
  }

  /// What keeps a training to two steps an epoch.
  static let small =
    "set input-size=32 batch-size=4 epochs=2 warmup-epochs=0 cooldown-epochs=0 log-interval=1"

  /// What keeps any training from diverging.
  static let gentle = "set lr=0.0005 opt=sgd warmup-epochs=0"

  /// A whole session: entries, each of which may have several lines.
  mutating func session() -> [String] {
    var entries = preparation()
    for _ in 0..<random.number(3...7) { entries.append(entry()) }
    if trainings == 0 { entries.append(train()) }
    return entries
  }

  /// The command that saves it.
  mutating func save() -> String { "save s.wb" + (random.chance(15) ? " --expect" : "") }

  /// A session in which every entry is one command that succeeds, with two trainings of a few epochs;
  /// the settings are such that every training can be gone on with.
  mutating func plainSession() -> [String] {
    var entries = preparation() + [Self.gentle]
    entries.append("set epochs=\(random.number(1...2))")
    entries.append("train name=a")
    if random.chance(50) { entries.append("note between the trainings") }
    if random.chance(50) { entries.append("set smoothing=0.2 hflip=0") }
    entries.append(
      random.pick([
        "resume a epochs=+1", "fork a@1 name=b epochs=+1", "train name=b", "train name=b lr=0.0004",
      ]))
    entries.append(
      random.pick(["eval", "metrics a > m.csv", "set lr=0.02", "checkpoint load a@1"]))
    return entries
  }

  // MARK: Entries

  private mutating func entry() -> String {
    switch random.number(0...99) {
    case 0..<24: return settings()
    case 24..<32: return random.pick([data(), load(), "seed \(random.number(1...9))"])
    case 32..<46: return trainings < 2 ? train() : look()
    case 46..<54: return goOn()
    case 54..<72: return look()
    case 72..<80: return mistake()
    case 80..<86: return remark()
    case 86..<92: return secondThoughts()
    case 92..<95: return preset()
    case 95..<98: return loop()
    default: return random.pick(["recalibrate batches=1", "reload"])
    }
  }

  private mutating func data() -> String {
    "data digits limit=\(random.pick([8, 8, 10]))"
      + (random.chance(15) ? " val-fraction=0.5" : "")
  }

  private mutating func load() -> String {
    let classes = random.pick(["", "", " classes=auto", " classes=10"])
    return "load efficientnet_b0" + classes
  }

  private static let values = [
    "lr=0.01", "lr=0.002", "lr=0.03", "momentum=0.5", "weight-decay=0.001", "smoothing=0",
    "smoothing=0.2", "hflip=0", "color-jitter=0", "no-aug=on", "no-aug=off", "scale=0.5,1",
    "warmup-epochs=1", "sched=step", "sched=constant", "opt=adamw", "opt=sgd", "mixup=0.2",
    "mixup=0", "cutmix=1", "drop=0.1", "drop-path=0.1", "freeze-bn=on", "freeze=stem",
    "model-ema=on", "grad-accum-steps=2", "clip-grad=1", "eval-metric=loss", "threads=1",
    "workers=1", "keep=1", "reprob=0.5", "min-lr=0", "decay-epochs=1", "head-epochs=1",
  ]

  private mutating func settings() -> String {
    if random.chance(15) {
      let keys = ["lr", "momentum", "hflip", "mixup", "opt", "smoothing", "freeze", "model-ema"]
      return "unset \(random.pick(keys))" + (random.chance(30) ? " \(random.pick(keys))" : "")
    }
    if random.chance(15) { return random.pick(Self.values) }
    var chosen: [String] = []
    for _ in 0..<random.number(1...3) {
      let value = random.pick(Self.values)
      let key = value.prefix { $0 != "=" }
      if !chosen.contains(where: { $0.prefix { $0 != "=" } == key }) { chosen.append(value) }
    }
    return "set " + chosen.joined(separator: " ")
  }

  private mutating func preset() -> String {
    let name = random.pick(["notebook-literal", "notebook-intent", "google-cifar-ft"])
    return "preset \(name); \(Self.small)"
  }

  private mutating func train() -> String {
    trainings += 1
    // A name may come twice: the first run is moved aside.
    let name = random.chance(85) || runs.isEmpty ? "r\(trainings)" : random.pick(runs)
    if !runs.contains(name) { runs.append(name) }
    var line = random.chance(10) ? "train" : "train name=\(name)"
    line += " max-steps=\(random.number(1...3))"
    if random.chance(30) { line += " lr=\(random.pick(["0.01", "0.004"]))" }
    if random.chance(25) { line += " stop-at=1" }
    return line
  }

  private mutating func run() -> String { runs.isEmpty ? "nosuch" : random.pick(runs) }

  private mutating func goOn() -> String {
    guard trainings > 0, trainings < 4 else { return look() }
    trainings += 1
    switch random.number(0...3) {
    case 0: return "resume max-steps=\(random.number(2...4))"
    case 1: return "resume \(run()) epochs=+1 max-steps=\(random.number(2...4))"
    case 2: return "checkpoint load \(run())" + random.pick(["", "@last", "@best", "@0"])
    default:
      let parent = run()
      let name = "f\(trainings)"
      runs.append(name)
      let place = random.pick(["", "@last", "@0"])
      return "fork \(parent)\(place) name=\(name) max-steps=\(random.number(2...3))"
    }
  }

  private mutating func look() -> String {
    files += 1
    return random.pick([
      "eval", "eval \(run())", "show", "info classifier", "status", "runs", "cells", "diff",
      "metrics \(run()) > m\(files).csv", "plot loss runs=\(run()) > p\(files).csv",
      "plot train_loss > q\(files).csv", "expect epoch >= 0", "expect epoch >= 0 run=\(run())",
      "lrfind 1e-4..1e-2 steps=2 > l\(files).csv", "history",
    ])
  }

  private mutating func mistake() -> String {
    random.pick([
      "trian name=x", "set lr=-1", "set nosuch=3", "eval nosuch", "load nosuch", "resume nosuch",
      "expect epoch >= 99", "checkpoint load nosuch@3", "train name=bad batch-size=999",
      "set lr=0.1 lr=0.2", "plot nosuch",
    ])
  }

  private mutating func remark() -> String {
    cells += 1
    return random.pick([
      "note a remark, number \(cells)", "# a comment", "cell \"Part \(cells)\" id=c\(cells)",
      "# %% Part \(cells) tags=\"slow\"", "timing on",
    ])
  }

  private mutating func secondThoughts() -> String {
    random.pick(["undo", "undo", "undo 2", "undo; redo", "redo", "run stale", "drop 1"])
  }

  private mutating func loop() -> String {
    guard trainings < 2 else { return "for s in 0 0.1 { set smoothing=${s} }" }
    trainings += 2
    runs += ["l0.1", "l0.2"]
    return "for s in 0.1 0.2 {\n  set smoothing=${s}\n  train name=l${s} max-steps=1\n}"
  }
}
