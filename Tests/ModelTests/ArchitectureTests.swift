import Testing

@testable import Model

/// The variant table against timm's and Google's published numbers.
struct ArchitectureTests {
  struct Counts: Sendable {
    let name: String
    /// Parameters with 1000, 100, 10 and 21843 classes.
    let parameters: [Int]
    /// Running means and variances.
    let buffers: Int
    /// Keys of the state dict.
    let keys: Int
    let features: Int
    let blocks: Int
  }

  static let small = [21_458_488, 20_305_588, 20_190_298, 48_158_371]
  static let medium = [54_139_356, 52_986_456, 52_871_166, 80_839_239]
  static let large = [118_515_272, 117_362_372, 117_247_082, 145_215_155]
  static let extraLarge = [208_119_808, 206_966_908, 206_851_618, 234_819_691]

  static let counts = [
    Counts(
      name: "efficientnetv2_s", parameters: small, buffers: 153_872, keys: 782, features: 1280,
      blocks: 40),
    Counts(
      name: "tf_efficientnetv2_s", parameters: small, buffers: 153_872, keys: 782,
      features: 1280, blocks: 40),
    Counts(
      name: "efficientnetv2_m", parameters: medium, buffers: 292_032, keys: 1120, features: 1280,
      blocks: 57),
    Counts(
      name: "tf_efficientnetv2_m", parameters: medium, buffers: 292_032, keys: 1120,
      features: 1280, blocks: 57),
    Counts(
      name: "efficientnetv2_l", parameters: large, buffers: 512_576, keys: 1548, features: 1280,
      blocks: 79),
    Counts(
      name: "tf_efficientnetv2_l", parameters: large, buffers: 512_576, keys: 1548,
      features: 1280, blocks: 79),
    Counts(
      name: "efficientnetv2_xl", parameters: extraLarge, buffers: 777_024, keys: 1990,
      features: 1280, blocks: 100),
    Counts(
      name: "tf_efficientnetv2_xl", parameters: extraLarge, buffers: 777_024, keys: 1990,
      features: 1280, blocks: 100),
    Counts(
      name: "tf_efficientnetv2_b0", parameters: [7_139_704, 5_986_804, 5_871_514, 33_839_587],
      buffers: 60_608, keys: 420, features: 1280, blocks: 21),
    Counts(
      name: "tf_efficientnetv2_b1", parameters: [8_141_052, 6_988_152, 6_872_862, 34_840_935],
      buffers: 71_072, keys: 516, features: 1280, blocks: 27),
    Counts(
      name: "tf_efficientnetv2_b2", parameters: [10_096_086, 8_827_986, 8_701_176, 39_463_873],
      buffers: 82_288, keys: 538, features: 1408, blocks: 28),
    Counts(
      name: "tf_efficientnetv2_b3", parameters: [14_358_406, 12_975_106, 12_836_776, 46_394_097],
      buffers: 109_216, keys: 626, features: 1536, blocks: 32),
    Counts(
      name: "efficientnetv2_rw_t",
      parameters: [13_649_388, 12_726_888, 12_634_638, 35_013_463],
      buffers: 119_024, keys: 760, features: 1024, blocks: 39),
    Counts(
      name: "efficientnetv2_rw_s",
      parameters: [23_941_296, 22_327_596, 22_166_226, 61_312_795],
      buffers: 160_848, keys: 794, features: 1792, blocks: 40),
    Counts(
      name: "efficientnetv2_rw_m",
      parameters: [53_236_442, 51_298_742, 51_104_972, 98_111_421],
      buffers: 307_232, keys: 1204, features: 2152, blocks: 60),
  ]

  @Test("every variant has its published size", arguments: counts)
  func sizes(_ expected: Counts) throws {
    let variant = try Variant.named(expected.name)
    for (classes, count) in zip([1000, 100, 10, 21843], expected.parameters) {
      #expect(try Blueprint(variant, classCount: classes).parameterCount == count)
    }
    let blueprint = try Blueprint(variant, classCount: 1000)
    #expect(blueprint.bufferCount == expected.buffers)
    #expect(blueprint.parameters.entries.count == expected.keys)
    #expect(blueprint.featureCount == expected.features)
    #expect(blueprint.blocks.count == expected.blocks)
    let rows = blueprint.layers(inputSize: 224)
    #expect(rows.reduce(0) { $0 + $1.parameterCount } == blueprint.parameterCount)
  }

