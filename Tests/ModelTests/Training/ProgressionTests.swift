import Foundation
import Kernels
import Testing

@testable import Model

struct ProgressionTests {
  private static func progression(
    _ settings: [String: HyperparameterValue], size: Int = 300
  ) throws -> Progression {
    var values = HyperparameterValues()
    for (name, value) in settings { try values.set(name, to: value) }
    let network = Preprocessing(
      inputSize: size, testInputSize: nil, cropFraction: 1, interpolation: .bicubic,
      mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5], cropMode: .center)
    return Hyperparameters(values, for: network).progression
  }

  /// Google's table for the S variant, which jahongir7174 has too, and its ramps for M and L.
  @Test(arguments: [
    (300, [171, 214, 257, 300], [0.0, 0, 0, 0]),
    (384, [192, 256, 320, 384], [0, 0.0667, 0.1333, 0.2]),
    (192, [144, 160, 176, 192], [0, 0.1667, 0.3333, 0.5]),
    (240, [156, 184, 212, 240], [0, 0, 0, 0]),
  ])
  func googlesSizes(size: Int, sizes: [Int], mixup: [Double]) throws {
    let found = try Self.progression(
      [
        "progressive": .word("google"), "stage-sizes": .numbers([128, Double(size)]),
        "stage-mixup": .numbers([0, mixup[3]]), "epochs": .integer(300),
      ], size: size)
    #expect(found.stages.map(\.inputSize) == sizes)
    for (stage, expected) in zip(found.stages, mixup) {
      #expect(abs(stage.mixup - expected) < 1e-4)
    }
  }

  @Test func thePapersStages() throws {
    let found = try Self.progression([
      "progressive": .word("paper"), "stage-sizes": .numbers([128, 300]),
      "stage-drop": .numbers([0.1, 0.3]), "epochs": .integer(350), "sched": .word("constant"),
    ])
    #expect(found.stages.map(\.inputSize) == [128, 185, 242, 300])
    #expect(found.stages.map(\.epochs) == [0..<87, 87..<175, 175..<262, 262..<350])
    for (stage, expected) in zip(found.stages, [0.1, 0.16667, 0.23333, 0.3]) {
      #expect(abs(stage.dropout - expected) < 1e-4)
    }
    #expect(found.stage(epoch: 86).number == 1 && found.stage(epoch: 87).number == 2)
  }

  @Test func withoutProgressionThereIsOneStage() throws {
    let found = try Self.progression(["drop": .number(0.2), "batch-size": .integer(12)])
    #expect(!found.isProgressive && !found.isDrawnPerStep)
    #expect(
      found.stages == [
        TrainingStage(
          number: 1, count: 1, epochs: 0..<110, inputSize: 300, batchSize: 12, rows: 12,
          loadedRows: 12,
          dropout: 0.2,
          magnitude: nil, mixup: 0, cutmix: 0)
      ])
  }

  @Test func theCooldownBelongsToTheLastStage() throws {
    let found = try Self.progression([
      "progressive": .word("google"), "epochs": .integer(8), "cooldown-epochs": .integer(3),
      "stage-batch": .numbers([64, 48, 32, 16]),
    ])
    #expect(found.stages.map(\.epochs) == [0..<2, 2..<4, 4..<6, 6..<11])
    #expect(found.stages.map(\.batchSize) == [64, 48, 32, 16])
    #expect(found.stages.last?.inputSize == 300)
  }

  @Test func fewEpochsStillEndWithTheLargestImages() throws {
    for rule in ["paper", "google"] {
      for epochs in 1...3 {
        let found = try Self.progression([
          "progressive": .word(rule), "epochs": .integer(epochs), "cooldown-epochs": .integer(0),
        ])
        #expect(found.stages.count == epochs && found.stages.last?.inputSize == 300)
        #expect(found.stages.last?.epochs.upperBound == epochs)
      }
    }
  }

  /// timm's probabilities for four sizes, 10 epochs, a spread of 0.65 and a random share of 0.1.
  @Test func theWindowIsTimms() {
    let window = SpreadWindow(count: 4, epochs: 10, deviation: 0.65, randomShare: 0.1, seed: 1)
    let expected: [Int: [Double]] = [
      0: [0.709388116876, 0.234577421831, 0.031018255109, 0.025016206184],
      3: [0.194994838489, 0.580128727016, 0.194994838489, 0.029881596006],
      7: [0.025900043473, 0.093988393414, 0.520875489921, 0.359236073193],
      9: [0.025016206184, 0.031018255109, 0.234577421831, 0.709388116876],
    ]
    for (epoch, weights) in expected {
      for (found, value) in zip(window.weights(epoch: epoch), weights) {
        #expect(abs(found - value) < 1e-9)
      }
    }
    var counts = [Int](repeating: 0, count: 4)
    for step in 0..<4000 { counts[window.choice(epoch: 3, step: step)] += 1 }
    for (count, weight) in zip(counts, window.weights(epoch: 3)) {
      #expect(abs(Double(count) / 4000 - weight) < 0.03)
    }
    let nearest = SpreadWindow(count: 4, epochs: 10, deviation: 0, randomShare: 0, seed: 1)
    #expect(nearest.weights(epoch: 3) == [0, 1, 0, 0])
  }

  @Test(arguments: [(1, [16]), (2, [64, 16]), (3, [64, 48, 16]), (4, [64, 48, 32, 16])])
  func fewEpochsEndWithTheLastBatchSize(epochs: Int, batches: [Int]) throws {
    let found = try Self.progression([
      "progressive": .word("paper"), "epochs": .integer(epochs), "cooldown-epochs": .integer(0),
      "stage-batch": .numbers([64, 48, 32, 16]),
    ])
    #expect(found.stages.map(\.batchSize) == batches)
  }

  @Test func impossibleStagesAreRefused() throws {
    var values = HyperparameterValues()
    try values.set("stage-batch", to: .numbers([8, 4, 2]))
    #expect(values.conflict == nil)
    try values.set("progressive", to: .word("paper"))
    guard case .conflict(["stage-batch", "stages"], _, _) = values.conflict else {
      Issue.record("\(String(describing: values.conflict))")
      return
    }
    try values.set("stages", to: .integer(3))
    #expect(values.conflict == nil)
  }
}
