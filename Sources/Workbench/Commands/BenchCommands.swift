import DSL
import Foundation
import Kernels
import Model

// `bench`: what the engine does per second on this machine. It only looks.

enum BenchCommands {
  static let all: [Command<WorkbenchState>] = [bench]

  private static let bench = Command<WorkbenchState>(
    Signature(
      "bench", group: "model", "Times training steps or inference of the model on random images.",
      discussion: """
        Times are of whole batches that are already in memory, after two that are not counted. \
        Beside them stands what the machine's multiply-add units gave at the same moment, because \
        the speed of a shared machine wanders. GFLOP/s count the multiply-adds of the plain sums: \
        3x3 convolutions of stride 1 take fewer and may pass the peak. 'convolutions' has a row per \
        convolution of the model and pass, 'kernels' one per other kernel of a step, on the map \
        that the model computes most; those that wait for memory are compared with copying. The \
        model and the training are left as they are.
        """,
      positionals: [
        Positional(
          "work", .choice(["train", "inference", "convolutions", "kernels"]), "what to time",
          .optional)
      ],
      keys: [
        Parameter("rounds", .integer(.within(1...100_000)), "batches to time", default: "10")
      ] + settings,
      flags: [Flag("json", "one JSON object"), Flag("csv", "comma-separated values")],
      allowsOutput: true, effect: .look, reads: [.slot("model"), .slot("params.*")],
      examples: [
        Example(
          "load tf_efficientnetv2_b0 classes=10; bench rounds=3 input-size=64 batch-size=8",
          "training steps on small images"),
        Example(
          "load tf_efficientnetv2_b0; bench inference rounds=3 batch-size=1", "one image at a time"),
        Example(
          "load tf_efficientnetv2_b0; bench kernels rounds=3 batch-size=8 input-size=64",
          "what is not a convolution"),
      ])
  ) { invocation, state in
    let model = try state.requireModel()
    let values = try state.values(overriddenBy: invocation)
    let settings = Hyperparameters(values, for: model.preprocessing)
    let pool = state.threadPool(settings.threads)
    let size = settings.preprocessing.inputSize
    let batch = settings.batchSize
    let run: () -> Double
    let bytes: Int
    let work = invocation.string("work") ?? "train"
    let rounds = state.replay.isRehearsal ? 1 : invocation.integer("rounds") ?? 10
    if work == "convolutions" {
      let cases = try model.network.blueprint.convolutionCases(batch: batch, inputSize: size)
      try state.show(try convolutions(cases, rounds: rounds, pool, state), as: invocation)
      return
    }
    if work == "kernels" {
      let benchmark = try KernelBenchmark(
        model.network.blueprint, batch: batch, inputSize: size, pool: pool)
      try state.show(try kernels(benchmark, rounds: rounds, pool, state), as: invocation)
      return
    }
    if work == "train" {
      let benchmark = try StepBenchmark(model.network, settings: settings, pool: pool)
      (run, bytes) = (benchmark.run, benchmark.workspaceBytes)
    } else {
      let benchmark = try InferenceBenchmark(
        model.network, batch: batch, inputSize: size, pool: pool)
      (run, bytes) = (benchmark.run, benchmark.workspaceBytes)
    }
    let meter = PeakMeter(pool: pool)
    state.console.progress.begin(total: rounds, label: work)
    defer { state.console.progress.finish() }
    for _ in 0..<2 { _ = run() }
    var seconds: [Double] = []
    var peaks = [meter.gigaflops()]
    for round in 1...rounds {
      seconds.append(run())
      if round * 4 % rounds < 4 { peaks.append(meter.gigaflops()) }
      state.console.progress.update(round)
      guard !state.mustStop else { throw state.stopError }
    }
    seconds.sort()
    peaks.sort()
    let median = seconds[seconds.count / 2]
    let mean = seconds.reduce(0, +) / Double(seconds.count)
    let rate = Double(batch) / median
    let blueprint = model.network.blueprint
    // Backward costs two forwards, but for the first layer's input.
    let passes = work == "train" ? 3.0 : 1.0
    let flops = 2 * passes * Double(batch * blueprint.multiplyAdds(inputSize: size)) / median / 1e9
    let peak = peaks[peaks.count / 2]
    let table = Table(
      [
        .init("model"), .init("work"), .init("input", .right), .init("batch", .right),
        .init("threads", .right), .init("ms", .right), .init("mean", key: "mean_ms", .right),
        .init("fastest", key: "fastest_ms", .right),
        .init("img/s", key: "images_per_second", .right),
        .init("GFLOP/s", key: "gflops", .right), .init("peak", key: "peak_gflops", .right),
        .init("of peak", key: "share_of_peak", .right), .init("memory", key: "bytes", .right),
      ],
      rows: [
        [
          .init(model.variant.name), .init(work), .init(size), .init(batch), .init(pool.threads),
          .init(median * 1e3, decimals: 2), .init(mean * 1e3, decimals: 2),
          .init(seconds[0] * 1e3, decimals: 2),
          .init(rate, decimals: 1), .init(flops, decimals: 1), .init(peak, decimals: 1),
          .init(.real(flops / peak), text: NumberText.percent(flops / peak)),
          .init(.integer(bytes), text: NumberText.bytes(bytes)),
        ]
      ])
    try state.show(table, as: invocation)
  }

