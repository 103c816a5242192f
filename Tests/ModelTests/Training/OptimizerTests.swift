import Foundation
import Kernels
import Testing

@testable import Model

/// What torch and timm computed; written by Tests/Tools/make_optimizer_fixtures.py.
struct OptimizerFixture: Decodable {
  struct Options: Decodable {
    let betas: [Double]?
    let eps: Double?
    let momentum: Double?
    let weightDecay: Double?

    enum CodingKeys: String, CodingKey {
      case betas, eps, momentum
      case weightDecay = "weight_decay"
    }
  }

  let opt: String
  let rate: Double
  let steps: Int
  let options: Options
  let weights: [String: NetworkFixture.Digest]

  static func load<Contents: Decodable>(_ name: String) throws -> Contents {
    let file = fixtureFolder("optimizer").appendingPathComponent("\(name).json")
    return try JSONDecoder().decode(Contents.self, from: Data(contentsOf: file))
  }
}

/// The fixtures' bag of tensors: every shape that a rule may treat in a way of its own.
struct TensorBag {
  let store: ParameterStore

  /// - Parameter width: what the channels of the large tensors are multiplied by.
  init(width: Int = 1) {
    var table = ParameterDeclarations()
    _ = table.convolution("stem", .stem, .convolution, kernel: 3, inputs: 3, outputs: 8)
    _ = table.convolution(
      "conv", .head, .convolution, kernel: 3, inputs: 20 * width, outputs: 24 * width)
    _ = table.convolution(
      "point", .head, .project, kernel: 1, inputs: 24 * width, outputs: 40 * width)
    _ = table.depthwise("depth", .head, .depthwise, kernel: 3, channels: 16)
    _ = table.norm("norm", .head, .depthwise, channels: 16)
    _ = table.tokens("tokens", .positions, count: 20, channels: 24, deviation: 1)
    _ = table.dense("hidden", .head, .hiddenInput, inputs: 24 * width, outputs: 20)
    _ = table.dense("head", .classifier, .classifier, inputs: 24 * width, outputs: 10)
    _ = table.bias("head", .classifier, .classifier, count: 10)
    store = ParameterStore(table.table())
    for info in weights { fill(store.weights, info, info.path, 0.5) }
  }

  var weights: [ParameterInfo] { store.table.entries.filter { $0.storage == .weights } }

  func setGradients(step: Int) {
    for info in weights {
      fill(store.gradients, info, "\(info.path) in step \(step)", 0.1 + 0.02 * Double(step))
    }
  }

  private func fill(
    _ target: UnsafeMutablePointer<Float>, _ info: ParameterInfo, _ key: String, _ scale: Double
  ) {
    let numbers = FormulaNumbers(key: key)
    let values = (0..<info.count).map { Float(numbers.uniform($0) * scale) }
    info.layout.fromTimm(values, to: target + info.offset, shape: info.shape)
  }

  /// All tensors in two groups, of which the second learns at half the rate.
  func target(frozen: [String] = []) throws -> UpdateTarget {
    let rule = FreezeRule(
      frozen.isEmpty ? "none" : frozen.joined(separator: ","), fixesNorms: false)
    let groups = UpdateGroup.all(of: store.table, try Freezing(rule, store.table)).map {
      UpdateGroup(range: $0.range, decays: $0.decays, rateScale: $0.decays ? 1 : 0.5)
    }
    return UpdateTarget(store, groups)
  }

  /// Runs steps of the fixtures' ladder.
  func run(_ optimizer: any Optimizer, _ steps: Range<Int>, rate: Double, _ pool: ThreadPool) {
    for step in steps {
      setGradients(step: step)
      optimizer.step(learningRate: rate * (1 + Double(step % 4) * 0.25), pool: pool)
    }
  }

  func check(
    _ expected: [String: NetworkFixture.Digest], _ what: String,
    _ values: (ParameterInfo) -> [Float]
  ) throws {
    #expect(expected.count == weights.count)
    for info in weights {
      let digest = try #require(expected[info.path])
      let worst = TensorDigest(values(info), info).deviation(from: digest, factor: 4, floor: 1e-6)
      #expect(worst < 1, "\(what), \(info.path): \(worst) times what is allowed")
    }
  }
}

