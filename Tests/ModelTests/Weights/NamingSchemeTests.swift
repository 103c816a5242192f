import Foundation
import Testing

@testable import Model

/// Each scheme against every variant of the table, and against what the libraries themselves have.
struct NamingSchemeTests {
  private struct Manifest: Decodable {
    struct Entry: Decodable {
      let entries: Int
      let sha256: String
    }
    let version: String
    let variants: [String: Entry]
  }

  private func names(
    _ scheme: NamingScheme, _ blueprint: Blueprint
  ) -> [(info: ParameterInfo, name: String)] {
    blueprint.parameters.entries.flatMap { info in
      scheme.names(of: info, in: blueprint).map { (info, $0) }
    }
  }

  @Test func everyTensorHasOneNameAndNoOtherHasIt() throws {
    for variant in Variant.all {
      let blueprint = try Blueprint(variant, classCount: 1000)
      for scheme in NamingScheme.all {
        let names = names(scheme, blueprint)
        let what: Comment = "\(scheme.name) \(variant.name)"
        #expect(Set(names.map(\.name)).count == names.count, what)
        let unnamed = blueprint.parameters.entries.count - Set(names.map(\.info.path)).count
        switch (scheme.name, variant.shape) {
        case ("timm", _), ("flax", nil): #expect(unnamed == 0, what)
        // Nobody else has the other kind of network, and only timm a global context.
        case ("flax", _), (_, nil): #expect(names.isEmpty, what)
        case (_, _?) where variant.name.hasPrefix("gc_"): #expect(unnamed > 0, what)
        // Plain convolutions as blocks, the first stage of the official networks, d-li14 has not.
        case ("d-li14", let shape?) where shape.stages[0].kind == .convolution:
          #expect(unnamed > 0, what)
        default:
          let counters = scheme.order == .outputsLast ? blueprint.parameters.counterCount : 0
          #expect(unnamed == counters, what)
        }
      }
    }
  }

  /// A library, one of its networks, and the variants that have its tensors.
  private static let fits = [
    ("torchvision", "efficientnet_b0", ["efficientnet_b0", "tf_efficientnet_b0"]),
    (
      "torchvision", "efficientnet_b5",
      ["efficientnet_b5", "tf_efficientnet_b5", "torchvision_efficientnet_b5"]
    ),
    ("keras", "tf_efficientnet_b1", ["efficientnet_b1", "tf_efficientnet_b1"]),
    ("google", "tf_efficientnet_b3", ["efficientnet_b3", "tf_efficientnet_b3"]),
    ("flax", "vit_tiny_patch16_224", ["vit_tiny_patch16_224"]),
    ("flax", "vit_small_patch16_384", ["vit_small_patch16_384"]),
  ]

  @Test(arguments: fits) func aFileFitsWhatHasItsTensors(
    _ library: String, _ name: String, _ expected: [String]
  ) throws {
    let scheme = try #require(NamingScheme.all.first { $0.name == library })
    let folder = try TemporaryFolder()
    try TinyWeights.writeZeros(
      of: Variant.named(name), classes: 17, to: folder.file(), names: scheme)
    let contents = WeightContents(try WeightFile.open(folder.file()))
    #expect(contents.scheme == library)
    #expect(contents.variants == expected)
  }

  @Test func torchvisionsEpsilonDependsOnTheNetwork() throws {
    func warnings(_ name: String) throws -> [String] {
      let variant = try Variant.named(name)
      return NamingScheme.torchvision.conventions(variant)?.differences(from: variant) ?? []
    }
    let own =
      (0...4).map { "efficientnet_b\($0)" } + (5...7).map { "torchvision_efficientnet_b\($0)" }
      + ["s", "m", "l"].map { "efficientnet_v2_\($0)" }
    for name in own { #expect(try warnings(name).isEmpty, "\(name)") }
    for size in 5...7 {
      #expect(
        try warnings("efficientnet_b\(size)") == [
          "these weights belong to a network that adds 0.001 to the variances, but "
            + "'efficientnet_b\(size)' adds 1e-05"
        ])
    }
    #expect(try warnings("tf_efficientnet_b0").count == 2)
  }

