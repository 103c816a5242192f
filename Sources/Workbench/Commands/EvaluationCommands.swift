import DSL
import Foundation
import Model

// `eval`, `predict`, `features`, `expect`: what a network is worth. They only look.

enum EvaluationCommands {
  static let all: [Command<WorkbenchState>] = [
    evaluate, predict, features, ActivationCommand.gradcam, expect,
  ]

  private static let evaluate = Command<WorkbenchState>(
    Signature(
      "eval", group: "evaluation", "Evaluates the network, or a run's, on the test images.",
      discussion: """
        Prints the cross entropy (the negative log likelihood), top-1, top-5 and the expected \
        calibration error (15 bins) in percent. Training is not disturbed: the loss, the weights \
        and every random draw stay as they are.

        per-class, confusion, calibration and predictions print a table instead; of more than 20 \
        classes confusion prints the most frequent mistakes, and the whole matrix with --csv, --json \
        or > FILE. 'eval predictions > FILE.csv' has a row per image with its five most probable \
        classes.

        tta= averages the probabilities of several views: the image and its mirror image (flip), \
        the four corners and the centre (5crop), or these and their mirror images (10crop). \
        input-size= and crop-pct= hold for this evaluation alone.

        A run is evaluated with the input size and preprocessing that it was trained with, unless \
        they are set; its own data is taken if none is loaded. split=val means the images that \
        judged every epoch, where they are not the test images.
        """,
      positionals: [
        Positional("run", .named("run"), "a run; the loaded network without one", .optional)
      ],
      keys: [
        Parameter(
          "weights", .choice(["last", "best"]), "which checkpoint of the run", default: "last"),
        Parameter("split", .choice(["test", "val", "train"]), "which images", default: "test"),
        Parameter(
          "tta", .choice(TestViews.allCases.map(\.rawValue)), "views to average", default: "none"),
        Parameter(
          "input-size", .integer(.within(8...4096)), "another side of the input, in pixels"),
        Parameter(
          "crop-pct", .number(Bounds(lower: 0, upper: 1, excludesLower: true)),
          "another share of the resized image that a crop keeps"),
      ],
      flags: [
        Flag(
          "raw", "with model-ema, the weights themselves and not their running mean",
          isBareWord: true),
        Flag("per-class", "accuracy and precision of every class", isBareWord: true),
        Flag("confusion", "which classes are taken for which", isBareWord: true),
        Flag("calibration", "how right the network is, by how sure it is", isBareWord: true),
        Flag("predictions", "a row per image", isBareWord: true),
        Flag("json", "one JSON object per row"), Flag("csv", "comma-separated values"),
      ],
      allowsOutput: true, effect: .look,
      reads: [
        .only(.slot("model"), .missing("run")), .slot("data"), .slot("params.*"),
        .argument("run", prefix: "run:"),
      ],
      examples: [
        Example("data digits; load tf_efficientnetv2_b0; eval", "the loaded network"),
        Example("eval quickstart weights=best", "the best epoch of a run"),
        Example("eval quickstart per-class", "which classes it knows"),
        Example("eval quickstart confusion > confusion.csv", "which it mixes up"),
        Example("eval tta=5crop input-size=64 crop-pct=0.9", "five larger views of each image"),
      ])
  ) { invocation, state in
    let model: LoadedModel
    var data: LoadedData
    if let run = invocation.string("run") {
      model = try RunAccess.model(
        of: run, which: invocation.string("weights") ?? "last",
        weights: invocation.has("raw") ? .raw : .averaged, state)
      data = try state.data ?? RunAccess.data(of: run, state)
    } else {
      guard !invocation.isGiven("weights") else {
        throw CommandError(
          "weights= needs a run", hint: "such as eval NAME weights=best", argument: "weights")
      }
      guard !invocation.has("raw") else {
        throw CommandError("raw needs a run", hint: "such as eval NAME raw", argument: "raw")
      }
      model = try state.requireModel()
      data = try state.requireData()
    }
    if state.replay.isRehearsal { data = try Rehearsal.shrunk(data) }
    let images = try Evaluating.images(of: data, split: invocation.string("split") ?? "test")
    let wanted = ["per-class", "confusion", "calibration", "predictions"].filter(invocation.has)
    guard wanted.count < 2 else {
      throw CommandError("one table at a time: \(wanted[0]) or \(wanted[1])")
    }
    let viewing = Evaluating.Viewing(
      views: TestViews(rawValue: invocation.string("tta") ?? "none") ?? .none,
      inputSize: invocation.integer("input-size"), cropFraction: invocation.number("crop-pct"))
    let (means, details) = try Evaluating.evaluate(
      model, on: images, data, viewing: viewing, top: wanted.first == "predictions" ? 5 : 0, state)
    let names = ClassNames(model, data)
    let isForPeople =
      invocation.outputPath == nil && !invocation.has("json") && !invocation.has("csv")
      && !state.console.isForPrograms
    let table =
      switch wanted.first {
      case "per-class": EvaluationTables.perClass(details, names)
      case "confusion" where isForPeople && model.classCount > 20:
        EvaluationTables.mistakes(details, names)
      case "confusion": EvaluationTables.confusion(details, names)
      case "calibration": EvaluationTables.calibration(details)
      case "predictions": EvaluationTables.predictions(details, of: images, names)
      default: EvaluationTables.means(means, details)
      }
    try state.show(table, as: invocation)
  }