/// The rules against torch and timm, and what must hold for all of them.
struct OptimizerTests {
  static let rules = OptimizerChoice.allCases

  private func settings(_ changes: [String: HyperparameterValue]) throws -> OptimizerSettings {
    var values = HyperparameterValues()
    try values.set("weight-decay", to: .number(0.05))
    for (key, value) in changes { try values.set(key, to: value) }
    return OptimizerSettings(values)
  }

  @Test("thirteen steps of every rule end where torch's and timm's do")
  func agreement() throws {
    let fixtures: [String: OptimizerFixture] = try OptimizerFixture.load("steps")
    #expect(
      Set(fixtures.values.compactMap { OptimizerChoice(rawValue: $0.opt)?.rule }).count
        == OptimizerRule.allCases.count)
    let pool = ThreadPool(threads: 2)
    for (name, fixture) in fixtures {
      var changes: [String: HyperparameterValue] = ["opt": .word(fixture.opt)]
      if let betas = fixture.options.betas { changes["opt-betas"] = .numbers(betas) }
      if let eps = fixture.options.eps { changes["opt-eps"] = .number(eps) }
      if let momentum = fixture.options.momentum { changes["momentum"] = .number(momentum) }
      if let decay = fixture.options.weightDecay { changes["weight-decay"] = .number(decay) }
      let bag = TensorBag()
      let optimizer = try settings(changes).make(for: bag.target())
      bag.run(optimizer, 0..<fixture.steps, rate: fixture.rate, pool)
      optimizer.finishEpoch(pool: pool)
      try bag.check(fixture.weights, name, bag.store.values)
    }
  }

  @Test("the same bits with 1, 2 and 3 threads", arguments: rules)
  func threads(_ choice: OptimizerChoice) throws {
    let settings = try settings([
      "opt": .word(choice.rawValue), "opt-betas": .numbers([0.9, 0.99]),
    ])
    let ends = try (1...3).map { threads in
      let bag = TensorBag(width: 5)
      let start = bag.weights.map(bag.store.values)
      let optimizer = settings.make(for: try bag.target())
      let pool = ThreadPool(threads: threads)
      bag.run(optimizer, 0..<7, rate: 0.01, pool)
      optimizer.finishEpoch(pool: pool)
      let end = bag.weights.map(bag.store.values)
      #expect(zip(start, end).allSatisfy { $0 != $1 })
      let isFinite = end.joined().allSatisfy { $0.isFinite }
      #expect(isFinite)
      return end
    }
    #expect(ends[1] == ends[0] && ends[2] == ends[0])
  }

  @Test("a gradient that is no finite number is told of and reaches no weight", arguments: rules)
  func infiniteGradients(_ choice: OptimizerChoice) throws {
    let pool = ThreadPool(threads: 2)
    for path in ["conv.weight", "norm.bias", "head.bias"] {
      for (value, place) in [(Float.infinity, 0.0), (-.infinity, 0.5), (.nan, 1)] {
        let bag = TensorBag(width: 5)
        let optimizer = try settings(["opt": .word(choice.rawValue)]).make(for: bag.target())
        bag.setGradients(step: 0)
        #expect(optimizer.step(learningRate: 0.01, pool: pool))
        bag.setGradients(step: 1)
        let info = try #require(bag.weights.first { $0.path == path })
        bag.store.gradients[info.offset + Int(place * Double(info.count - 1))] = value
        #expect(!optimizer.step(learningRate: 0.01, pool: pool), "\(value) in \(path)")
        let weights = bag.weights.map(bag.store.values).joined()
        #expect(weights.allSatisfy { $0.isFinite }, "\(value) in \(path)")
      }
    }
  }

  @Test("what is frozen keeps its weights and slots", arguments: rules)
  func frozen(_ choice: OptimizerChoice) throws {
    let bag = TensorBag()
    let frozen = ["conv.weight", "norm.bias", "head.bias"]
    let infos = bag.weights.filter { frozen.contains($0.path) }
    let target = try bag.target(frozen: frozen)
    let optimizer = try settings(["opt": .word(choice.rawValue)]).make(for: target)
    let slots = { optimizer.slots.map { slot in Self.values(of: slot, among: frozen) } }
    let before = (infos.map(bag.store.values), slots())
    bag.run(optimizer, 0..<7, rate: 0.01, ThreadPool(threads: 2))
    #expect(infos.map(bag.store.values) == before.0)
    #expect(slots() == before.1)
    #expect(before.1.allSatisfy { $0.count == 3 || choice.rule == .adafactor || $0.isEmpty })
  }

  private static func values(of slot: OptimizerSlot, among paths: [String]) -> [String: [Float]] {
    var table: [String: [Float]] = [:]
    for tensor in slot.tensors where paths.contains(tensor.path) {
      let count = tensor.shape.reduce(1, *)
      table[tensor.path] = Array(
        UnsafeBufferPointer(start: slot.values + tensor.offset, count: count))
    }
    return table
  }

  @Test func onlyLargeMatricesAreFactored() throws {
    let bag = TensorBag()
    let optimizer = try settings(["opt": .word("adafactor")]).make(for: bag.target())
    let shapes = optimizer.slots.map { slot in
      Dictionary(uniqueKeysWithValues: slot.tensors.map { ($0.path, $0.shape) })
    }
    #expect(
      shapes[0] == [
        "conv.weight": [9, 20], "point.weight": [1, 24], "tokens": [1, 20],
        "hidden.weight": [1, 24],
      ])
    #expect(shapes[1]["conv.weight"] == [9, 24])
    #expect(shapes[2].count == bag.weights.count - 4)
  }

  @Test func theMemoryIsWhatIsReckoned() throws {
    let table = TensorBag().store.table
    for choice in Self.rules {
      for betas in [HyperparameterValue.auto, .numbers([0.9, 0.99])] {
        let bag = TensorBag()
        let settings = try settings(["opt": .word(choice.rawValue), "opt-betas": betas])
        let held = settings.make(for: try bag.target()).slots.filter { $0.name != "lookahead" }
          .reduce(0) { $0 + $1.count }
        let reckoned = settings.stateFloats(of: table).optimizer
        // Gaps between the small tensors of Adafactor are not counted.
        #expect(held >= reckoned && held - reckoned < 16 * 40, "\(choice.rawValue)")
      }
    }
  }

  @Test func keysWithoutEffectAreToldOf() throws {
    var values = HyperparameterValues()
    func reason(_ name: String) throws -> String? {
      values.inertReason(try HyperparameterKey.named(name))
    }
    #expect(try reason("momentum") == nil)
    #expect(try reason("opt-betas") == "opt=sgd has no betas")
    #expect(try reason("opt-eps") == "opt=sgd divides by nothing")
    #expect(try reason("clip-mode") == "clip-grad is none")
    #expect(try reason("model-ema-decay") == "model-ema is off")
    #expect(try reason("model-ema-warmup") == "model-ema is off")
    try values.set("opt", to: .word("lookahead_adamw"))
    try values.set("clip-grad", to: .integer(1))
    try values.set("model-ema", to: .flag(true))
    #expect(try reason("momentum") == "opt=lookahead_adamw has no momentum")
    for name in ["opt-betas", "opt-eps", "clip-mode", "model-ema-decay", "model-ema-warmup"] {
      #expect(try reason(name) == nil, "\(name)")
    }
    let settings = OptimizerSettings(values)
    #expect(settings.choice == OptimizerChoice(.adamw, looksAhead: true))
    #expect(settings.epsilon == 1e-8 && settings.betas == nil)
    #expect(settings.clipping == ClippingSettings(mode: .norm, limit: 1))
    #expect(settings.average == AverageSettings(decay: 0.9998, warmsUp: false))
    #expect(settings.layerDecay == nil && settings.accumulation == 1)
  }
}
