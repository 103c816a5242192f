import Foundation
import Testing

@testable import Model

/// Transformers in Flax's files: tensors that are joined from several, positions of other sizes, and
/// what is said about files that do not fit.
struct FlaxWeightTests {
  private static let attention = "Transformer/encoderblock_1/MultiHeadDotProductAttention_1/"
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The fixture's tensors with a change, in a file of another kind.
  private func write(_ change: (inout [TinyWeights.Tensor]) -> Void) throws -> URL {
    let file = try WeightFile.open(MiniNetwork.file("mini-flax.npz"))
    var tensors = try file.tensors.map { tensor in
      TinyWeights.Tensor(
        name: tensor.name, type: "F32", shape: tensor.shape,
        bytes: try file.floats(tensor).withUnsafeBytes { Data($0) })
    }
    change(&tensors)
    return try folder.write(TinyWeights.data(tensors))
  }

  private func load(
    _ url: URL, inputSize: Int = 16, strict: Bool = true
  ) throws -> (network: Network, report: LoadReport) {
    try WeightLoader.load(
      MiniNetwork.transformer(inputSize: inputSize), from: url, head: .keep, seed: 1,
      strict: strict)
  }

  private func misfit(_ url: URL) throws -> Misfit {
    let error = #expect(throws: WeightError.self) { try load(url) }
    guard case .doesNotFit(let misfit) = error else { throw CocoaError(.featureUnsupported) }
    return misfit
  }

  @Test func theOrderOfTheFileMeansNothing() throws {
    let loaded = try load(write { $0.reverse() })
    #expect(MiniNetwork.error(loaded.network) <= 1e-7)
    #expect(loaded.report.loaded.count == 32 && loaded.report.unexpected.isEmpty)
  }

  @Test func aPartIsMissing() throws {
    let url = try write { $0.removeAll { $0.name == Self.attention + "value/kernel" } }
    let misfit = try misfit(url)
    #expect(misfit.missing == ["blocks.1.attn.qkv.weight"])
    // The other parts are not strangers.
    #expect(misfit.unexpected.isEmpty && misfit.mismatched.isEmpty)
    let loaded = try load(url, strict: false)
    #expect(loaded.report.missing == ["blocks.1.attn.qkv.weight"])
    #expect(loaded.report.loaded.count == 31)
  }

  @Test func aPartHasOtherHeads() throws {
    let url = try write { tensors in
      for index in tensors.indices where tensors[index].name == Self.attention + "key/kernel" {
        tensors[index].shape = [8, 4, 2]
      }
    }
    #expect(
      try misfit(url).mismatched.map(\.description) == [
        "blocks.1.attn.qkv.weight: [8, 4, 2] in the file, [8, 2, 4] in the network"
      ])
  }

  @Test func aLayerBeforeTheClassifierIsNotUsed() throws {
    let url = try write { tensors in
      let numbers = Data(count: 8 * 8 * 4)
      tensors.append(.init(name: "pre_logits/kernel", type: "F32", shape: [8, 8], bytes: numbers))
    }
    #expect(try misfit(url).unexpected == ["pre_logits/kernel"])
    #expect(try load(url, strict: false).report.unexpected == ["pre_logits/kernel"])
  }

  @Test func aDamagedPartIsNoticed() throws {
    var data = try Data(contentsOf: MiniNetwork.file("mini-flax.npz"))
    let name = try #require(data.range(of: Data((Self.attention + "value/kernel.npy").utf8)))
    // Behind the name come 128 bytes that describe the array, then its numbers.
    data[name.upperBound + 200] ^= 1
    let url = try folder.write(data, to: "damaged.npz")
    let error = #expect(throws: WeightError.self) { try load(url) }
    guard case .damagedContainer(_, .numpyArchive, _) = error else {
      throw CocoaError(.featureUnsupported)
    }
  }

  // MARK: Positions

  private static func expected(_ grid: Int) throws -> [Float] {
    let data = try Data(contentsOf: weightFixtures.appendingPathComponent("positions.json"))
    return try #require(JSONDecoder().decode([String: [Float]].self, from: data)["\(grid)"])
  }

  @Test(arguments: [3, 6]) func positionsAreResizedAsByTimm(_ grid: Int) throws {
    let timm = folder.file("timm.safetensors")
    try WeightWriter.write(load(MiniNetwork.file("mini-flax.npz")).network, to: timm)
    for url in [MiniNetwork.file("mini-flax.npz"), timm] {
      let (network, report) = try load(url, inputSize: 4 * grid)
      #expect(report.notes == ["the positions of 4×4 patches were resized to \(grid)×\(grid)"])
      let info = try #require(network.parameters.table["pos_embed"])
      let values = network.parameters.values(info)
      let expected = try Self.expected(grid)
      try #require(values.count == expected.count && values.count == (grid * grid + 1) * 8)
      let worst = zip(values, expected).map { abs($0 - $1) }.max() ?? 1
      #expect(worst <= 1e-6)
    }
  }

  @Test(arguments: [[1, 16, 8], [1, 18, 8], [1, 17, 4], [17, 8]])
  func positionsOfNoSquareDoNotFit(_ shape: [Int]) throws {
    let url = try write { tensors in
      for index in tensors.indices where tensors[index].name.hasSuffix("pos_embedding") {
        tensors[index].shape = shape
        tensors[index].bytes = Data(count: shape.reduce(4, *))
      }
    }
    #expect(
      try misfit(url).mismatched.map(\.description) == [
        "pos_embed: \(shape) in the file, [1, 17, 8] in the network"
      ])
  }
}
