import DSL
import Foundation
import Model

// `models`, `load`, `info`: networks and their weights.

enum ModelCommands {
  static let all: [Command<WorkbenchState>] = [models, load, info]

  private static let models = Command<WorkbenchState>(
    Signature(
      "models", group: "model", "Lists the networks that can be loaded.",
      discussion: """
        efficientnetv2_* and efficientnet_* have PyTorch's conventions, tf_* TensorFlow's and Google's \
        weights; hankyul2's networks are efficientnetv2_*. efficientnet_v2_* are torchvision's, \
        jahongir_* and dli14_* those of jahongir7174 and d-li14 on GitHub. vit_* are vision \
        transformers, whose input size must be a multiple of 16.
        """,
      positionals: [
        Positional("pattern", .text, "a pattern with *, such as *rw*", .optional)
      ],
      flags: [Flag("json", "one JSON object per model"), Flag("csv", "comma-separated values")],
      effect: .look,
      examples: [
        Example("models", "all of them"), Example("models *rw*", "those whose names contain rw"),
      ])
  ) { invocation, state in
    let pattern = invocation.string("pattern") ?? "*"
    let wanted = pattern.contains("*") ? pattern : "*\(pattern)*"
    let found = Variant.all.filter { matchesWildcards($0.name, wanted) }
    guard !found.isEmpty else {
      throw CommandError(
        "no model matches '\(pattern)'", hint: "'models' lists them all", argument: "pattern")
    }
    let rows = try found.map { variant -> [Table.Cell] in
      let blueprint = try Blueprint(variant, classCount: 1000)
      let size = variant.preprocessing.inputSize
      let work = blueprint.multiplyAdds(inputSize: size)
      let weights = variant.pretrainedTags.map(\.name).joined(separator: " ")
      return [
        .init(variant.name),
        .init(
          .integer(blueprint.parameterCount), text: NumberText.count(blueprint.parameterCount)),
        .init(blueprint.blockCount),
        .init(.integer(work), text: NumberText.fixed(Double(work) / 1e9, 2)),
        .init(size),
        .init(variant.preprocessing.testInputSize ?? size),
        .init(blueprint.featureCount),
        .init(.text(weights), text: weights.isEmpty ? "none released" : weights),
      ]
    }
    let table = Table(
      [
        .init("model"), .init("parameters", .right), .init("blocks", .right),
        .init("GMACs", key: "macs", .right), .init("input", .right), .init("test", .right),
        .init("features", .right), .init("weights"),
      ], rows: rows)
    try state.show(table, as: invocation)
  }

  private static let load = Command<WorkbenchState>(
    Signature(
      "load", group: "model", "Loads a network: new weights, pretrained ones, or those of a file.",
      discussion: """
        'pretrained' looks where your Python tools put timm's weights: the Hugging Face hub cache, \
        the torch hub cache, ~/.workbench/weights. Nothing is downloaded. Without 'pretrained' and \
        weights= the weights are drawn from the seed.

        weights= takes safetensors, PyTorch, NumPy, HDF5 (Keras) and TensorFlow checkpoint files \
        with the names of timm, torchvision, google, Keras, hankyul2, jahongir7174 or d-li14, all \
        recognised by their contents; 'info FILE' shows one without loading it.

        classes=auto, the default, gives the classifier as many outputs as the data has classes, \
        now or when data is loaded; a classifier of another size is replaced by a new one. \
        head=keep keeps the classifier of the file whatever the data has.

        global-pool=max takes the largest value of each channel of the last maps instead of the \
        mean (avg, or fast), avgmax half the sum of both, catavgmax both, which doubles the \
        classifier's inputs. Runs, checkpoints and config.json remember it; a vision transformer \
        has none.

        in-chans=1 makes a network for images of one channel, the brightness: gray data such as \
        mnist needs no more, and colours are converted. Weights for three channels are adapted as \
        timm does: the first filters are summed for one channel, repeated and scaled for others. \
        mean and std are then the mean of the three. Networks of other channels than 1 and 3 can be \
        looked at and written, but no data here has such images.
        """,
      positionals: [
        Positional("model", .named("model"), "a name of 'models', with or without a tag")
      ],
      keys: [
        Parameter("weights", .path(.input), "a file of weights, of any known kind"),
        Parameter(
          "classes", .either(["auto"], or: .integer(.within(1...1_000_000))),
          "outputs of the classifier", default: "auto"),
        Parameter(
          "head", .choice(["replace", "keep"]),
          "what happens to a classifier of another size", default: "replace"),
        Parameter(
          "global-pool", .choice(GlobalPooling.words),
          "how the last maps become features, as in timm; avg unless the file says otherwise"),
        Parameter(
          "in-chans", .integer(.within(1...4096)),
          "channels of an image; 3 unless the file says otherwise"),
        Parameter("sha256", .word, "refuse a weight file that has another SHA-256"),
        Parameter(
          "strict", .boolean, "whether missing and unexpected tensors are an error", default: "on"),
      ],
      flags: [
        Flag("pretrained", "the released weights, if they are on this machine", isBareWord: true)
      ],
      effect: .change, reads: [.slot("params.seed"), .slot("data")], writes: [.slot("model")],
      examples: [
        Example("load tf_efficientnetv2_b0 classes=10", "new weights, ten classes"),
        Example("load efficientnetv2_rw_s.ra2_in1k pretrained", "the released weights of that tag"),
        Example(
          "load tf_efficientnetv2_b0 weights=model.safetensors", "the weights of a file"),
        Example("load tf_efficientnetv2_b0 in-chans=1 classes=10", "for gray images"),
      ])
  ) { invocation, state in
    let variant: Variant
    do {
      variant = try Variant.named(invocation.requiredString("model"))
    } catch let error as any ModelError {
      throw CommandError(error.message, hint: error.advice, argument: "model")
    }
    let classes: LoadedModel.Classes =
      invocation.string("head") == "keep"
      ? .keep : invocation.integer("classes").map { .count($0) } ?? .auto
    if invocation.string("head") == "keep", invocation.integer("classes") != nil {
      throw CommandError(
        "head=keep keeps the classifier of the file, so classes= cannot be given",
        argument: "classes")
    }
    let pooling = invocation.string("global-pool").flatMap(GlobalPooling.init(word:))
    if let pooling {
      do {
        _ = try variant.pooled(by: pooling)
      } catch let error as any ModelError {
        throw CommandError(error.message, hint: error.advice, argument: "global-pool")
      }
    }
    let file = try weightFile(invocation, variant, state)
    let model = try ModelLoading.load(
      variant, pooling: pooling, channels: invocation.integer("in-chans"), file: file,
      classes: classes,
      strict: invocation.boolean("strict") ?? true,
      sha256: invocation.string("sha256"), state)
    if case .file(_, let digest) = model.weights, !invocation.isGiven("sha256") {
      state.canonicalText += " sha256=\(digest)"
    }
    if pooling == nil, let own = model.variant.pooling.ifNotMean {
      state.canonicalText += " global-pool=\(own.rawValue)"
    }
    if !invocation.isGiven("in-chans"), model.variant.inputChannels != 3 {
      state.canonicalText += " in-chans=\(model.variant.inputChannels)"
    }
    state.model = model
    state.console.write(ModelReport.summary(model, state))
    if state.data == nil, classes == .auto, file == nil {
      state.console.note("the classifier takes the number of classes when data is loaded")
    }
  }

