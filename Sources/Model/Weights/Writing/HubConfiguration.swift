public import Foundation

/// The `config.json` that stands beside `model.safetensors` in a timm repository on the Hugging Face
/// hub: which architecture, and how it wants to see images. timm loads such a folder as
/// `local-dir:FOLDER`.
public struct HubConfiguration: Codable, Sendable, Equatable {
  /// timm's `pretrained_cfg`.
  public struct Pretrained: Codable, Sendable, Equatable {
    let tag: String?
    let inputSize: [Int]
    let testInputSize: [Int]?
    let interpolation: String
    let cropPct: Double
    let cropMode: String
    let mean: [Double]
    let std: [Double]
    let numClasses: Int
    let customLoad: Bool
  }

  /// What timm gives to the network beside what `Pretrained` says.
  public struct ModelArguments: Codable, Sendable, Equatable {
    let globalPool: String?
    let inChans: Int?
  }

  /// timm's name of the architecture.
  public let architecture: String
  let numClasses: Int
  let numFeatures: Int
  let globalPool: String?
  let modelArgs: ModelArguments?
  let pretrainedCfg: Pretrained

  /// Describes a network that sees images in a certain way.
  public init(_ network: Network, _ preprocessing: Preprocessing) {
    let blueprint = network.blueprint
    architecture = blueprint.variant.name
    numClasses = blueprint.classCount
    numFeatures = blueprint.mapChannels
    let pooling = blueprint.variant.pooling
    globalPool = blueprint.variant.shape == nil ? nil : pooling.rawValue
    let channels = blueprint.inputChannels == 3 ? nil : blueprint.inputChannels
    modelArgs =
      pooling == .average && channels == nil
      ? nil : ModelArguments(globalPool: pooling.ifNotMean?.rawValue, inChans: channels)
    func size(_ edge: Int) -> [Int] { [blueprint.inputChannels, edge, edge] }
    pretrainedCfg = Pretrained(
      tag: blueprint.variant.tag?.name, inputSize: size(preprocessing.inputSize),
      testInputSize: preprocessing.testInputSize.map(size),
      interpolation: preprocessing.interpolation.rawValue, cropPct: preprocessing.cropFraction,
      cropMode: preprocessing.cropMode.rawValue, mean: preprocessing.mean,
      std: preprocessing.deviation, numClasses: blueprint.classCount, customLoad: false)
  }

  /// How the network pools; nil where nothing is said.
  public var pooling: GlobalPooling? { globalPool.flatMap(GlobalPooling.init(word:)) }

  /// The one in the folder of a weight file; nil when there is none, or one of another sort.
  public init?(beside file: URL) {
    let url = Self.url(beside: file)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let data = try? Data(contentsOf: url),
      let decoded = try? decoder.decode(HubConfiguration.self, from: data)
    else { return nil }
    self = decoded
  }

  /// Where it stands.
  public static func url(beside file: URL) -> URL {
    file.deletingLastPathComponent().appendingPathComponent("config.json")
  }

  /// Writes it beside a weight file, unless a `config.json` of something else is there.
  /// - Returns: whether it was written.
  /// - Throws: `AtomicFile.Failure`.
  @discardableResult
  public func write(beside file: URL) throws -> Bool {
    let url = Self.url(beside: file)
    if FileManager.default.fileExists(atPath: url.path), Self(beside: file) == nil { return false }
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard var data = try? encoder.encode(self) else {
      preconditionFailure("the configuration has nothing that JSON cannot hold")
    }
    data.append(0x0A)
    try AtomicFile.write(data, to: url)
    return true
  }
}
