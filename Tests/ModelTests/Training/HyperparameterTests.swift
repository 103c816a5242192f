import Foundation
import Testing

@testable import Model

struct HyperparameterTests {
  @Test func everyDeclarationIsSound() throws {
    #expect(Set(HyperparameterKey.all.map(\.name)).count == HyperparameterKey.all.count)
    for key in HyperparameterKey.all {
      #expect(try key.normalized(key.defaultValue) == key.defaultValue, "\(key.name)")
      #expect(HyperparameterKey.find(key.name)?.name == key.name)
      #expect(key.summary.hasSuffix(".") && key.summary.count < 100, "\(key.name)")
      #expect(!key.explanation.isEmpty && !key.explanation.contains("  "), "\(key.name)")
      #expect(!key.name.contains("_"))
    }
    for group in HyperparameterKey.Group.allCases {
      #expect(HyperparameterKey.all.contains { $0.group == group })
    }
  }

  @Test func choicesAreThoseOfTheTypes() throws {
    func choices(_ name: String) throws -> [String] {
      guard case .choice(let choices) = try HyperparameterKey.named(name).kind else { return [] }
      return choices
    }
    #expect(try choices("opt") == OptimizerChoice.allCases.map(\.rawValue))
    #expect(try choices("sched") == ScheduleRule.allCases.map(\.rawValue))
    #expect(try choices("eval-metric") == EvaluationMetric.allCases.map(\.rawValue))
    #expect(try choices("interpolation") == Interpolation.allCases.map(\.rawValue))
  }

