import Foundation
import Testing

@testable import Model

/// Poolings other than the mean: names, classifiers, files of weights. Their numbers are timm's in
/// `NetworkPyTorchTests`.
@Suite struct GlobalPoolingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func network(_ pooling: GlobalPooling, classes: Int = 10) throws -> Network {
    let variant = try TinyWeights.variant.pooled(by: pooling)
    return Network(try Blueprint(variant, classCount: classes), seed: 3)
  }

  @Test func wordsAndFeatures() throws {
    #expect(GlobalPooling.words.compactMap(GlobalPooling.init(word:)).count == 5)
    #expect(GlobalPooling(word: "fast") == .average && GlobalPooling(word: "token") == nil)
    for pooling in GlobalPooling.allCases {
      let blueprint = try network(pooling).blueprint
      #expect(blueprint.featureCount == (pooling == .concatenated ? 64 : 32))
      #expect(blueprint.mapChannels == 32)
    }
    let tagged = try Variant.named("tf_efficientnetv2_s").pooled(by: .maximum)
      .selecting(tag: "in1k")
    #expect(tagged.pooling == .maximum)
    #expect(tagged.loadText == "tf_efficientnetv2_s global-pool=max")
    #expect(throws: ArchitectureError.nothingToPool("vit_tiny_patch16_224")) {
      try Variant.named("vit_tiny_patch16_224").pooled(by: .average)
    }
  }

  @Test func aNewHeadHasTheFeaturesOfThePooling() throws {
    let replaced = try network(.concatenated).replacingHead(classCount: 3, seed: 1)
    #expect(replaced.blueprint.classifier.inputs == 64)
    #expect(replaced.blueprint.variant.pooling == .concatenated)
  }

  @Test func weightsOfASimplerPoolingGetANewHead() throws {
    let url = folder.file()
    try WeightWriter.write(network(.average), to: url)
    let doubled = try TinyWeights.variant.pooled(by: .concatenated)
    func load(_ variant: Variant, _ head: HeadPolicy) throws -> (
      network: Network, report: LoadReport
    ) {
      try WeightLoader.load(variant, from: url, head: head, seed: 1, strict: true)
    }
    for head in [HeadPolicy.follow, .resize(classCount: 10)] {
      let loaded = try load(doubled, head)
      #expect(loaded.network.blueprint.featureCount == 64)
      #expect(loaded.report.headReplaced?.from == 10 && loaded.report.headReplaced?.to == 10)
      #expect(loaded.report.loaded.contains("conv_head.weight"))
    }
    #expect(throws: WeightError.self) { try load(doubled, .keep) }
    let same = try load(TinyWeights.variant.pooled(by: .maximum), .follow)
    #expect(try same.network.contents == network(.maximum).contents)
    #expect(same.report.headReplaced == nil)
  }

  @Test func aFileOfDoubledFeaturesIsRecognised() throws {
    let variant = try Variant.named("tf_efficientnetv2_b0").pooled(by: .concatenated)
    let url = folder.file()
    try TinyWeights.writeZeros(of: variant, classes: 7, to: url)
    let contents = WeightContents(try WeightFile.open(url))
    #expect(contents.variants == ["tf_efficientnetv2_b0 global-pool=catavgmax"])
    let other = folder.file("other.npz")
    #expect(try WeightConversion.convert(url, to: other).variants == contents.variants)
  }

  @Test func theHubsConfigurationSaysThePooling() throws {
    let url = folder.file()
    for pooling in GlobalPooling.allCases {
      let made = try network(pooling)
      try WeightWriter.write(made, to: url)
      try HubConfiguration(made, made.blueprint.variant.preprocessing).write(beside: url)
      #expect(try WeightFile.open(url).pooling == pooling)
      let text = try String(contentsOf: folder.file("config.json"), encoding: .utf8)
      #expect(text.contains("\"global_pool\" : \"\(pooling.rawValue)\""))
      #expect(text.contains("\"num_features\" : 32"))
      #expect(text.contains("model_args") == (pooling != .average))
    }
  }
}
