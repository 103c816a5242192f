/// EfficientNetV2 (Tan and Le, arXiv:2104.00298) in the three families that timm has: the official
/// networks with PyTorch's conventions, the same with TensorFlow's (`tf_`, whose released weights
/// are Google's), and Ross Wightman's early reading of the paper (`rw`; with a global context `gc`).
extension Variant {
  static let efficientNetV2: [Variant] = official + tensorFlow + earlyReadings

  private static let official = [
    plain("efficientnetv2_s", "S, PyTorch padding", .small, size: 288, test: 384),
    plain("efficientnetv2_m", "M, PyTorch padding", .medium, size: 320, test: 416),
    plain("efficientnetv2_l", "L, PyTorch padding", .large, size: 384, test: 480),
    plain("efficientnetv2_xl", "XL, PyTorch padding", .extraLarge, size: 384, test: 512),
  ]

  private static let tensorFlow = [
    google("s", "S, Google's weights", .small, size: 300, test: 384, squash: false),
    google("m", "M, Google's weights", .medium, size: 384, test: 480, squash: true),
    google("l", "L, Google's weights", .large, size: 384, test: 480, squash: true),
    google(
      "xl", "XL, Google's weights", .extraLarge, size: 384, test: 512, squash: true,
      directlyOnImageNet: false),
    base("b0", "B0, the smallest", .base, size: 192, test: 224, crop: 0.875, file: "c7cc451f"),
    base(
      "b1", "B1", .base.scaled(width: 1, depth: 1.1, roundLimit: 0),
      size: 192, test: 240, crop: 0.882, file: "be6e41b0"),
    base(
      "b2", "B2", .base.scaled(width: 1.1, depth: 1.2, roundLimit: 0),
      size: 208, test: 260, crop: 0.89, file: "847de54e"),
    Variant(
      "tf_efficientnetv2_b3", summary: "EfficientNetV2-B3, TensorFlow conventions",
      shape: .base.scaled(width: 1.2, depth: 1.4, roundLimit: 0),
      padding: .same, normEpsilon: 1e-3,
      tags: [
        PretrainedTag(
          name: "in21k_ft_in1k", classCount: 1000,
          preprocessing: .google(size: 240, test: 300, crop: 0.9, mode: .squash),
          releaseFile: nil, summary: "ImageNet-21k, fine-tuned on ImageNet-1k"),
        PretrainedTag(
          name: "in1k", classCount: 1000,
          preprocessing: Preprocessing(inputSize: 240, testInputSize: 300, cropFraction: 0.904),
          releaseFile: "tf_efficientnetv2_b3-57773f13.pth", summary: "ImageNet-1k"),
        PretrainedTag(
          name: "in21k", classCount: 21843,
          preprocessing: .google(size: 240, test: 300, crop: 0.904),
          releaseFile: nil, summary: "ImageNet-21k"),
      ]),
  ]

  private static let earlyReadings = [
    wightman(
      "efficientnetv2_rw_t", "a tiny V2",
      .small.scaled(width: 0.8, depth: 0.9), size: 224, test: 288,
      tag: "ra2_in1k", file: "efficientnetv2_t_agc-3620981a.pth"),
    wightman(
      "efficientnetv2_rw_s", "S as first read from the paper",
      .smallEarly, size: 288, test: 384,
      tag: "ra2_in1k", file: "efficientnet_v2s_ra2_288-a6477665.pth"),
    wightman(
      "efficientnetv2_rw_m", "M as first read from the paper",
      .smallEarly.scaled(width: 1.2, depth: [1.2, 1.2, 1.2, 1.2, 1.6, 1.6]),
      size: 320, test: 416, tag: "agc_in1k", file: "efficientnetv2_rw_m_agc-3d90cb1e.pth"),
    wightman(
      "gc_efficientnetv2_rw_t", "the tiny V2 with a global context for each gate",
      .small.scaled(width: 0.8, depth: 0.9).replacingGates(.globalContext(ratio: 0.25)),
      size: 224, test: 288, tag: "agc_in1k", file: "gc_efficientnetv2_rw_t_agc-927a0bde.pth"),
  ]

  private static func plain(
    _ name: String, _ what: String, _ shape: NetworkShape, size: Int, test: Int
  ) -> Variant {
    Variant(
      name, summary: "EfficientNetV2-\(what); no released weights", shape: shape,
      padding: .symmetric, normEpsilon: 1e-5, tags: [],
      untrained: Preprocessing(inputSize: size, testInputSize: test))
  }

  /// S to XL: three sets of weights, all with Google's -1 ... 1 input. timm 0.5.4 spelled the
  /// tags as suffixes; its bare name meant `in1k`.
  private static func google(
    _ size: String, _ what: String, _ shape: NetworkShape, size edge: Int, test: Int, squash: Bool,
    directlyOnImageNet: Bool = true
  ) -> Variant {
    let name = "tf_efficientnetv2_\(size)"
    let images = Preprocessing.google(
      size: edge, test: test, crop: 1, mode: squash ? .squash : .center)
    let files = googleFiles[size] ?? [:]
    func tag(_ tag: String, _ classes: Int, _ summary: String) -> PretrainedTag {
      PretrainedTag(
        name: tag, classCount: classes, preprocessing: images,
        releaseFile: files[tag].map { "\(name)\($0).pth" }, summary: summary)
    }
    var tags = [tag("in21k_ft_in1k", 1000, "ImageNet-21k, fine-tuned on ImageNet-1k")]
    if directlyOnImageNet { tags.append(tag("in1k", 1000, "ImageNet-1k")) }
    tags.append(tag("in21k", 21843, "ImageNet-21k"))
    return Variant(
      name, aliases: ["\(name)_in21ft1k": "in21k_ft_in1k", "\(name)_in21k": "in21k"],
      summary: "EfficientNetV2-\(what)", shape: shape, padding: .same, normEpsilon: 1e-3,
      tags: tags)
  }

