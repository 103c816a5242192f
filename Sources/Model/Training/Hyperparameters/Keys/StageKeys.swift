// Progressive learning: small images and little regularisation first, large ones and more later.

extension HyperparameterKey {
  static let stageKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "progressive", group: .stages,
      kind: .choice(ProgressionRule.allCases.map(\.rawValue)), default: .word("none"),
      summary: "Trains on small images first and on larger ones stage by stage.",
      explanation: """
        EfficientNetV2's own way of training: the same accuracy in less time, because most epochs see \
        small images; regularisation has to grow with the size. paper takes sizes and strengths in \
        equal steps from the first number to the second; google, and jahongir7174 after it, takes \
        sizes that are one step ahead, so that the first stage is already larger than the first \
        number. spread draws a size for every batch, out of a window that moves from small to large, \
        as timm does, and changes sizes alone. 'show stages' prints what comes of it. Evaluation is \
        always at input-size.
        """),
    HyperparameterKey(
      "stages", group: .stages, kind: .integer(2...100), default: .integer(4),
      summary: "Stages of progressive learning, of equally many epochs.",
      explanation: """
        4 is the paper's number. More stages change the size more smoothly, and each begins with a new plan of \
        memory; the cool-down belongs to the last one.
        """, inertWhen: withoutStages),
    HyperparameterKey(
      "stage-sizes", group: .stages,
      kind: .numbers(count: 2...2, .between(8, 4096), ascending: true),
      keywords: ["auto"], default: .auto,
      summary: "Image sizes in pixels, from the first stage to the last.",
      explanation: """
        auto goes from half of input-size to input-size. The paper's are 128 and 300 for the S \
        variant, 128 and 380 for M and L.
        """,
      inertWhen: withoutStages),
    HyperparameterKey(
      "stage-batch", group: .stages,
      kind: .numbers(count: 1...100, .between(1, 65536), ascending: false), keywords: ["none"],
      default: .none,
      summary: "Batch size of each stage; none takes batch-size for all.",
      explanation: """
        Small images leave room for larger batches: stage-batch=[128,96,64,32]. The learning rate \
        does not follow.
        """,
      inertWhen: withoutRamps),
    HyperparameterKey(
      "stage-drop", group: .stages,
      kind: .numbers(count: 2...2, .from(0, below: 1), ascending: false),
      keywords: ["none"], default: .none,
      summary: "Dropout from the first stage to the last; none takes drop for all.",
      explanation: "The paper's are 0.1 and 0.3 for the S variant.", inertWhen: withoutRamps),
    HyperparameterKey(
      "stage-mixup", group: .stages, kind: .numbers(count: 2...2, .atLeast(0), ascending: false),
      keywords: ["none"], default: .none,
      summary: "Mixup from the first stage to the last; none takes mixup for all.",
      explanation: "The paper's are 0 and 0.2 for the M variant, 0 and 0.5 for L.",
      inertWhen: withoutRamps),
    HyperparameterKey(
      "stage-cutmix", group: .stages, kind: .numbers(count: 2...2, .atLeast(0), ascending: false),
      keywords: ["none"], default: .none,
      summary: "CutMix from the first stage to the last; none takes cutmix for all.",
      explanation: """
        Strong mixing suits the large images of the last stages: [0,1] begins without. Google's code ramps it \
        together with mixup.
        """, inertWhen: withoutRamps),
    HyperparameterKey(
      "stage-magnitude", group: .stages,
      kind: .numbers(count: 2...2, .between(0, 30), ascending: false), keywords: ["none"],
      default: .none,
      summary: "RandAugment's magnitude from the first stage to the last.",
      explanation: """
        It takes the place of the m in aa=rand-m9-...; the paper's are 5 and 15 for the S variant, 5 \
        and 20 for M.
        """,
      inertWhen: {
        withoutRamps($0) ?? ($0.word("aa").hasPrefix("rand") ? nil : "aa is no rand-... policy")
      }),
    HyperparameterKey(
      "stage-spread", group: .stages, kind: .number(.atLeast(0)), default: .number(0.65),
      summary: "Width of the window from which spread draws sizes, in stages.",
      explanation: """
        Wider windows show sizes earlier and keep them longer; 0 always takes the nearest size, in stages with \
        sharp ends.
        """, inertWhen: withoutSpread),
    HyperparameterKey(
      "stage-random-mix", group: .stages, kind: .number(.between(0, 1)), default: .number(0.1),
      summary: "Share of the batches for which spread draws any size.",
      explanation: """
        It keeps all sizes in play until the end, so that the network serves images of any of them. 0 leaves \
        it to the window alone.
        """, inertWhen: withoutSpread),
  ]

  private static let withoutStages: @Sendable (HyperparameterValues) -> String? = {
    $0.progressionRule == .none ? "progressive is none" : nil
  }

  private static let withoutRamps: @Sendable (HyperparameterValues) -> String? = {
    withoutStages($0)
      ?? ($0.progressionRule == .spread ? "progressive=spread changes sizes alone" : nil)
  }

  private static let withoutSpread: @Sendable (HyperparameterValues) -> String? = {
    $0.progressionRule == .spread ? nil : "progressive is \($0.word("progressive"))"
  }
}

extension HyperparameterValues {
  /// The rule that `progressive` names.
  var progressionRule: ProgressionRule {
    guard let rule = ProgressionRule(rawValue: word("progressive")) else {
      preconditionFailure("the registry offers the rules there are")
    }
    return rule
  }
}
