import DSL

/// What the fake commands write to: the canonical text of everything that ran.
final class Recorder {
  var lines: [String] = []
}

/// A small command table of the workbench's shape, for the tests of the language.
enum Fake {
  static let hyperparameters: [Parameter] = [
    Parameter(
      "epochs", aliases: ["e"], .integer(.from(1)), "passes over the data", default: "100",
      group: "length"),
    Parameter(
      "batch-size", aliases: ["bs"], .integer(.within(1...4096)), "images per step",
      default: "32", group: "length"),
    Parameter(
      "lr", aliases: ["learning-rate"], .number(.above(0)), "learning rate", default: "0.05",
      group: "rate",
      discussion: "The peak of the schedule. Too high a rate diverges, too low a rate crawls."),
    Parameter(
      "sched", .choice(["cosine", "step", "plateau"]), "learning-rate schedule",
      default: "cosine", group: "rate"),
    Parameter(
      "decay-epochs", .integer(.from(1)), "epochs between two steps", default: "100",
      group: "rate", activeWhen: "only with sched=step"),
    Parameter(
      "warmup-epochs", .integer(.from(0)), "epochs of rising rate", default: "3",
      group: "rate"),
    Parameter("momentum", .number(.within(0..<1)), "momentum", default: "0.9", group: "rate"),
    Parameter(
      "scale", .list(of: .number(.within(0...1)), count: 2...2), "area of the crop",
      default: "0.08,1", group: "augment"),
    Parameter("mixup", .number(.from(0)), "strength of mixup", default: "0", group: "augment"),
    Parameter("hflip", .number(.within(0...1)), "chance of a flip", default: "0.5"),
    Parameter(
      "input-size", .either(["auto"], or: .integer(.within(32...1024))), "pixels",
      default: "auto"),
    Parameter("deterministic", .boolean, "repeatable to the bit", default: "on"),
    Parameter("time-limit", .either(["none"], or: .duration), "stop after", default: "none"),
    Parameter("output", .path(.directory), "where runs go", default: ""),
  ]

  static let set = Signature(
    "set", group: "Parameters", "set hyperparameters",
    discussion: "Prints the old and the new value.", keys: hyperparameters,
    keyNoun: "hyperparameter", mergesKeys: true, effect: .change,
    writes: [.eachKey(prefix: "params.")],
    examples: [
      Example("set lr=0.01 batch-size=64", "two at once"),
      Example("set mixup=default", "back to the default"),
    ])

  static let unset = Signature(
    "unset", group: "Parameters", "put hyperparameters back to their defaults",
    positionals: [Positional("key", .named("key"), "which", .variadic(minimum: 1))],
    restoresDefaults: true, effect: .change, writes: [.argument("key", prefix: "params.")],
    examples: [Example("unset mixup", "one"), Example("unset lr epochs", "two")])

  static let show = Signature(
    "show", group: "Parameters", "show hyperparameters",
    positionals: [Positional("pattern", .word, "which", .optional)],
    flags: [
      Flag("all", "also those that have their default", isBareWord: true),
      Flag("json", "as JSON", short: "j"),
    ],
    effect: .look, reads: [.slot("params.*")],
    examples: [Example("show", "what differs"), Example("show all --json", "everything, as JSON")])

  static let load = Signature(
    "load", group: "Network", "load a network",
    positionals: [Positional("name", .named("model"), "which network")],
    keys: [
      Parameter("weights", .path(.input), "a weight file"),
      Parameter("classes", .either(["auto"], or: .integer(.from(1))), "outputs", default: "auto"),
      Parameter("head", .choice(["new", "keep"]), "the classifier", default: "new"),
    ],
    flags: [Flag("pretrained", "with the published weights", isBareWord: true)],
    effect: .change, reads: [.slot("data")], writes: [.slot("model")],
    examples: [
      Example("load b0", "random weights"), Example("load b0 pretrained", "published weights"),
    ])

  static let data = Signature(
    "data", aliases: ["dataset"], group: "Data", "choose a data set",
    positionals: [Positional("name", .choice(["digits", "cifar10", "cifar100"]), "which")],
    keys: [
      Parameter("dir", .path(.directory), "where it lies"),
      Parameter("limit", .integer(.from(1)), "use only so many images"),
    ],
    effect: .change, writes: [.slot("data")],
    examples: [
      Example("data digits", "the embedded one"),
      Example("data cifar10 dir=datasets limit=64k", "a part"),
    ])

  static let train = Signature(
    "train", group: "Training", "train the network",
    keys: [
      Parameter("name", .word, "the run's name"),
      Parameter("epochs", .integer(.from(1)), "passes over the data"),
      Parameter("stop-at", .integer(.from(1)), "stop after this step"),
    ],
    effect: .change, reads: [.slot("params.*"), .slot("data"), .slot("model")],
    writes: [.slot("model"), .argument("name", prefix: "run:")],
    examples: [Example("train name=a", "a run called a"), Example("train epochs=5", "a short one")])

