import Testing

@testable import Model

@Suite struct AugmentationSettingsTests {
  private func values(_ table: [String: HyperparameterValue]) throws -> HyperparameterValues {
    var values = HyperparameterValues()
    for (name, value) in table { try values.set(name, to: value) }
    return values
  }

  private func settings(_ table: [String: HyperparameterValue]) throws -> AugmentationSettings {
    Hyperparameters(
      try values(table), for: Preprocessing(inputSize: 32, interpolation: .bicubic)
    ).augmentation
  }

  @Test(arguments: [
    (["aug-splits": HyperparameterValue.integer(1)], ["aug-splits"]),
    (["aug-splits": .integer(2), "no-aug": .flag(true)], ["aug-splits", "no-aug"]),
    (["aug-splits": .integer(2), "mixup": .number(0.2)], ["aug-splits", "mixup"]),
    (["aug-splits": .integer(3), "cutmix": .number(1)], ["aug-splits", "cutmix"]),
    (
      ["aug-splits": .integer(2), "cutmix-minmax": .numbers([0.2, 0.8])],
      ["aug-splits", "cutmix-minmax"]
    ),
    (["mixup": .number(0.2), "batch-size": .integer(9)], ["batch-size", "mixup"]),
  ])
  func conflictsAreNamed(
    table: [String: HyperparameterValue], conflict: [String]
  ) throws {
    let error = AugmentationSettings.conflict(try values(table))
    guard case .conflict(conflict, _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error?.advice?.isEmpty == false && error?.message.isEmpty == false)
    var tiny = TinyTraining()
    tiny.settings.merge(table) { $1 }
    let folder = try TemporaryFolder()
    #expect(throws: try #require(error)) { try tiny.trainer(in: folder) }
  }

  @Test func whatGoesTogetherIsNoConflict() throws {
    for table: [String: HyperparameterValue] in [
      [:], ["aug-splits": .integer(2)], ["mixup": .number(1), "cutmix": .number(1)],
      ["aug-splits": .integer(3), "aa": .word("augmix")], ["batch-size": .integer(9)],
    ] {
      #expect(AugmentationSettings.conflict(try values(table)) == nil)
    }
  }

  @Test func aStageHasItsOwnSizeAndStrength() throws {
    var stage = try settings([
      "aa": .word("rand-m5-n2"), "mixup": .number(0.4), "cutout": .integer(8),
      "train-crop": .word("pad-reflect"), "crop-padding": .integer(4),
    ])
    stage.policy?.setMagnitude(7)
    stage.mixupAlpha = 0.1
    let transform = try #require(stage.makeTransform(size: 48) as? TrainTransform)
    #expect(transform.size == 48 && transform.padding == 6)
    guard case .random(let choice) = transform.policy?.scheme else {
      Issue.record("\(String(describing: transform.policy))")
      return
    }
    #expect(choice.magnitude == 7)
    let batch = stage.batchAugmentation(size: 48, epoch: 0)
    #expect(batch.mixing.mixupAlpha == 0.1 && batch.erasing.hole == 12)
    #expect(stage.batchAugmentation(epoch: 0).erasing.hole == 8)
    #expect(stage.mixes)
  }

  @Test func mixingEndsWithItsEpoch() throws {
    let ending = try settings(["mixup": .number(1), "mixup-off-epoch": .integer(3)])
    #expect(!ending.batchAugmentation(epoch: 2).mixing.isOff)
    #expect(ending.batchAugmentation(epoch: 3).mixing.isOff)
    let endless = try settings(["cutmix-minmax": .numbers([0.1, 0.5])])
    #expect(!endless.batchAugmentation(epoch: 100_000).mixing.isOff)
    #expect(try settings([:]).batchAugmentation(epoch: 0) == BatchAugmentation())
  }

  @Test func erasingFollowsItsKeys() throws {
    let erasing = try settings([
      "reprob": .number(0.25), "remode": .word("pixel"), "recount": .integer(3),
      "resplit": .flag(true),
    ]).batchAugmentation(epoch: 0).erasing
    #expect(erasing.probability == 0.25 && erasing.mode == .pixel && erasing.largestCount == 3)
    #expect(erasing.splits == 2)
    let splits = try settings([
      "reprob": .number(0.25), "resplit": .flag(true), "aug-splits": .integer(3),
    ])
    #expect(splits.batchAugmentation(epoch: 0).erasing.splits == 3)
    #expect(splits.splits == 3)
    let off = try settings(["reprob": .number(1), "cutout": .integer(3), "no-aug": .flag(true)])
    #expect(off.batchAugmentation(epoch: 0).erasing.isOff)
    #expect(off.makeTransform() is EvalTransform)
  }

  @Test func keysWithoutEffectSayWhy() throws {
    func reason(_ name: String, _ table: [String: HyperparameterValue]) throws -> String? {
      try values(table).inertReason(try HyperparameterKey.named(name))
    }
    #expect(try reason("color-jitter", [:]) == nil)
    #expect(
      try reason("color-jitter", ["aa": .word("rand-m9")]) == "aa=rand-m9 changes the colours")
    #expect(try reason("color-jitter", ["aa": .word("3a")]) == nil)
    #expect(
      try reason("scale", ["train-crop": .word("pad-reflect")]) == "train-crop is pad-reflect")
    #expect(try reason("crop-padding", [:]) == "train-crop is rrc")
    #expect(try reason("remode", [:]) == "reprob is 0")
    #expect(try reason("mixup-mode", [:]) == "mixup and cutmix are off")
    #expect(try reason("mixup-mode", ["cutmix": .number(1)]) == nil)
    #expect(
      try reason("mixup-switch-prob", ["mixup": .number(1)]) == "mixup and cutmix are not both on")
    #expect(
      try reason("cutmix", ["cutmix-minmax": .numbers([0.2, 0.4])]) == "cutmix-minmax is set")
    #expect(try reason("aa", ["no-aug": .flag(true)]) == "no-aug is on")
  }
}