  @Test(
    "other variants have their published numbers of parameters, tensors and features",
    arguments: [
      ("gc_efficientnetv2_rw_t", [13_677_713, 12_755_213, 12_662_963, 35_041_788], 876, 1024),
      ("efficientnet_b0", [5_288_548, 4_135_648, 4_020_358], 360, 1280),
      ("efficientnet_b1", [7_794_184, 6_641_284, 6_525_994], 508, 1280),
      ("efficientnet_b2", [9_109_994, 7_841_894, 7_715_084], 508, 1408),
      ("efficientnet_b3", [12_233_232, 10_849_932, 10_711_602], 574, 1536),
      ("tf_efficientnet_b4", [19_341_616, 17_727_916, 17_566_546], 706, 1792),
      ("tf_efficientnet_b5", [30_389_784, 28_545_684, 28_361_274], 854, 2048),
      ("efficientnet_b6", [43_040_704, 40_966_204, 40_758_754], 986, 2304),
      ("efficientnet_b7", [66_347_960, 64_043_060, 63_812_570], 1200, 2560),
      ("efficientnet_b8", [87_413_142, 84_877_842, 84_624_312], 1332, 2816),
      ("efficientnet_l2", [480_309_308, 475_354_808, 474_859_358], 1914, 5504),
      ("efficientnet_v2_s", small, 782, 1280), ("efficientnet_v2_m", medium, 1120, 1280),
      ("efficientnet_v2_l", large, 1548, 1280), ("jahongir_efficientnetv2_s", small, 782, 1280),
      ("dli14_efficientnetv2_s", [22_103_832, 20_490_132, 20_328_762], 794, 1792),
      ("dli14_efficientnetv2_m", [55_300_016, 53_686_316, 53_524_946], 1138, 1792),
      ("dli14_efficientnetv2_l", [119_355_792, 117_742_092, 117_580_722], 1572, 1792),
      ("dli14_efficientnetv2_xl", [208_960_328, 207_346_628, 207_185_258], 2014, 1792),
      ("vit_small_patch16_224", [22_050_664, 21_704_164, 21_669_514, 30_075_219], 152, 384),
    ] as [(String, [Int], Int, Int)])
  func otherSizes(name: String, parameters: [Int], keys: Int, features: Int) throws {
    let variant = try Variant.named(name)
    for (classes, count) in zip([1000, 100, 10, 21843], parameters) {
      #expect(try Blueprint(variant, classCount: classes).parameterCount == count)
    }
    let blueprint = try Blueprint(variant, classCount: 1000)
    #expect(blueprint.parameters.entries.count == keys)
    #expect(blueprint.featureCount == features)
    let rows = blueprint.layers(inputSize: 224)
    #expect(rows.reduce(0) { $0 + $1.parameterCount } == blueprint.parameterCount)
  }

  @Test("names are distinct, and every default tag is its variant's first")
  func table() {
    let names = Variant.all.flatMap { [$0.name] + $0.aliases.keys }
    #expect(Set(names).count == names.count)
    #expect(Variant.all.allSatisfy { $0.tag == $0.pretrainedTags.first })
  }

  @Test(
    "multiply-adds as in timm's benchmark tables",
    arguments: [
      ("efficientnetv2_rw_t", 224, "1.93"), ("efficientnetv2_rw_s", 288, "4.91"),
      ("efficientnetv2_rw_s", 384, "8.72"), ("efficientnetv2_rw_m", 320, "12.72"),
      ("efficientnetv2_rw_m", 416, "21.49"), ("efficientnetv2_s", 288, "4.75"),
      ("efficientnetv2_s", 384, "8.44"), ("tf_efficientnetv2_s", 300, "5.35"),
      ("efficientnetv2_m", 320, "11.01"), ("efficientnetv2_m", 480, "24.76"),
      ("efficientnetv2_l", 384, "36.10"), ("efficientnetv2_l", 480, "56.40"),
      ("efficientnetv2_xl", 384, "52.81"), ("efficientnetv2_xl", 512, "93.85"),
      ("tf_efficientnetv2_b0", 192, "0.54"), ("tf_efficientnetv2_b0", 224, "0.73"),
      ("tf_efficientnetv2_b1", 192, "0.76"), ("tf_efficientnetv2_b1", 240, "1.21"),
      ("tf_efficientnetv2_b2", 208, "1.06"), ("tf_efficientnetv2_b2", 260, "1.72"),
      ("tf_efficientnetv2_b3", 240, "1.93"), ("tf_efficientnetv2_b3", 300, "3.04"),
      ("efficientnet_b0", 224, "0.40"), ("efficientnet_b3", 288, "1.63"),
      ("efficientnet_b3", 320, "2.01"), ("vit_small_patch16_224", 224, "4.61"),
    ])
  func multiplyAdds(name: String, size: Int, expected: String) throws {
    let count = try Blueprint(Variant.named(name), classCount: 1000).multiplyAdds(inputSize: size)
    let hundredths = (count + 5_000_000) / 10_000_000
    let digits = hundredths % 100 < 10 ? "0\(hundredths % 100)" : "\(hundredths % 100)"
    #expect("\(hundredths / 100).\(digits)" == expected)
  }

