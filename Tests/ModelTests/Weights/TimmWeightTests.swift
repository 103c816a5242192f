import Foundation
import Testing

@testable import Model

/// The program against timm: the tensors of every variant, and a file that timm wrote.
struct TimmWeightTests {
  private struct Manifest: Decodable {
    struct Entry: Decodable {
      let entries: Int
      let sha256: String
    }
    let variants: [String: Entry]
  }

  @Test func everyVariantHasTimmsTensors() throws {
    let manifest = try JSONDecoder().decode(
      Manifest.self,
      from: Data(contentsOf: weightFixtures.appendingPathComponent("manifest.json")))
    for (name, expected) in manifest.variants {
      let variant = try Variant.named(name)
      let table = try Blueprint(variant, classCount: 1000).parameters
      let lines = table.entries.map { info in
        "\(info.path) \(info.timmShape.map(String.init).joined(separator: ","))\n"
      }
      #expect(lines.count == expected.entries, "\(variant.name)")
      #expect(
        sha256(of: Array(lines.sorted().joined().utf8)) == expected.sha256, "\(variant.name)")
    }
  }

  /// A file of the weights that lie beside the repository.
  private static let shared = repository.deletingLastPathComponent()
    .appendingPathComponent("shared/weights/tf_efficientnetv2_b0.cifar10-64.safetensors")

  @Test(.enabled(if: FileManager.default.fileExists(atPath: shared.path)))
  func aFileOfTimmIsLoadedAndWrittenBack() throws {
    let variant = try Variant.named("tf_efficientnetv2_b0")
    let loaded = try WeightLoader.load(
      variant, from: Self.shared, head: .keep, seed: 1, strict: true)
    #expect(loaded.report.fileClassCount == 10)
    #expect(loaded.report.loaded.count == 420)
    #expect(loaded.network.blueprint.classCount == 10)
    #expect(loaded.network.parameters.counters[0] > 0)
    let folder = try TemporaryFolder()
    try WeightWriter.write(loaded.network, to: folder.file())
    #expect(try sha256(of: folder.file()) == sha256(of: Self.shared))
  }
}
