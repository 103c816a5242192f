import DSL
import Foundation
import Model

// `profile`: where a training step's time goes. It only looks.

enum ProfileCommand {
  static let profile = Command<WorkbenchState>(
    Signature(
      "profile", group: "model", "Shows where a training step's time goes.",
      discussion: """
        'profile' has a row per operation, 'profile blocks' one per block of the network. With \
        '> FILE' the time of each block is drawn, forward and backward: png, svg, pdf, txt, gp or \
        csv. Steps run on random images; the model and the training are left as they are.
        """,
      positionals: [
        Positional("by", .choice(["operations", "blocks"]), "what a row is", .optional)
      ],
      keys: [
        Parameter("rounds", .integer(.within(1...10_000)), "steps to measure", default: "5"),
        Drawing.style,
      ]
        + BenchCommands.settings,
      flags: [Flag("json", "one JSON object per row"), Flag("csv", "comma-separated values")],
      allowsOutput: true, effect: .look, reads: [.slot("model"), .slot("params.*")],
      examples: [
        Example(
          "load tf_efficientnetv2_b0 classes=10; profile rounds=2 input-size=64 batch-size=8",
          "a row per operation"),
        Example(
          "load tf_efficientnetv2_b0 classes=10; profile rounds=2 input-size=64 batch-size=8 > step.txt",
          "the time of each block, drawn"),
      ])
  ) { invocation, state in
    let model = try state.requireModel()
    let settings = Hyperparameters(
      try state.values(overriddenBy: invocation), for: model.preprocessing)
    let benchmark = try StepBenchmark(
      model.network, settings: settings, pool: state.threadPool(settings.threads))
    let profile = benchmark.emptyProfile
    let rounds = state.replay.isRehearsal ? 1 : invocation.integer("rounds") ?? 5
    state.console.progress.begin(total: rounds, label: "steps")
    defer { state.console.progress.finish() }
    _ = benchmark.run()
    for round in 1...rounds {
      benchmark.run(into: profile)
      state.console.progress.update(round)
      guard !state.mustStop else { throw state.stopError }
    }
    if invocation.outputPath != nil {
      let name =
        "\(model.variant.name), \(settings.preprocessing.inputSize) px, batch \(settings.batchSize)"
      try Drawing.draw(chart(profile, title: name), invocation, state)
    } else {
      let isByBlocks = invocation.string("by") == "blocks"
      state.console.print(
        isByBlocks ? blocks(profile) : operations(profile), json: invocation.has("json"),
        csv: invocation.has("csv"))
    }
  }

  private static func operations(_ profile: StepProfile) -> Table {
    let total = profile.secondsPerStep
    func row(_ name: String, _ seconds: Double) -> [Table.Cell] {
      [.init(name), .init(seconds * 1e3, decimals: 2), share(seconds, of: total)]
    }
    let rows = StepProfile.Operation.allCases.map { ($0.rawValue, profile.seconds($0)) }
      .filter { $0.1 > 0 }.map(row)
    return Table(
      [.init("operation"), .init("ms", .right), .init("share", .right)],
      rows: rows + [row("step", total)])
  }

  private static func blocks(_ profile: StepProfile) -> Table {
    let (total, steps) = (profile.secondsPerStep, Double(max(1, profile.steps)))
    return Table(
      [
        .init("block"), .init("forward", key: "forward_ms", .right),
        .init("backward", key: "backward_ms", .right), .init("share", .right),
      ],
      rows: profile.units.map { unit in
        [
          .init(unit.name), .init(unit.forward / steps * 1e3, decimals: 2),
          .init(unit.backward / steps * 1e3, decimals: 2),
          share((unit.forward + unit.backward) / steps, of: total),
        ]
      })
  }

  private static func share(_ seconds: Double, of total: Double) -> Table.Cell {
    .init(.real(seconds / total), text: NumberText.percent(seconds / total, 1))
  }

  /// A bar per block, forward and backward behind one another.
  private static func chart(_ profile: StepProfile, title: String) -> BarChart {
    let steps = Double(max(1, profile.steps))
    return BarChart(
      title: title, axis: Figure.Axis("time of a step", unit: "ms"),
      partNames: ["forward", "backward"],
      bars: profile.units.map { unit in
        BarChart.Bar(
          name: unit.name, parts: [unit.forward / steps * 1e3, unit.backward / steps * 1e3])
      })
  }
}