  private static let googleFiles: [String: [String: String]] = [
    "s": ["in21k_ft_in1k": "_21ft1k-d7dafa41", "in1k": "-eb54923e", "in21k": "_21k-6337ad01"],
    "m": ["in21k_ft_in1k": "_21ft1k-bf41664a", "in1k": "-cc09e0cd", "in21k": "_21k-361418a2"],
    "l": ["in21k_ft_in1k": "_21ft1k-60127a9d", "in1k": "-d664b728", "in21k": "_21k-91a19ec9"],
    "xl": ["in21k_ft_in1k": "_in21ft1k-06c35c48", "in21k": "_in21k-fd7e8abf"],
  ]

  private static func base(
    _ size: String, _ what: String, _ shape: NetworkShape, size edge: Int, test: Int, crop: Double,
    file hash: String
  ) -> Variant {
    let name = "tf_efficientnetv2_\(size)"
    return Variant(
      name, summary: "EfficientNetV2-\(what), TensorFlow conventions", shape: shape,
      padding: .same, normEpsilon: 1e-3,
      tags: [
        PretrainedTag(
          name: "in1k", classCount: 1000,
          preprocessing: Preprocessing(inputSize: edge, testInputSize: test, cropFraction: crop),
          releaseFile: "\(name)-\(hash).pth", summary: "ImageNet-1k")
      ])
  }

  private static func wightman(
    _ name: String, _ what: String, _ shape: NetworkShape, size: Int, test: Int, tag: String,
    file: String
  ) -> Variant {
    Variant(
      name, summary: "EfficientNetV2, \(what) by timm's author", shape: shape,
      padding: .symmetric, normEpsilon: 1e-5,
      tags: [
        PretrainedTag(
          name: tag, classCount: 1000,
          preprocessing: Preprocessing(inputSize: size, testInputSize: test),
          releaseFile: file, summary: "ImageNet-1k")
      ])
  }
}

extension Preprocessing {
  /// Google's images: -1 ... 1.
  static func google(
    size: Int, test: Int? = nil, crop: Double, mode: CropMode = .center
  ) -> Preprocessing {
    Preprocessing(
      inputSize: size, testInputSize: test, cropFraction: crop, mean: half, deviation: half,
      cropMode: mode)
  }
}

extension NetworkShape {
  private static let quarter = GateKind.squeezeExcitation(ratio: 0.25)

  /// Stages of the official kind: one of plain convolutions, two fused, the rest inverted with a
  /// gate. Each row is (repeats, channels, stride) and the expansion follows from its place.
  private static func official(
    stem: Int, _ rows: [(repeats: Int, channels: Int, stride: Int)]
  ) -> NetworkShape {
    let stages = rows.enumerated().map { place, row in
      switch place {
      case 0:
        StageSpec(
          .convolution, repeats: row.repeats, channels: row.channels, stride: row.stride,
          expansion: 1)
      case 1, 2:
        StageSpec(
          .fused, repeats: row.repeats, channels: row.channels, stride: row.stride, expansion: 4)
      default:
        StageSpec(
          .inverted, repeats: row.repeats, channels: row.channels, stride: row.stride,
          expansion: place == 3 ? 4 : 6, gate: quarter)
      }
    }
    return NetworkShape(stemChannels: stem, stages: stages, headChannels: 1280)
  }

  static let small = official(
    stem: 24, [(2, 24, 1), (4, 48, 2), (4, 64, 2), (6, 128, 2), (9, 160, 1), (15, 256, 2)])

  static let medium = official(
    stem: 24,
    [(3, 24, 1), (5, 48, 2), (5, 80, 2), (7, 160, 2), (14, 176, 1), (18, 304, 2), (5, 512, 1)])

  static let large = official(
    stem: 32,
    [(4, 32, 1), (7, 64, 2), (7, 96, 2), (10, 192, 2), (19, 224, 1), (25, 384, 2), (7, 640, 1)])

  static let extraLarge = official(
    stem: 32,
    [(4, 32, 1), (8, 64, 2), (8, 96, 2), (16, 192, 2), (24, 256, 1), (32, 512, 2), (8, 640, 1)])

  static let base = official(
    stem: 32, [(1, 16, 1), (2, 32, 2), (2, 48, 2), (3, 96, 2), (5, 112, 1), (8, 192, 2)])

  /// `small` before the official release: the first stage is fused at expansion 1 and so has a
  /// 1×1 projection, the last one and the head are wider.
  static let smallEarly: NetworkShape = {
    var shape = small
    shape.stages[0].kind = .fused
    shape.stages[5].channels = 272
    shape.headChannels = 1792
    return shape
  }()
}
