/// EfficientNet (Tan and Le, arXiv:1905.11946), B0 to B8 and L2: with PyTorch's conventions and
/// weights of timm's author, and with TensorFlow's (`tf_`), whose weights are Google's.
extension Variant {
  static let efficientNet: [Variant] = scalings.map(plain) + scalings.map(google)

  /// A size of the family: the factors of width and depth, the input and its crop.
  private struct Scaling {
    let size: String
    let width: Double
    let depth: Double
    let input: Int
    let crop: Double

    var shape: NetworkShape { .efficientNet.scaled(width: width, depth: depth) }
    var title: String { "EfficientNet-" + size.uppercased() }
  }

  private static let scalings = [
    Scaling(size: "b0", width: 1, depth: 1, input: 224, crop: 0.875),
    Scaling(size: "b1", width: 1, depth: 1.1, input: 240, crop: 0.882),
    Scaling(size: "b2", width: 1.1, depth: 1.2, input: 260, crop: 0.89),
    Scaling(size: "b3", width: 1.2, depth: 1.4, input: 300, crop: 0.904),
    Scaling(size: "b4", width: 1.4, depth: 1.8, input: 380, crop: 0.922),
    Scaling(size: "b5", width: 1.6, depth: 2.2, input: 456, crop: 0.934),
    Scaling(size: "b6", width: 1.8, depth: 2.6, input: 528, crop: 0.942),
    Scaling(size: "b7", width: 2, depth: 3.1, input: 600, crop: 0.949),
    Scaling(size: "b8", width: 2.2, depth: 3.6, input: 672, crop: 0.954),
    Scaling(size: "l2", width: 4.3, depth: 5.3, input: 800, crop: 0.961),
  ]

  private static func plain(_ scaling: Scaling) -> Variant {
    let tags = ownTags[scaling.size] ?? []
    return Variant(
      "efficientnet_\(scaling.size)",
      summary: scaling.title + ", PyTorch padding" + (tags.isEmpty ? "; no released weights" : ""),
      shape: scaling.shape, padding: .symmetric, normEpsilon: 1e-5, tags: tags,
      untrained: Preprocessing(inputSize: scaling.input, cropFraction: scaling.crop))
  }

  /// The weights of timm's author.
  private static let ownTags: [String: [PretrainedTag]] = [
    "b0": [
      own("ra_in1k", 224, file: "efficientnet_b0_ra-3dd342df.pth"),
      PretrainedTag(
        name: "ra4_e3600_r224_in1k", classCount: 1000,
        preprocessing: .google(size: 224, test: 256, crop: 0.9), releaseFile: nil,
        summary: "ImageNet-1k, 3600 epochs"),
    ],
    "b1": [
      PretrainedTag(
        name: "ra4_e3600_r240_in1k", classCount: 1000,
        preprocessing: .google(size: 240, test: 288, crop: 0.9), releaseFile: nil,
        summary: "ImageNet-1k, 3600 epochs"),
      own("ft_in1k", 224, test: 256, file: "efficientnet_b1-533bc792.pth"),
    ],
    "b2": [own("ra_in1k", 256, test: 288, file: "efficientnet_b2_ra-bcdf34b7.pth")],
    "b3": [own("ra2_in1k", 288, test: 320, file: "efficientnet_b3_ra2-cf984f9c.pth")],
    "b4": [own("ra2_in1k", 320, test: 384, file: "efficientnet_b4_ra2_320-7eb33cd5.pth")],
    "b5": [
      PretrainedTag(
        name: "sw_in12k_ft_in1k", classCount: 1000,
        preprocessing: Preprocessing(inputSize: 448, cropMode: .squash), releaseFile: nil,
        summary: "ImageNet-12k, fine-tuned on ImageNet-1k"),
      PretrainedTag(
        name: "sw_in12k", classCount: 11821,
        preprocessing: Preprocessing(inputSize: 416, cropFraction: 0.95), releaseFile: nil,
        summary: "ImageNet-12k"),
    ],
  ]

  private static func own(
    _ name: String, _ size: Int, test: Int? = nil, file: String
  ) -> PretrainedTag {
    PretrainedTag(
      name: name, classCount: 1000,
      preprocessing: Preprocessing(inputSize: size, testInputSize: test, cropFraction: 0.875),
      releaseFile: file, summary: "ImageNet-1k")
  }