  static let plot = Signature(
    "plot", group: "Results", "draw curves",
    positionals: [Positional("metrics", .list(of: .named("metric")), "what to draw")],
    keys: [
      Parameter("runs", .list(of: .named("run")), "which runs"),
      Parameter("x", .choice(["epoch", "time"]), "the horizontal axis", default: "epoch"),
      Parameter("title", .text, "above the figure"),
    ],
    flags: [Flag("log", "logarithmic axis", isBareWord: true)], allowsOutput: true,
    effect: .look, reads: [.argument("runs", prefix: "run:")],
    examples: [
      Example("plot loss", "in the terminal"),
      Example("plot top1,top5 runs=a,b > acc.png", "two metrics of two runs, into a file"),
    ])

  static let expect = Signature(
    "expect", group: "Results", "check a metric",
    positionals: [
      Positional("metric", .named("metric"), "what"), Positional("value", .number(), "how much"),
    ],
    keys: [
      Parameter("tol", .number(.from(0)), "tolerance", default: "0"),
      Parameter("run", .named("run"), "of which run"),
    ],
    takesComparison: true, effect: .check, reads: [.argument("run", prefix: "run:")],
    examples: [
      Example("expect top1 >= 55", "at least"), Example("expect loss == 1.83 tol=1e-2", "about"),
    ])

  static let require = Signature(
    "require", group: "Results", "ask for something before anything runs",
    positionals: [Positional("what", .choice(["threads", "free-disk"]), "what")],
    keys: [Parameter("atleast", .size, "how much", required: true)], effect: .check,
    examples: [
      Example("require free-disk atleast=2G", "disk"),
      Example("require threads atleast=2", "cores"),
    ])

  static let lrfind = Signature(
    "lrfind", group: "Training", "look for a learning rate",
    positionals: [Positional("range", .interval, "from where to where", .optional)],
    keys: [Parameter("for", .duration, "how long", default: "1m")], allowsOutput: true,
    effect: .look,
    examples: [Example("lrfind", "the usual range"), Example("lrfind 1e-6..1 for=90s", "another")])

  static let note = Signature(
    "note", group: "Session", "write a remark into the session",
    positionals: [Positional("text", .text, "the remark", .restOfLine)], effect: .annotation,
    examples: [Example("note looks good", "a remark"), Example("note \"a; b\"", "quoted")])

  static let save = Signature(
    "save", group: "Session", "save the session",
    positionals: [Positional("file", .path(.output), "where to")], effect: .session,
    allowedInScripts: false,
    examples: [Example("save s.wb", "as a script"), Example("save other.wb", "elsewhere")])

  static let seed = Signature(
    "seed", group: "Session", "set the seed",
    positionals: [Positional("number", .integer(.from(0)), "the seed")], effect: .change,
    writes: [.slot("params.seed")],
    examples: [Example("seed 42", "one"), Example("seed 7", "another")])

  static let reset = Signature(
    "reset", group: "Session", "start over", restoresDefaults: true, effect: .change,
    writes: [.slot("params.*"), .slot("data"), .slot("model")],
    examples: [Example("reset", "forget everything"), Example("reset # all", "the same")])

  static let fail = Signature(
    "fail", group: "Session", "fail",
    positionals: [Positional("how", .word, "how", .optional)], effect: .change,
    examples: [Example("fail", "fails"), Example("fail slowly", "fails")])

  static let quit = Signature(
    "quit", group: "Session", "end the session", effect: .process,
    examples: [Example("quit", "ends"), Example("quit # done", "ends")])

  static let shell = Signature(
    "shell", group: "Session", "run a shell command",
    positionals: [Positional("line", .text, "the command", .restOfLine)], effect: .process,
    examples: [Example("!ls", "lists files"), Example("!date", "the time")])

  static let signatures = [
    set, unset, show, load, data, train, plot, expect, require, lrfind, note, save, seed, reset,
    fail, quit, shell,
  ]
  static let vocabulary = Vocabulary(signatures)

  /// Commands that write their canonical text down; `fail` fails and `quit` stops.
  static let table = CommandTable<Recorder>(
    signatures.map { signature in
      Command(signature) { invocation, recorder in
        recorder.lines.append(invocation.canonicalText)
        switch invocation.name {
        case "quit": throw StopRun()
        case "fail":
          switch invocation.string("how") {
          case "plainly": throw PlainError.broken
          case "stopped": throw CommandError("stopped", exitCode: 130, isInterruption: true)
          case "pointedly":
            throw CommandError(
              "the word is wrong", hint: "use another", notes: ["nothing was changed"],
              argument: "how", exitCode: 7)
          default: throw CommandError("it failed")
          }
        default: break
        }
      }
    })

  enum PlainError: Error, CustomStringConvertible {
    case broken
    var description: String { "something broke" }
  }

  static func checker(rules: [CheckRule] = []) -> Checker {
    var checker = Checker(vocabulary: vocabulary, rules: rules)
    checker.mostSteps = 500
    return checker
  }

  static func check(
    _ text: String, as mode: Checker.Mode = .inline, _ overrides: [ParameterOverride] = []
  ) -> CheckedScript {
    checker().check(Source(name: "test.wb", text: text), as: mode, overrides: overrides)
  }
}