  @Test func namesHaveAliasesAndUnderscores() throws {
    #expect(try HyperparameterKey.named("bs").name == "batch-size")
    #expect(try HyperparameterKey.named("e").name == "epochs")
    #expect(try HyperparameterKey.named("warmup_epochs").name == "warmup-epochs")
    #expect(throws: HyperparameterError.unknownKey("warmup-epoch")) {
      try HyperparameterKey.named("warmup-epoch")
    }
  }

  @Test func valuesAreNormalized() throws {
    var values = HyperparameterValues()
    #expect(try values.set("lr", to: .integer(1)) == .number(0.05))
    #expect(values["lr"] == .number(1))
    try values.set("no-aug", to: .word("yes"))
    #expect(values["no-aug"] == .flag(true))
    try values.set("input-size", to: .numbers([3, 64, 64]))
    #expect(values["input-size"] == .integer(64))
    try values.set("input_size", to: .auto)
    #expect(values["input-size"] == .auto)
    try values.set("epochs", to: .number(3))
    #expect(values["epochs"] == .integer(3))
    #expect(try values.unset("lr") == .number(1))
    #expect(values["lr"] == .number(0.05))
    #expect(values.changed.map(\.name) == ["no-aug", "epochs"])
  }

  @Test(arguments: [
    ("lr", HyperparameterValue.number(-1)), ("lr", .number(.nan)), ("momentum", .number(1)),
    ("epochs", .integer(0)), ("scale", .numbers([0.9, 0.1])), ("scale", .numbers([0, 1])),
    ("hflip", .number(1.5)), ("sched", .word("saw")), ("std", .numbers([1, 0, 1])),
    ("time-limit", .number(0)), ("input-size", .integer(4)),
  ])
  func valuesOutsideTheRangeAreRefused(name: String, value: HyperparameterValue) throws {
    var values = HyperparameterValues()
    let error = #expect(throws: HyperparameterError.self) { try values.set(name, to: value) }
    guard case .outOfRange(name, _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(values == HyperparameterValues())
  }

  @Test(arguments: [
    ("lr", HyperparameterValue.word("fast")), ("epochs", .number(1.5)), ("no-aug", .integer(2)),
    ("mean", .numbers([1, 2, 3, 4])), ("mean", .word("none")),
    ("input-size", .numbers([3, 64, 32])),
    ("opt", .integer(1)), ("max-steps", .auto),
  ])
  func valuesOfAnotherTypeAreRefused(name: String, value: HyperparameterValue) throws {
    var values = HyperparameterValues()
    let error = #expect(throws: HyperparameterError.self) { try values.set(name, to: value) }
    guard case .wrongType(name, _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func messagesSayWhatIsLegal() throws {
    func message(_ name: String, _ value: HyperparameterValue) -> String {
      do {
        _ = try HyperparameterKey.named(name).normalized(value)
        return ""
      } catch {
        return error.message
      }
    }
    #expect(message("lr", .number(-1)) == "lr cannot be '-1'; it takes number of at least 0")
    #expect(
      message("epochs", .integer(0)) == "epochs cannot be '0'; it takes whole number in 1..1000000")
    #expect(
      message("sched", .word("x")) == "sched cannot be 'x'; it takes cosine|tanh|poly|step"
        + "|multistep|plateau|exponential|onecycle|constant")
    #expect(
      message("crop-pct", .number(2))
        == "crop-pct cannot be '2'; it takes auto or number above 0 up to 1")
  }

  @Test func inertKeysSayWhy() throws {
    var values = HyperparameterValues()
    func reason(_ name: String) throws -> String? {
      values.inertReason(try HyperparameterKey.named(name))
    }
    #expect(try reason("hflip") == nil)
    try values.set("no-aug", to: .flag(true))
    #expect(try reason("hflip") == "no-aug is on")
    #expect(try reason("min-lr") == nil)
    try values.set("sched", to: .word("constant"))
    #expect(try reason("min-lr") == "sched is constant")
    try values.set("warmup-epochs", to: .integer(0))
    #expect(try reason("warmup-lr") == "warmup-epochs is 0")
    try values.set("min-lr", to: .number(1e-4))
    #expect(
      Hyperparameters.warnings(values).contains(.inert(key: "min-lr", reason: "sched is constant")))
  }

  @Test func jsonIsCompleteSortedAndStable() throws {
    var values = HyperparameterValues()
    try values.set("lr", to: .number(0.1))
    try values.set("mean", to: .numbers([0.5, 0.5, 0.5]))
    let text = String(decoding: try values.json, as: UTF8.self)
    let names = text.split(separator: "\n").compactMap { line -> Substring? in
      guard line.hasPrefix("  \"") else { return nil }
      return line.dropFirst(3).prefix { $0 != "\"" }
    }
    #expect(names.count == HyperparameterKey.all.count)
    #expect(names == names.sorted())
    #expect(text.contains("  \"lr\" : 0.1,\n"))
    #expect(text.contains("  \"weight-decay\" : 2e-05,\n"))
    #expect(text.contains("  \"max-steps\" : \"none\",\n"))
    #expect(text.contains("  \"no-aug\" : false,\n"))
    let decoded = try JSONDecoder().decode(HyperparameterValues.self, from: values.json)
    #expect(try decoded.json == values.json)
    #expect(decoded.all == values.all)
  }

  @Test func autoBecomesTheNetworksValue() throws {
    var values = HyperparameterValues()
    try values.set("mean", to: .numbers([0.1, 0.2, 0.3]))
    let network = Preprocessing(
      inputSize: 224, testInputSize: 288, cropFraction: 0.9, interpolation: .bicubic,
      mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25], cropMode: .squash)
    let settings = Hyperparameters(values, for: network)
    #expect(settings.preprocessing.inputSize == 224)
    #expect(settings.preprocessing.testInputSize == nil)
    #expect(settings.preprocessing.mean == [0.1, 0.2, 0.3])
    #expect(settings.values["std"] == .numbers([0.25, 0.25, 0.25]))
    #expect(settings.values["input-size"] == .integer(224))
    #expect(settings.values["crop-pct"] == .number(0.9))
    #expect(settings.values["interpolation"] == .word("bicubic"))
    #expect(settings.values["threads"] == .auto)
    #expect(settings.evalTransform.cropMode == .squash)
    #expect(settings.threads >= 1)
    // Resolving twice changes nothing: a checkpoint's values can be resolved again.
    #expect(try Hyperparameters(settings.values, for: network).values.json == settings.values.json)
  }

  @Test func settingsThatAreHardlyMeantAreWarnedOf() throws {
    var values = HyperparameterValues()
    #expect(Hyperparameters.warnings(values).isEmpty)
    try values.set("epochs", to: .integer(2))
    #expect(Hyperparameters.warnings(values) == [.warmupNeverEnds(warmup: 3, epochs: 2)])
    // A rise of its own, and a warm-up that comes before the epochs, end.
    for (key, value) in [("sched", HyperparameterValue.word("onecycle")), ("warmup-prefix", true)] {
      var others = values
      try others.set(key, to: value)
      #expect(Hyperparameters.warnings(others).isEmpty)
    }
    try values.set("warmup-epochs", to: .integer(1))
    try values.set("lr", to: .number(1e-7))
    #expect(
      Hyperparameters.warnings(values) == [
        .warmupAboveRate(warmup: 1e-4, rate: 1e-7), .floorAboveRate(minimum: 1e-6, rate: 1e-7),
      ])
  }

  @Test func aBatchMustFitTheData() throws {
    let settings = Hyperparameters(
      HyperparameterValues(), for: TinyTraining.variant.preprocessing)
    try settings.checkBatches(images: 32)
    #expect(throws: HyperparameterError.batchLargerThanData(batch: 32, images: 31)) {
      try settings.checkBatches(images: 31)
    }
    #expect(settings.epochsText == "100 + 10 cooldown = 110")
  }
}

extension HyperparameterValues {
  /// The values as params.json and the checkpoints write them.
  fileprivate var json: Data {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return try encoder.encode(self)
    }
  }
}
