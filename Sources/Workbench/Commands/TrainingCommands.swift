import DSL
import Foundation
import Model

// `train`, `resume`: the long work.

enum TrainingCommands {
  static let all: [Command<WorkbenchState>] = [train, resume]

  static let moreEpochs = Parameter(
    "epochs", aliases: ["e"], .text, "epochs before the cool-down, or +N more")

  private static let plot = Parameter(
    "plot", .list(of: .named("metric"), count: 1...6),
    "curves to draw after every epoch: in the terminal, or into the file behind '>'")

  private static let train = Command<WorkbenchState>(
    Signature(
      "train", group: "training", "Trains the network on the data.",
      discussion: """
        Every run has a folder, runs/NAME: metrics.csv with a row per epoch, log.txt, params.json, \
        env.json and checkpoints of the whole state. A run of the same name is kept as NAME.1. Any \
        hyperparameter can be given for this run alone.

        Ctrl-C finishes the batch, saves everything and returns to the prompt; 'resume' goes on as \
        if nothing had happened. A second Ctrl-C within two seconds drops back to the last checkpoint.

        plot=loss keeps the curves in view below the table, plot=loss > loss.png a file current; \
        without a terminal there is a line of small bars after every epoch. It changes no number.
        """,
      positionals: [],
      keys: [Parameter("name", .word, "the run's name; MODEL-DATA without")]
        + StopPoint.parameters + [plot] + HyperparameterKey.parameters,
      keyHints: TrainScriptFlags.hints,
      allowsOutput: true, effect: .change,
      reads: [.slot("params.*"), .slot("data"), .slot("model")],
      writes: [.slot("model"), .argument("name", prefix: "run:"), .slot("run:current")],
      examples: [
        Example("train name=first epochs=5", "five epochs and the cool-down"),
        Example("train name=probe max-steps=20 lr=0.01", "twenty steps at a lower rate"),
        Example("train name=first plot=loss,lr", "with the curves below the table"),
      ])
  ) { invocation, state in
    let model = try state.requireModel()
    if let continuation = state.takeContinuation() {
      return try continuation.run(model: model, stop: StopPoint(invocation), state)
    }
    let data = try state.requireData()
    let settings = Hyperparameters(
      try state.values(overriddenBy: invocation), for: model.preprocessing)
    try checkClasses(model, data)
    let curves = try live(invocation, state)
    let name =
      invocation.string("name") ?? freeName("\(model.variant.name)-\(data.source.name)", state)
    if !invocation.isGiven("name") { state.canonicalText += " name=\(name)" }
    let run = try TrainingRun.create(name, model: model, data: data, settings: settings, state)
    try run.train(stop: StopPoint(invocation), live: curves)
  }

  /// The curves that are drawn while training, if any are asked for.
  private static func live(
    _ invocation: Invocation, _ state: WorkbenchState
  ) throws -> (RunDirectory) -> LivePlot? {
    let metrics = try invocation.strings("plot").map {
      try PlotCommands.metric($0, columns: MetricsRow.columns, argument: "plot")
    }
    guard !metrics.isEmpty else {
      if let output = invocation.output {
        throw CommandError(
          "what is to be drawn into \(output.text)?", hint: "say plot=loss, for example")
      }
      return { _ in nil }
    }
    if let path = invocation.outputPath { _ = try PlotFormat(path: path) }
    let curves = CurveFigure(metrics: metrics)
    return { directory in
      LivePlot(to: invocation.outputPath, state) {
        try curves.figure(of: [TrainingLog(directory)])
      }
    }
  }

  private static let resume = Command<WorkbenchState>(
    Signature(
      "resume", group: "training", "Goes on with a training that was stopped or killed.",
      discussion: """
        The continuation is exact: the weights and every number are those of a training that was \
        never stopped. Without a name it is the run that was trained last. In a new session the \
        run's own model and data are loaded first. The run keeps its settings; those given here \
        change them from now on, such as resume lr=0.01 or resume epochs=+10.
        """,
      positionals: [Positional("run", .named("run"), "the run; the last one without", .optional)],
      keys: StopPoint.parameters + [plot, moreEpochs]
        + HyperparameterKey.parameters.filter { $0.name != "epochs" },
      keyHints: TrainScriptFlags.hints,
      allowsOutput: true, effect: .change,
      reads: [
        .argument("run", prefix: "run:"), .only(.slot("run:current"), .missing("run")),
        .slot("data"), .slot("model"),
      ],
      writes: [
        .slot("model"), .slot("data"), .argument("run", prefix: "run:"), .slot("run:current"),
      ],
      examples: [
        Example("resume", "the last run, from where it stopped"),
        Example("resume first epochs=+10", "ten more epochs"),
      ])
  ) { invocation, state in
    if let continuation = state.takeContinuation() {
      return try continuation.run(model: nil, stop: StopPoint(invocation), state)
    }
    let directory = try RunAccess.resumable(invocation.string("run"), state)
    let curves = try live(invocation, state)
    if !invocation.isGiven("run") { state.canonicalText += " \(directory.name)" }
    let run = try TrainingRun.reopen(directory, state) { values in
      try change(&values, by: invocation, state)
    }
    try run.train(stop: StopPoint(invocation), live: curves)
  }

  /// The keys of commands that train which are no setting of a run.
  static let ownKeys = StopPoint.keys.union(["name", "plot"])

  /// Changes a run's settings as `resume` and `fork` ask.
  static func change(
    _ values: inout HyperparameterValues, by invocation: Invocation, _ state: WorkbenchState
  ) throws {
    for argument in invocation.keys where !ownKeys.contains(argument.name) {
      if argument.name == "epochs" {
        try setEpochs(argument, &values)
      } else {
        try state.assign(argument, to: &values)
      }
    }
  }

  /// `epochs=30` or `epochs=+10`.
  private static func setEpochs(_ argument: Argument, _ values: inout HyperparameterValues) throws {
    let text = argument.text
    guard let number = Int(text), number > 0 else {
      throw CommandError(
        "epochs cannot be '\(text)'", hint: "a whole number, or +N for N more", argument: "epochs")
    }
    var epochs = number
    if text.hasPrefix("+"), case .integer(let before) = values["epochs"] { epochs += before }
    try values.set("epochs", to: .integer(epochs))
  }

  private static func checkClasses(_ model: LoadedModel, _ data: LoadedData) throws {
    let fits =
      model.classes == .keep
      ? model.classCount >= data.classCount : model.classCount == data.classCount
    guard fits else { throw CommandFailureText.classCount(model, data) }
  }

  /// A name that no run has: `NAME`, `NAME-2`, `NAME-3` …
  private static func freeName(_ name: String, _ state: WorkbenchState) -> String {
    var candidate = name
    var number = 2
    while FileManager.default.fileExists(
      atPath: state.places.runs.appendingPathComponent(candidate).path)
    {
      candidate = "\(name)-\(number)"
      number += 1
    }
    return candidate
  }
}