  @Test("stages of the scaled variants")
  func scaling() throws {
    func stages(_ name: String) throws -> [[Int]] {
      try Variant.named(name).stages.map { [$0.repeats, $0.channels] }
    }
    #expect(
      try stages("efficientnetv2_rw_t")
        == [[2, 24], [4, 40], [4, 48], [6, 104], [9, 128], [14, 208]])
    #expect(
      try stages("efficientnetv2_rw_m")
        == [[3, 32], [5, 56], [5, 80], [8, 152], [15, 192], [24, 328]])
    #expect(
      try stages("tf_efficientnetv2_b2")
        == [[2, 16], [3, 32], [3, 56], [4, 104], [6, 120], [10, 208]])
    #expect(try Variant.named("efficientnetv2_rw_m").stages[0].kind == .fused)
    #expect(try Variant.named("efficientnetv2_rw_t").stages[0].kind == .convolution)
  }

  @Test("squeeze widths follow the block's input")
  func squeezeWidths() throws {
    let blueprint = try Blueprint(Variant.named("efficientnetv2_rw_t"), classCount: 10)
    let widths = blueprint.blocks.compactMap { block in
      block.gate.map { "\(block.stage).\(min(block.index, 1)): \($0.hiddenChannels)" }
    }
    #expect(
      Array(Set(widths)).sorted()
        == ["3.0: 12", "3.1: 26", "4.0: 26", "4.1: 32", "5.0: 32", "5.1: 52"])
  }

  @Test("names, tags and the spellings of timm 0.5.4")
  func names() throws {
    #expect(
      try Variant.named("tf_efficientnetv2_s").qualifiedName
        == "tf_efficientnetv2_s.in21k_ft_in1k")
    #expect(
      try Variant.named("tf_efficientnetv2_s_in21ft1k").qualifiedName
        == "tf_efficientnetv2_s.in21k_ft_in1k")
    #expect(try Variant.named("tf_efficientnetv2_xl_in21k").defaultClassCount == 21843)
    #expect(try Variant.named("tf_efficientnetv2_b3.in1k").preprocessing.cropFraction == 0.904)
    #expect(try Variant.named("tf_efficientnetv2_b3").preprocessing.mean == [0.5, 0.5, 0.5])
    #expect(try Variant.named("efficientnetv2_m").tag == nil)
    #expect(
      throws: ArchitectureError.unknownTag(
        "in21k", variant: "tf_efficientnetv2_b0", known: ["in1k"])
    ) {
      try Variant.named("tf_efficientnetv2_b0.in21k")
    }
    #expect(
      throws: ArchitectureError.unknownVariant(
        "tf_efficientnetv2_b4",
        closest: ["tf_efficientnetv2_b0", "tf_efficientnetv2_b1", "tf_efficientnetv2_b2"])
    ) {
      try Variant.named("tf_efficientnetv2_b4")
    }
    #expect(throws: ArchitectureError.unknownVariant("", closest: [])) { try Variant.named("") }
    #expect(throws: ArchitectureError.classCount(0)) {
      try Blueprint(Variant.all[0], classCount: 0)
    }
  }

  @Test("padding: symmetric as PyTorch, SAME as TensorFlow")
  func padding() {
    for size in 1...40 {
      for (kernel, stride) in [(1, 1), (3, 1), (3, 2), (5, 1), (5, 2)] {
        let same = Padding.same.resolve(input: size, kernel: kernel, stride: stride)
        #expect(same.output == (size + stride - 1) / stride)
        let symmetric = Padding.symmetric.resolve(input: size, kernel: kernel, stride: stride)
        #expect(symmetric.output == same.output)
        #expect(symmetric.before == (kernel - 1) / 2)
      }
    }
    #expect(Padding.same.resolve(input: 64, kernel: 3, stride: 2).before == 0)
    #expect(Padding.same.resolve(input: 65, kernel: 3, stride: 2).before == 1)
    #expect(Padding.same.resolve(input: 64, kernel: 5, stride: 2).before == 1)
  }

  @Test("the table lays out decaying tensors first, aligned and disjoint")
  func layout() throws {
    let table = try Blueprint(Variant.named("efficientnetv2_rw_t"), classCount: 10).parameters
    for storage in [ParameterInfo.Storage.weights, .buffers, .counters] {
      let ranges = table.entries.filter { $0.storage == storage }.map(\.range)
        .sorted { $0.lowerBound < $1.lowerBound }
      for (first, second) in zip(ranges, ranges.dropFirst()) {
        #expect(first.upperBound <= second.lowerBound)
      }
    }
    for info in table.entries where info.storage == .weights {
      #expect(info.offset % 16 == 0)
      #expect((info.decays ? table.decayingRange : table.plainRange).contains(info.offset))
      #expect(info.decays == (info.timmShape.count > 1))
      #expect(info.shape.reduce(1, *) == info.timmShape.reduce(1, *))
    }
  }
}