  private static let predict = Command<WorkbenchState>(
    Signature(
      "predict", group: "evaluation",
      "Says what the network sees in a picture, or in a folder of them.",
      discussion: """
        One picture gives its most probable classes, a folder a row per picture. The class names are \
        those of the data set, or ImageNet's for a classifier of 1000 classes.
        """,
      positionals: [Positional("path", .path(.input), "a JPEG or PNG file, or a folder")],
      keys: [
        Parameter("top", .integer(.within(1...1000)), "how many classes", default: "5")
      ],
      flags: [Flag("json", "one JSON object per row"), Flag("csv", "comma-separated values")],
      allowsOutput: true, effect: .look,
      reads: [.slot("model"), .slot("data"), .slot("params.*")],
      examples: [
        Example("predict dog.jpg top=5", "the five most probable classes"),
        Example("predict photos/ > predictions.csv", "a folder, to a file"),
      ])
  ) { invocation, state in
    let model = try state.requireModel()
    let top = min(invocation.integer("top") ?? 5, model.classCount)
    let url = state.places.input(invocation.requiredString("path"))
    let table = try Predicting.table(url, model, top: top, state)
    try state.show(table, as: invocation)
  }

  private static let features = Command<WorkbenchState>(
    Signature(
      "features", group: "evaluation", "Draws where in a picture the network finds features.",
      discussion: """
        The activations before the pooling, summed over all channels: a map of a few cells a side.
        """,
      positionals: [Positional("path", .path(.input), "a JPEG or PNG file")],
      keys: [Drawing.style],
      allowsOutput: true, effect: .look, reads: [.slot("model"), .slot("params.*")],
      examples: [
        Example("features dog.jpg", "as text"),
        Example("features dog.jpg > features.png", "as a picture"),
      ])
  ) { invocation, state in
    let url = state.places.input(invocation.requiredString("path"))
    let map = try Predicting.features(url, try state.requireModel(), state)
    try Drawing.draw(map, invocation, state)
  }

  private static let expect = Command<WorkbenchState>(
    Signature(
      "expect", group: "evaluation",
      "Demands a value; a replay that misses it ends with exit code 5.",
      discussion: """
        The value is that of the last epoch of the run: loss (on the test images), top1, top5, \
        train_loss, epoch. tol= allows a difference for == and !=.
        """,
      positionals: [
        Positional("metric", .named("metric"), "what is compared"),
        Positional("value", .number(), "with what"),
      ],
      keys: [
        Parameter("tol", .number(.from(0)), "the difference that == and != allow", default: "0"),
        Parameter("run", .named("run"), "the run; the current one without"),
      ],
      takesComparison: true, effect: .check,
      reads: [
        .argument("run", prefix: "run:"), .only(.slot("run:current"), .missing("run")),
      ],
      examples: [
        Example("expect top1 >= 95", "at least 95 percent"),
        Example("expect train_loss == 0.8342 tol=1e-4 run=a", "a recorded value, nearly"),
      ])
  ) { invocation, state in
    let name = invocation.requiredString("metric").replacing("-", with: "_")
    let wanted = invocation.number("value") ?? 0
    let run = try RunAccess.directory(invocation.string("run"), state)
    let column = ExpectRule.shortNames[name] ?? name
    let table = try MetricsTable(contentsOf: run.metrics)
    guard let values = table[column] else {
      throw CommandError(
        "unknown metric '\(name)'", hint: "loss, top1, top5, train_loss, lr and epoch are known",
        argument: "metric")
    }
    guard let value = values.last(where: { $0 != nil }) ?? nil else {
      throw CommandError("the run '\(run.name)' has no \(name) yet", exitCode: 5)
    }
    // A few steps cannot reach a value; that there is one is all that can be asked.
    if state.replay.isRehearsal { return }
    let tolerance = invocation.number("tol") ?? 0
    guard let comparator = invocation.comparator else { return }
    guard comparator.holds(value, wanted, tolerance: tolerance) else {
      throw CommandError(
        "\(name) is \(ReportValue.shortest(value)), expected \(comparator.rawValue) "
          + ReportValue.shortest(wanted),
        hint: "the last epoch of run '\(run.name)' counts", exitCode: 5)
    }
    state.console.note(
      "\(name) \(ReportValue.shortest(value)) \(comparator.rawValue) \(ReportValue.shortest(wanted)): yes"
    )
  }
}
