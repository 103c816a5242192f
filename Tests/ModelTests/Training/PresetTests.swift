import Testing

@testable import Model

struct PresetTests {
  @Test(arguments: Preset.all.map(\.name)) func presetsAreSound(name: String) throws {
    let preset = try #require(Preset.named(name))
    let values = try preset.applied(to: HyperparameterValues())
    #expect(values.conflict == nil)
    #expect(Set(preset.settings.map(\.key)).count == preset.settings.count)
    for (key, value) in preset.settings {
      let key = try #require(HyperparameterKey.find(key))
      #expect(!Preset.kept.contains(key.group), "\(key.name)")
      #expect(values[key.name] == (try key.normalized(value)))
      #expect(values.inertReason(key) == nil, "\(key.name): \(values.inertReason(key) ?? "")")
    }
    #expect(preset.summary.hasSuffix(".") && !preset.source.isEmpty)
  }

  @Test func aPresetReplacesTheRecipeAndNothingElse() throws {
    var values = HyperparameterValues()
    try values.set("seed", to: 7)
    try values.set("mixup", to: 0.3)
    try values.set("mean", to: [0.5, 0.5, 0.5])
    try values.set("max-steps", to: 5)
    let preset = try #require(Preset.named("jahongir-imagenet"))
    let after = try preset.applied(to: values)
    #expect(after["seed"] == 7 && after["max-steps"] == 5 && after["mean"] == [0.5, 0.5, 0.5])
    #expect(after["mixup"] == 0.0 && after["opt"] == "rmsproptf")
    #expect(try preset.applied(to: after) == after)
  }

  /// The stages of jahongir7174's main.py.
  @Test func jahongirsStages() throws {
    let preset = try #require(Preset.named("jahongir-imagenet"))
    let settings = Hyperparameters(
      try preset.applied(to: HyperparameterValues()), for: TinyTraining.variant.preprocessing)
    // The cool-down of timm's cosine does not exist under this schedule.
    #expect(settings.schedule.totalEpochs == 300)
    #expect(settings.progression.stages.map(\.inputSize) == [171, 214, 257, 300])
    #expect(settings.progression.stages.map(\.epochs.lowerBound) == [0, 75, 150, 225])
    let drops = settings.progression.stages.map(\.dropout)
    for (drop, expected) in zip(drops, [0, 0.0667, 0.1333, 0.2]) {
      #expect(abs(drop - expected) < 1e-4)
    }
    #expect(settings.progression.stages.map { $0.magnitude ?? 0 }.first == 5)
  }
}
