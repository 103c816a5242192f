import Foundation
import Kernels
import Testing

@testable import Model

/// Weights that are updated in the backward pass: they are read no more, and get the bits that an update
/// behind it would give them.
@Suite(.serialized)
struct PartwiseUpdateTests {
  @Test(
    "what backward calls finished is read no more and stays as it is",
    arguments: [
      NetworkStepTests.Case(model: "tf_efficientnetv2_b0", batch: 3, size: 48, dropRate: 0.3),
      NetworkStepTests.Case(
        model: "efficientnetv2_rw_t", batch: 2, size: 31, dropRate: 0, dropPath: 0.3),
      NetworkStepTests.Case(model: "efficientnet_b0", batch: 3, size: 33, dropRate: 0),
      NetworkStepTests.Case(
        model: "vit_tiny_patch16_224", batch: 2, size: 48, dropRate: 0.3, dropPath: 0.3),
    ], [false, true])
  func finished(test: NetworkStepTests.Case, isCheckpointing: Bool) throws {
    let (whole, parts) = (
      try SmallStep(test, threads: 2, isCheckpointing: isCheckpointing),
      try SmallStep(test, threads: 2, isCheckpointing: isCheckpointing)
    )
    let key = StepKey(seed: 5, epoch: 0, step: 0)
    whole.run(key)
    let store = parts.store
    var end = store.table.decayingRange.upperBound
    var gradients: [(start: Int, values: [UInt32])] = []
    parts.run(key) { start in
      #expect(start < end)
      gradients.append((start, (start..<end).map { store.gradients[$0].bitPattern }))
      // Whoever reads them still would spread this.
      for index in start..<end { store.weights[index] = .nan }
      end = start
    }
    #expect(gradients.count == parts.graph.network.blueprint.blockCount + 1)
    for (start, values) in gradients {
      #expect(values == values.indices.map { store.gradients[start + $0].bitPattern })
    }
    for index in 0..<store.table.weightExtent {
      guard store.gradients[index].bitPattern == whole.store.gradients[index].bitPattern else {
        Issue.record("gradient \(index) is another")
        return
      }
    }
    // All but the stem or the patches were handed over.
    #expect(end == store.table.decayingStart(ofBlock: 0) && end > 0)
    #expect(end < store.table.decayingRange.upperBound / 10)
  }

  @Test(
    "a step that updates in parts gives the bits of one that updates at the end",
    arguments: [
      ("tf_efficientnetv2_b0", ["opt": .word("momentum"), "model-ema": .flag(true)]),
      ("tf_efficientnetv2_b0", ["opt": .word("adamw"), "layer-decay": .number(0.8)]),
      ("tf_efficientnetv2_b0", ["opt": .word("nadam"), "freeze": .word("blocks.1")]),
      ("efficientnet_b0", ["opt": .word("rmsproptf"), "drop-path": .number(0.2)]),
      ("vit_tiny_patch16_224", ["opt": .word("sgd"), "freeze": .word("blocks.3")]),
    ] as [(String, [String: HyperparameterValue])])
  func bits(model: String, others: [String: HyperparameterValue]) throws {
    let (whole, parts) = (try step(model, others), try step(model, others))
    #expect(parts.optimizer is any PartwiseOptimizer)
    let network = parts.graph.network
    for index in 0..<3 {
      // A profile tells the update from the backward pass.
      whole.profile = StepProfile(network.blueprint)
      for step in [whole, parts] {
        fillFormulaImages(step.input, count: 4, size: 48)
        for row in 0..<4 { step.targets.labels[row] = Int32((3 * row + index) % 10) }
        let result = step.run(
          StepKey(seed: 7, epoch: 1, step: index), learningRate: 1e-2, isAbandoned: { false })
        guard case .done = result else {
          Issue.record("step \(index) is \(result)")
          return
        }
      }
    }
    #expect(parts.optimizer.updates == 3 && whole.optimizer.updates == 3)
    let (one, other) = (whole.graph.network.parameters, network.parameters)
    let count = one.table.weightExtent
    #expect(memcmp(one.weights, other.weights, count * 4) == 0)
    let start = Network(network.blueprint, seed: 3).parameters
    #expect(memcmp(start.weights, other.weights, count * 4) != 0)
    for (one, other) in zip(whole.optimizer.slots, parts.optimizer.slots) {
      #expect(memcmp(one.values, other.values, one.count * 4) == 0)
    }
    #expect((parts.average == nil) == (others["model-ema"] == nil))
    if let one = whole.average, let other = parts.average {
      #expect(memcmp(one.parameters.weights, other.parameters.weights, count * 4) == 0)
    }
  }

  @Test(
    "a gradient that is no number is told of, in the first part or the last",
    arguments: [true, false])
  func noNumber(isFirst: Bool) throws {
    let step = try step("tf_efficientnetv2_b0", [:])
    fillFormulaImages(step.input, count: 4, size: 48)
    for row in 0..<4 { step.targets.labels[row] = Int32(row) }
    let result = step.run(StepKey(), learningRate: 1e-2) {
      // Between forward and backward: the loss is a number, the classifier's or the stem's gradient none.
      if isFirst { step.graph.logitGradient[0] = .nan } else { step.input[0] = .nan }
      return false
    }
    guard case .diverged(.gradient) = result else {
      Issue.record("the step is \(result)")
      return
    }
    let store = step.graph.network.parameters
    #expect((0..<store.table.weightExtent).allSatisfy { store.weights[$0].isFinite })
  }

  private func step(_ model: String, _ others: [String: HyperparameterValue]) throws
    -> TrainingStep
  {
    let network = Network(try Blueprint(Variant.named(model), classCount: 10), seed: 3)
    var values = HyperparameterValues()
    try values.set("batch-size", to: .integer(4))
    try values.set("input-size", to: .integer(48))
    for (key, value) in others { try values.set(key, to: value) }
    let settings = Hyperparameters(values, for: network.blueprint.variant.preprocessing)
    return try TrainingStep(network, settings: settings, pool: ThreadPool(threads: 2))
  }
}
