import Foundation
import Testing

@testable import Model

/// Files that other programs wrote, loaded into a network to the last number.
struct ForeignWeightTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let file: String
    let container: WeightContainer
    let scheme: String
    /// How far the numbers may be from the formula's: what their type rounds off.
    var precision = 1e-7
    var notes: [String] = []
    var variant = MiniNetwork.variant()
    var counters: Int64 = 0
    var testDescription: String { file }
  }

  private static let half = 0x1p-11
  private static let google = "the names begin with 'efficientnetv2-mini/'"

  static let cases = [
    Case(
      file: "mini-timm-checkpoint.pth.tar", container: .torchZip, scheme: "timm", precision: half,
      notes: ["'state_dict_ema' was taken"]),
    Case(
      file: "mini-timm-legacy.pth", container: .torchLegacy, scheme: "timm", counters: 7),
    Case(
      file: "mini-parallel.pth", container: .torchZip, scheme: "timm", precision: half,
      notes: ["'model' was taken", "the names begin with 'module.'"]),
    Case(file: "mini-timm-compressed.npz", container: .numpyArchive, scheme: "timm"),
    Case(
      file: "mini-torchvision.pth", container: .torchZip, scheme: "torchvision", counters: 7),
    Case(
      file: "mini-hankyul2-lightning.ckpt", container: .torchZip, scheme: "hankyul2",
      precision: 0x1p-8,
      notes: ["'state_dict' was taken", "the names begin with 'model.'"]),
    Case(file: "mini-hankyul2-dictionary.npy", container: .numpyArray, scheme: "google"),
    Case(
      file: "mini-jahongir7174-module.pt", container: .torchZip, scheme: "jahongir7174",
      precision: half,
      notes: [
        "'model' was taken",
        "a whole pickled module: its tensors were read, its code was not",
      ]),
    Case(file: "mini-google.index", container: .tensorFlow, scheme: "google", notes: [google]),
    Case(
      file: "mini-google.data-00000-of-00001", container: .tensorFlow, scheme: "google",
      notes: [google]),
    Case(file: "mini-google-objects", container: .tensorFlow, scheme: "google", notes: [google]),
    Case(
      file: "mini-keras.weights.h5", container: .hdf5, scheme: "keras",
      variant: MiniNetwork.variant(head: 1280)),
    Case(
      file: "mini-torchvision-first.pth", container: .torchZip, scheme: "torchvision",
      variant: MiniNetwork.first(), counters: 7),
    Case(
      file: "mini-google-first.index", container: .tensorFlow, scheme: "google",
      notes: ["the names begin with 'efficientnet-mini/'"], variant: MiniNetwork.first()),
    Case(
      file: "mini-keras-first.h5", container: .hdf5, scheme: "keras",
      variant: MiniNetwork.first(head: 320)),
    Case(
      file: "mini-flax.npz", container: .numpyArchive, scheme: "flax",
      variant: MiniNetwork.transformer()),
  ]

  @Test(arguments: cases) func everyNumberIsInItsPlace(_ example: Case) throws {
    let (network, report) = try WeightLoader.load(
      example.variant, from: MiniNetwork.file(example.file), head: .keep, seed: 1, strict: true)
    #expect(MiniNetwork.error(network) <= example.precision)
    #expect(report.container == example.container)
    #expect(report.scheme == example.scheme)
    #expect(report.notes == example.notes)
    #expect(report.unexpected.isEmpty && report.missing.isEmpty)
    #expect(report.converted.isEmpty == (example.precision < 1e-6))
    if network.parameters.table.counterCount > 0 {
      #expect(network.parameters.counters[0] == example.counters)
    }
    #expect(report.fileClassCount == 3)
  }

  @Test(arguments: cases) func aHeadOfAnotherSizeIsNew(_ example: Case) throws {
    let loaded = try WeightLoader.load(
      example.variant, from: MiniNetwork.file(example.file),
      head: .resize(classCount: 5), seed: 1, strict: true)
    #expect(loaded.report.headReplaced?.from == 3 && loaded.report.headReplaced?.to == 5)
    #expect(loaded.network.blueprint.classCount == 5)
  }

  @Test func otherConventionsAreWarnedOf() throws {
    func warnings(_ file: String) throws -> [String] {
      try WeightLoader.load(
        MiniNetwork.variant(), from: MiniNetwork.file(file), head: .keep, seed: 1, strict: true
      ).report.warnings
    }
    #expect(try warnings("mini-google.index").isEmpty)
    #expect(try warnings("mini-parallel.pth").isEmpty)
    #expect(
      try warnings("mini-torchvision.pth") == [
        "these weights belong to a network that pads symmetrically, but 'mini' pads as "
          + "TensorFlow does (SAME)"
      ])
    #expect(try warnings("mini-hankyul2-lightning.ckpt").count == 2)
  }

  // MARK: Rewriting

  @Test(arguments: ["safetensors", "pth", "npz"]) func everyFileCanBeConverted(
    _ ending: String
  ) throws {
    let folder = try TemporaryFolder()
    for example in Self.cases {
      let output = folder.file("out.\(ending)")
      let report = try WeightConversion.convert(MiniNetwork.file(example.file), to: output)
      // The network is in no table, so the names stay.
      #expect(report.scheme == nil && report.variants.isEmpty)
      let (network, loading) = try WeightLoader.load(
        example.variant, from: output, head: .keep, seed: 1, strict: true)
      #expect(MiniNetwork.error(network) <= example.precision, "\(example.file)")
      #expect(loading.scheme == example.scheme)
    }
  }

  @Test(arguments: WeightFormat.allCases) func whatIsWrittenIsRead(_ format: WeightFormat) throws {
    let folder = try TemporaryFolder()
    let network = try TinyWeights.network()
    let url = folder.file("file.\(format.rawValue)")
    try WeightWriter.write(network, to: url, as: format)
    #expect(try WeightFormat(of: url) == format)
    let loaded = try WeightLoader.load(
      TinyWeights.variant, from: url, head: .keep, seed: 1, strict: true)
    #expect(loaded.network.contents == network.contents)
    #expect(loaded.report.loaded.count == network.parameters.table.entries.count)
    let again = folder.file("again.\(format.rawValue)")
    try WeightWriter.write(network, to: again, as: format)
    #expect(try Data(contentsOf: again) == Data(contentsOf: url))
  }

  @Test func aKnownNetworkGetsTimmsNames() throws {
    let folder = try TemporaryFolder()
    let variant = try Variant.named("tf_efficientnetv2_b0")
    let network = Network(try Blueprint(variant, classCount: 3), seed: 4)
    // The names of google's checkpoints and their layout, which is the engine's own.
    let tensors = network.parameters.table.entries.compactMap { info -> SafeTensors.Source? in
      let names = NamingScheme.google.names(of: info, in: network.blueprint)
      guard let name = names.first else { return nil }
      let store = network.parameters
      let base = (info.storage == .weights ? store.weights : store.buffers) + info.offset
      return SafeTensors.Source(
        name: "efficientnetv2-b0/" + name,
        shape: NamingScheme.google.shapes(of: info, in: network.blueprint)[0],
        values: .floats { $0.update(from: base, count: info.count) })
    }
    let source = folder.file("google.npz")
    try WeightWriter.write(tensors, to: source, as: .numpy)
    let output = folder.file("timm.safetensors")
    let report = try WeightConversion.convert(source, to: output)
    #expect(report.scheme == "google" && report.variants == [variant.name])
    let direct = folder.file("direct.safetensors")
    try WeightWriter.write(network, to: direct)
    #expect(try Data(contentsOf: output) == Data(contentsOf: direct))
    let contents = WeightContents(try WeightFile.open(output))
    #expect(contents.scheme == "timm" && contents.variants == [variant.name])
    #expect(
      contents.elementCount == network.blueprint.parameterCount + network.blueprint.bufferCount)
  }

  @Test func theHubsConfigurationStandsBeside() throws {
    let folder = try TemporaryFolder()
    let network = Network(
      try Blueprint(Variant.named("tf_efficientnetv2_s"), classCount: 7), seed: 1)
    let configuration = HubConfiguration(network, network.blueprint.variant.preprocessing)
    let url = folder.file("model.safetensors")
    #expect(HubConfiguration(beside: url) == nil)
    #expect(try configuration.write(beside: url))
    #expect(HubConfiguration(beside: url) == configuration)
    let text = try String(contentsOf: folder.file("config.json"), encoding: .utf8)
    #expect(text.contains("\"architecture\" : \"tf_efficientnetv2_s\""))
    #expect(text.contains("\"num_classes\" : 7"))
    #expect(try configuration.write(beside: url))
    try folder.write(Data("{\"mine\": 1}".utf8), to: "config.json")
    #expect(try !configuration.write(beside: url))
    #expect(try Data(contentsOf: folder.file("config.json")) == Data("{\"mine\": 1}".utf8))
  }

  @Test func theDigestInANameIsCompared() throws {
    func digest(_ name: String) -> String? { ReleaseName.digest(in: URL(fileURLWithPath: name)) }
    #expect(digest("/a/efficientnet_v2_s-dd5fe13b.pth") == "dd5fe13b")
    #expect(digest("/a/tf_efficientnetv2_s_21ft1k-d7dafa41.pth") == "d7dafa41")
    #expect(digest("/a/model-20240101.pth") == nil)
    #expect(digest("/a/model-dd5fe1.pth") == nil)
    #expect(digest("/a/resnet-unfinished.pth") == nil)
    let folder = try TemporaryFolder()
    let data = try Data(contentsOf: MiniNetwork.file("mini-torchvision.pth"))
    let whole = sha256(of: Array(data))
    let right = try folder.write(data, to: "mini-\(whole.prefix(8)).pth")
    let wrong = try folder.write(data, to: "mini-0123abcd.pth")
    func load(_ url: URL) throws -> LoadReport {
      try WeightLoader.load(
        MiniNetwork.variant(), from: WeightFile.open(url), head: .keep, seed: 1, strict: true,
        digest: { whole }
      ).report
    }
    // A digest without a letter would be taken for a date.
    #expect(try load(right).isDigestVerified == whole.prefix(8).contains(where: \.isLetter))
    #expect(throws: WeightError.wrongDigest(wrong.path, expected: "0123abcd", found: whole)) {
      try load(wrong)
    }
  }
}
