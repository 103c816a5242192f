import Foundation
import Kernels
import Testing

@testable import Model

/// Every variant that timm or torchvision has: its tensors in order, and the logits of one image;
/// against Tests/Tools/make_variant_fixtures.py.
@Suite(.serialized)
struct VariantFixtureTests {
  struct Row: Decodable {
    let tensors: Int
    let parameters: Int
    let manifest: String
    /// None of the networks that nobody has computed yet.
    let logits: [Double]?
    /// How far PyTorch's own float32 logits are from these, relative.
    let noise: Double?
  }

  static let rows: [String: Row] = {
    let file = fixtureFolder("network").appendingPathComponent("variants.json")
    guard let data = try? Data(contentsOf: file) else { return [:] }
    return (try? JSONDecoder().decode([String: Row].self, from: data)) ?? [:]
  }()

  /// The networks that no other library has under that name.
  static let others = Variant.all.map(\.name).filter {
    $0.hasPrefix("jahongir_") || $0.hasPrefix("dli14_") || $0.hasPrefix("torchvision_")
  }
  static let names = Variant.all.map(\.name).filter { !others.contains($0) }

  /// What takes long is computed on request: WORKBENCH_LONG_TESTS=1 ./test --filter VariantFixture.
  static let isLong = ProcessInfo.processInfo.environment["WORKBENCH_LONG_TESTS"] != nil
  static let computed = names.filter { name in
    guard let row = rows[name], row.logits != nil else { return false }
    return isLong || row.parameters < 25_000_000
  }

  @Test("the fixtures cover the table")
  func coverage() {
    #expect(Set(Self.rows.keys) == Set(Self.names))
    #expect(Self.others.count == 10)
    #expect(Self.rows.values.filter { $0.logits != nil }.count >= 28)
  }

  @Test("tensors are the library's in name, shape and order", arguments: names)
  func manifest(name: String) throws {
    let expected = try #require(Self.rows[name])
    let variant = try Variant.named(name)
    let table = try Blueprint(variant, classCount: 1000).parameters
    let lines = table.entries.map { info in
      (variant.isTimms ? info.path + " " : "") + "\(info.timmShape)\n"
    }
    #expect(lines.count == expected.tensors)
    #expect(table.parameterCount == expected.parameters)
    let hash = String(stableHash(lines.joined()), radix: 16)
    #expect(String(repeating: "0", count: 16 - hash.count) + hash == expected.manifest)
  }

  @Test("the logits of one image are the library's", arguments: computed)
  func logits(name: String) throws {
    let expected = try #require(Self.rows[name])
    try expectLogits(
      of: name, try #require(expected.logits), noise: expected.noise ?? 0)
  }

  struct OtherRow: Decodable {
    let logits: [Double]
    let noise: Double
  }

  /// Against Tests/Tools/make_other_fixtures.py, which runs the sources' own classes.
  @Test(
    "the logits of the networks that only one source has are that source's",
    arguments: ["jahongir_efficientnetv2_s", "dli14_efficientnetv2_s"])
  func otherLogits(name: String) throws {
    let file = fixtureFolder("network").appendingPathComponent("others.json")
    let rows = try JSONDecoder().decode([String: OtherRow].self, from: Data(contentsOf: file))
    let expected = try #require(rows[name])
    try expectLogits(of: name, expected.logits, noise: expected.noise)
  }

  /// Compares a network with the formula's weights, applied to the formula's image.
  private func expectLogits(
    of name: String, _ expected: [Double], noise: Double
  ) throws {
    let variant = try Variant.named(name)
    let isPatched = variant.shape == nil
    let size = isPatched ? 48 : 47
    let network = Network(uninitialized: try Blueprint(variant, classCount: 10))
    fillByFormula(network, gain: isPatched ? 2 : 4.5)
    let folded = try FoldedNetwork(
      network, maxBatch: 1, inputSize: size, pool: ThreadPool(threads: 2))
    fillFormulaImages(folded.input, count: 1, size: size)
    let logits = folded.run(batch: 1)
    let scale = expected.map(abs).max() ?? 0
    let allowed = max(1e-4, 10 * noise) * scale
    for (index, value) in expected.enumerated() {
      #expect(
        abs(Double(logits[index]) - value) <= allowed,
        "logit \(index): \(logits[index]), expected \(value)")
    }
    #expect(scale.isFinite && scale > 0)
  }
}