  /// The file that an invocation of `load` means; nil for new weights.
  private static func weightFile(
    _ invocation: Invocation, _ variant: Variant, _ state: WorkbenchState
  ) throws -> URL? {
    let path = invocation.string("weights")
    guard invocation.has("pretrained") else { return path.map(state.places.input) }
    guard path == nil else {
      throw CommandError(
        "'pretrained' and weights= exclude each other", hint: "leave one of them out",
        argument: "weights")
    }
    return try WeightLocator.find(variant)
  }

  private static let infoTopics = [
    "model", "params", "classifier", "transform", "layers", "memory", "data",
  ]

  private static let info = Command<WorkbenchState>(
    Signature(
      "info", group: "model",
      "Shows the model, one side of it, or what a file of weights holds.",
      discussion: """
        'info FILE' shows the tensors of a file of weights, whose names they are, and which models \
        they fit, without loading it.

        'info memory' shows what a training step with the present batch-size and input-size needs, \
        before anything is allocated; a training that does not fit is refused.
        """,
      positionals: [
        Positional(
          "topic",
          .either(infoTopics, or: .path(.input)), "what to show, or a file of weights", .optional)
      ],
      flags: [Flag("json", "one JSON object per row"), Flag("csv", "comma-separated values")],
      effect: .look, reads: [.slot("model"), .slot("data"), .slot("params.*")],
      examples: [
        Example("load tf_efficientnetv2_b0; info params", "how many parameters"),
        Example("load tf_efficientnetv2_b0; info layers", "a row per block"),
        Example("load tf_efficientnetv2_b0; info memory", "what a training step needs"),
        Example("info model.safetensors", "what is in a file"),
      ])
  ) { invocation, state in
    let topic = invocation.string("topic") ?? "model"
    if topic == "data" {
      state.console.write(DataReport.summary(try state.requireData(), state))
      return
    }
    guard infoTopics.contains(topic) else {
      try WeightCommands.inspect(topic, invocation, state)
      return
    }
    let model = try state.requireModel()
    let blueprint = model.network.blueprint
    let console = state.console
    switch topic {
    case "params":
      console.print("\(model.variant.name) Params: \(blueprint.parameterCount)")
      let settings = state.settings(for: model)
      if !settings.freezing.patterns.isEmpty {
        console.print("\(model.variant.name) Trained: \(try ModelReport.trained(model, settings))")
      }
    case "classifier":
      console.print("\(model.variant.name) Classifier: \(model.classifierText)")
    case "transform":
      console.write(ModelReport.transform(state.settings(for: model).preprocessing))
    case "layers":
      let size = state.settings(for: model).preprocessing.inputSize
      try state.show(ModelReport.layers(blueprint, inputSize: size), as: invocation)
    case "memory":
      let settings = state.settings(for: model)
      let memory = try TrainingMemory(
        model.network, settings: settings, pool: state.threadPool(settings.threads))
      try state.show(ModelReport.memory(memory), as: invocation)
      ModelReport.judge(memory, settings).map(console.warn)
    default:
      console.write(ModelReport.summary(model, state))
    }
  }
}