  @Test(arguments: ["schemes.json", "keras.json"]) func theNamesAreTheLibrarys(
    _ file: String
  ) throws {
    let manifests = try JSONDecoder().decode(
      [String: Manifest].self,
      from: Data(contentsOf: weightFixtures.appendingPathComponent(file)))
    for (library, manifest) in manifests {
      let scheme = try #require(NamingScheme.all.first { $0.name == library })
      #expect(manifest.variants.count >= 3)
      for (name, expected) in manifest.variants {
        let blueprint = try Blueprint(Variant.named(name), classCount: 1000)
        let lines = names(scheme, blueprint).map { info, name in
          let shape = scheme.shapes(of: info, in: blueprint)[0]
          return "\(name) \(shape.map(String.init).joined(separator: ","))\n"
        }
        #expect(lines.count == expected.entries, "\(library) \(name)")
        #expect(
          sha256(of: Array(lines.sorted().joined().utf8)) == expected.sha256,
          "\(library) \(name)")
      }
    }
  }

  @Test func theNamesOfTheOthersFollowTheirCode() throws {
    let blueprint = try Blueprint(Variant.named("efficientnetv2_m"), classCount: 1000)
    func name(_ scheme: NamingScheme, _ path: String, _ blueprint: Blueprint) -> String? {
      blueprint.parameters[path].flatMap { scheme.names(of: $0, in: blueprint).first }
    }
    // Stages 3 and 4 of M have 7 and 14 blocks and share a part, as do 5 and 6.
    #expect(
      name(.jahongir7174, "blocks.4.2.conv_dw.weight", blueprint) == "p4.9.res.1.conv.weight")
    #expect(
      name(.jahongir7174, "blocks.6.0.se.conv_expand.bias", blueprint) == "p5.18.res.2.se.3.bias")
    #expect(
      name(.jahongir7174, "blocks.0.2.bn1.running_var", blueprint) == "p1.3.res.0.norm.running_var")
    #expect(
      name(.hankyul2, "blocks.3.0.conv_pwl.weight", blueprint)
        == "blocks.13.block.point_wise.0.weight")
    #expect(
      name(.google, "blocks.3.0.bn3.weight", blueprint)
        == "blocks_13/tpu_batch_normalization_2/gamma")
    #expect(name(.keras, "blocks.4.13.conv_pw.weight", blueprint) == "block5n_expand_conv/kernel")
    #expect(name(.torchvision, "conv_head.weight", blueprint) == "features.8.0.weight")
    let early = try Blueprint(Variant.named("efficientnetv2_rw_s"), classCount: 1000)
    #expect(name(.dLi14, "blocks.0.1.conv_pwl.weight", early) == "features.2.conv.3.weight")
    #expect(
      name(.dLi14, "blocks.3.0.se.conv_reduce.weight", early) == "features.11.conv.6.fc.0.weight")
  }

  @Test func fullyConnectedGatesAreConvolutions() throws {
    let variant = try Variant.named("efficientnetv2_rw_s")
    let blueprint = try Blueprint(variant, classCount: 5)
    let network = Network(blueprint, seed: 2)
    let scheme = NamingScheme.dLi14
    let folder = try TemporaryFolder()
    let tensors = blueprint.parameters.entries.map { info -> SafeTensors.Source in
      let store = network.parameters
      let name = scheme.names(of: info, in: blueprint).first ?? ""
      guard info.storage != .counters else {
        return SafeTensors.Source(name: name, shape: [], values: .integer(0))
      }
      let base = (info.storage == .weights ? store.weights : store.buffers) + info.offset
      return SafeTensors.Source(
        name: name, shape: scheme.shapes(of: info, in: blueprint).last ?? [],
        values: .floats { info.layout.toTimm(base, to: $0, shape: info.shape) })
    }
    #expect(tensors.contains { $0.name.hasSuffix("fc.0.weight") && $0.shape.count == 2 })
    try WeightWriter.write(tensors, to: folder.file("d-li14.pth"), as: .torch)
    let loaded = try WeightLoader.load(
      variant, from: folder.file("d-li14.pth"), head: .keep, seed: 1, strict: true)
    #expect(loaded.report.scheme == "d-li14" && loaded.report.warnings.isEmpty)
    #expect(loaded.network.contents == network.contents)
  }

  @Test func aSchemeIsRecognizedByItsOwnNames() throws {
    let folder = try TemporaryFolder()
    func scheme(_ names: [String]) throws -> (name: String, prefix: String)? {
      let tensors = names.map {
        SafeTensors.Source(name: $0, shape: [1], values: .floats { $0.pointee = 0 })
      }
      try WeightWriter.write(tensors, to: folder.file(), as: .safeTensors)
      return RecognizedScheme(try WeightFile.open(folder.file())).map {
        ($0.scheme.name, $0.prefix)
      }
    }
    #expect(try scheme(["fc.weight"]) == nil)
    #expect(try scheme(["xconv_stem.weight"]) == nil)
    #expect(try scheme(["features.0.0.weight"]) == nil)
    let both = try #require(try scheme(["net.conv_stem.weight", "ema.net.conv_stem.weight"]))
    #expect(both == ("timm", "ema.net."))
    let nested = try #require(
      try scheme(["a.module.features.0.0.weight", "a.module.features.1.conv.0.weight"]))
    #expect(nested == ("d-li14", "a.module."))
  }
}