  /// A row per distinct convolution and pass; the rows take turns, so that all meet the same machine.
  private static func convolutions(
    _ cases: [ConvolutionCase], rounds: Int, _ pool: ThreadPool, _ state: WorkbenchState
  ) throws -> Table {
    let meter = PeakMeter(pool: pool)
    var table = Table([
      .init("convolution"), .init("layers", .right), .init("pass"), .init("ms", .right),
      .init("GFLOP/s", key: "gflops", .right), .init("GB/s", key: "gigabytes", .right),
      .init("of peak", key: "share_of_peak", .right),
    ])
    state.console.progress.begin(total: cases.count, label: "convolutions")
    defer { state.console.progress.finish() }
    var total = (seconds: 0.0, flops: 0.0, ideal: 0.0)
    for (done, subject) in cases.enumerated() {
      let benchmark = ConvolutionBenchmark(subject, pool: pool)
      for pass in benchmark.passes {
        let (median, peak) = try measure(
          rounds, state, peak: { meter.gigaflops() }, run: { benchmark.run(pass) })
        let shape = subject.shape
        let flops = 2 * Double(pass.cost * subject.multiplyAdds)
        let bytes = Double(4 * (shape.inputCount + shape.outputCount + subject.weightCount))
        total.seconds += median * Double(subject.count)
        total.flops += flops * Double(subject.count)
        total.ideal += flops * Double(subject.count) / peak / 1e9
        table.rows.append([
          .init(name(subject)), .init(subject.count), .init(pass.rawValue),
          .init(median * 1e3, decimals: 3), .init(flops / median / 1e9, decimals: 1),
          .init(bytes / median / 1e9, decimals: 1),
          .init(
            .real(flops / median / 1e9 / peak),
            text: NumberText.percent(flops / median / 1e9 / peak, 0)),
        ])
      }
      state.console.progress.update(done + 1)
    }
    table.rows.append([
      .init("all layers"), .blank, .init("all"), .init(total.seconds * 1e3, decimals: 3),
      .init(total.flops / total.seconds / 1e9, decimals: 1), .blank,
      .init(
        .real(total.ideal / total.seconds), text: NumberText.percent(total.ideal / total.seconds, 0)
      ),
    ])
    return table
  }

  /// A row per kernel, beside what memory or the multiply-add units gave in the same seconds.
  private static func kernels(
    _ benchmark: KernelBenchmark, rounds: Int, _ pool: ThreadPool, _ state: WorkbenchState
  ) throws -> Table {
    let meter = PeakMeter(pool: pool)
    var table = Table([
      .init("kernel"), .init("on"), .init("ms", .right), .init("GFLOP/s", key: "gflops", .right),
      .init("GB/s", key: "gigabytes", .right), .init("of peak", key: "share_of_peak", .right),
    ])
    state.console.progress.begin(total: benchmark.kernels.count, label: "kernels")
    defer { state.console.progress.finish() }
    for (done, kernel) in benchmark.kernels.enumerated() {
      let isProduct = kernel.operations > 0
      let (median, peak) = try measure(
        rounds, state, peak: { isProduct ? meter.gigaflops() : meter.gigabytes() },
        run: kernel.run)
      let rates = (
        flops: Double(kernel.operations) / median / 1e9, bytes: Double(kernel.bytes) / median / 1e9
      )
      let share = (isProduct ? rates.flops : rates.bytes) / peak
      table.rows.append([
        .init(kernel.name), .init(kernel.subject), .init(median * 1e3, decimals: 3),
        isProduct ? .init(rates.flops, decimals: 1) : .blank, .init(rates.bytes, decimals: 1),
        .init(.real(share), text: NumberText.percent(share, 0)),
      ])
      state.console.progress.update(done + 1)
    }
    return table
  }

  /// The median seconds of some runs behind one that is not counted, and the higher of the peaks
  /// before and after them.
  private static func measure(
    _ rounds: Int, _ state: WorkbenchState, peak: () -> Double, run: () -> Double
  ) throws -> (median: Double, peak: Double) {
    _ = run()
    let before = peak()
    var seconds: [Double] = []
    for _ in 0..<rounds {
      seconds.append(run())
      guard !state.mustStop else { throw state.stopError }
    }
    seconds.sort()
    return (seconds[seconds.count / 2], max(before, peak()))
  }

  private static func name(_ subject: ConvolutionCase) -> String {
    let s = subject.shape
    let channels =
      subject.isDepthwise ? "\(s.inputChannels)" : "\(s.inputChannels) -> \(s.outputChannels)"
    return "\(subject.isDepthwise ? "depthwise " : "")\(s.kernel)x\(s.kernel) \(channels)"
      + (s.outputHeight == 1 ? " on \(s.batch) rows" : " at \(s.outputHeight)x\(s.outputWidth)")
      + (s.stride > 1 ? " s\(s.stride)" : "")
  }

  /// The hyperparameters that a measurement may override.
  static let settings = ["batch-size", "input-size", "threads"]
    .compactMap(HyperparameterKey.find).map(\.parameter)
}