  /// Google's weights; timm 0.5.4 spelled some tags as suffixes.
  private static func google(_ scaling: Scaling) -> Variant {
    let name = "tf_efficientnet_\(scaling.size)"
    let tags = (googleFiles[scaling.size] ?? []).map { tag, file in
      // AdvProp was trained on images in -1 ... 1, everything else on ImageNet's statistics.
      var images = Preprocessing(inputSize: scaling.input, cropFraction: scaling.crop)
      if tag == "ap_in1k" { images = .google(size: scaling.input, crop: scaling.crop) }
      if tag == "ns_jft_in1k_475" { images = Preprocessing(inputSize: 475, cropFraction: 0.936) }
      if scaling.size == "l2", tag == "ns_jft_in1k" { images.cropFraction = 0.96 }
      return PretrainedTag(
        name: tag, classCount: 1000, preprocessing: images,
        releaseFile: "\(name)\(file).pth",
        summary: googleSummaries[tag] ?? "ImageNet-1k")
    }
    let spellings = [
      "_ap": "ap_in1k", "_ns": "ns_jft_in1k", "_ns_475": "ns_jft_in1k_475",
    ].filter { spelling in tags.contains { $0.name == spelling.value } }
    return Variant(
      name, aliases: Dictionary(uniqueKeysWithValues: spellings.map { (name + $0.key, $0.value) }),
      summary: scaling.title + ", Google's weights", shape: scaling.shape, padding: .same,
      normEpsilon: 1e-3, tags: tags)
  }

  private static let googleSummaries = [
    "ns_jft_in1k": "noisy student, JFT-300M and ImageNet-1k",
    "ns_jft_in1k_475": "noisy student, JFT-300M and ImageNet-1k, at 475 px",
    "ap_in1k": "ImageNet-1k with AdvProp", "aa_in1k": "ImageNet-1k with AutoAugment",
    "ra_in1k": "ImageNet-1k with RandAugment",
  ]

  /// Each tag with the rest of its file's name; the default tag first.
  private static let googleFiles: [String: [(String, String)]] = [
    "b0": [
      ("ns_jft_in1k", "_ns-c0e6a31c"), ("ap_in1k", "_ap-f262efe1"), ("aa_in1k", "_aa-827b6e33"),
      ("in1k", "-0af12548"),
    ],
    "b1": [
      ("ns_jft_in1k", "_ns-99dd0c41"), ("ap_in1k", "_ap-44ef0a3d"), ("aa_in1k", "_aa-ea7a6ee0"),
      ("in1k", "-5c1377c4"),
    ],
    "b2": [
      ("ns_jft_in1k", "_ns-00306e48"), ("ap_in1k", "_ap-2f8e7636"), ("aa_in1k", "_aa-60c94f97"),
      ("in1k", "-e393ef04"),
    ],
    "b3": [
      ("ns_jft_in1k", "_ns-9d44bf68"), ("ap_in1k", "_ap-aad25bdd"), ("aa_in1k", "_aa-84b4657e"),
      ("in1k", "-e3bd6955"),
    ],
    "b4": [
      ("ns_jft_in1k", "_ns-d6313a46"), ("ap_in1k", "_ap-dedb23e6"), ("aa_in1k", "_aa-818f208c"),
      ("in1k", "-74ee3bed"),
    ],
    "b5": [
      ("ns_jft_in1k", "_ns-6f26d0cf"), ("ap_in1k", "_ap-9e82fae8"), ("ra_in1k", "_ra-9a3e5369"),
      ("aa_in1k", "_aa-99018a74"), ("in1k", "-c6949ce9"),
    ],
    "b6": [
      ("ns_jft_in1k", "_ns-51548356"), ("ap_in1k", "_ap-4ffb161f"), ("aa_in1k", "_aa-80ba17e4"),
    ],
    "b7": [
      ("ns_jft_in1k", "_ns-1dbc32de"), ("ap_in1k", "_ap-ddb28fec"), ("ra_in1k", "_ra-6c08e654"),
      ("aa_in1k", "_aa-076e3472"),
    ],
    "b8": [("ap_in1k", "_ap-00e169fa"), ("ra_in1k", "_ra-572d5dd9")],
    "l2": [("ns_jft_in1k_475", "_ns_475-bebbd00a"), ("ns_jft_in1k", "_ns-df73bb44")],
  ]
}

extension NetworkShape {
  /// EfficientNet-B0: a separable stage, then inverted ones with expansion 6; a gate in each.
  static let efficientNet: NetworkShape = {
    let gate = GateKind.squeezeExcitation(ratio: 0.25)
    func inverted(_ repeats: Int, _ channels: Int, kernel: Int, stride: Int) -> StageSpec {
      StageSpec(
        .inverted, repeats: repeats, channels: channels, kernel: kernel, stride: stride,
        expansion: 6, gate: gate)
    }
    return NetworkShape(
      stemChannels: 32,
      stages: [
        StageSpec(.separable, repeats: 1, channels: 16, stride: 1, expansion: 1, gate: gate),
        inverted(2, 24, kernel: 3, stride: 2), inverted(2, 40, kernel: 5, stride: 2),
        inverted(3, 80, kernel: 3, stride: 2), inverted(3, 112, kernel: 5, stride: 1),
        inverted(4, 192, kernel: 5, stride: 2), inverted(1, 320, kernel: 3, stride: 1),
      ], headChannels: 1280)
  }()
}
