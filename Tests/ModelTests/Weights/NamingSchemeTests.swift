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

  /// The networks of convolutions, whose layers every scheme can name.
  private static let variants = Variant.all.filter {
    $0.name.hasPrefix("efficientnetv2") || $0.name.hasPrefix("tf_efficientnetv2")
  }

  private func names(
    _ scheme: NamingScheme, _ blueprint: Blueprint
  ) -> [(info: ParameterInfo, name: String)] {
    blueprint.parameters.entries.compactMap { info in
      scheme.name(of: info, in: blueprint).map { (info, $0) }
    }
  }

  @Test func everyTensorHasOneNameAndNoOtherHasIt() throws {
    for variant in Self.variants {
      let blueprint = try Blueprint(variant, classCount: 1000)
      for scheme in NamingScheme.all {
        let names = names(scheme, blueprint)
        #expect(Set(names.map(\.name)).count == names.count, "\(scheme.name) \(variant.name)")
        let unnamed = blueprint.parameters.entries.count - names.count
        // Plain convolutions as blocks, the first stage of the official networks, d-li14 has not.
        let lacks = scheme.name == "d-li14" && variant.stages[0].kind == .convolution
        let counters = scheme.order == .outputsLast ? blueprint.parameters.counterCount : 0
        #expect(unnamed == counters || lacks, "\(scheme.name) \(variant.name)")
      }
    }
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
          "\(name) \(scheme.shapes(of: info)[0].map(String.init).joined(separator: ","))\n"
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
      blueprint.parameters[path].flatMap { scheme.name(of: $0, in: blueprint) }
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
      let name = scheme.name(of: info, in: blueprint) ?? ""
      guard info.storage != .counters else {
        return SafeTensors.Source(name: name, shape: [], values: .integer(0))
      }
      let base = (info.storage == .weights ? store.weights : store.buffers) + info.offset
      return SafeTensors.Source(
        name: name, shape: scheme.shapes(of: info).last ?? [],
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
